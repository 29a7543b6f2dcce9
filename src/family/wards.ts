// Whose bills a guardian may look after. Law: only minors of an active link, until the 18th birthday;
// what was done and prescribed only of a child under 14 (domain.md, Family).
import { type SQL, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { citizen } from '../db/schema.ts';
import { ageAt } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import { openCitizen } from '../identity/people.ts';

/** From this birthday on a child's medical data are the child's own. */
const OWN_DATA_YEARS = 14;

export interface Ward {
  citizenId: string;
  /** Under 14: the guardian sees the items of the bill too. */
  showsItems: boolean;
}

/** A query of the citizens whom this guardian looks after, at business time. */
export const minorsOf = (guardianId: string): SQL => sql`
  select f.beneficiary_citizen_id from family_link f
  where f.payer_citizen_id = ${guardianId} and f.kind = 'minorChild' and f.status = 'active'
    and f.ends_at > business_now()`;

/** The minors that this citizen carries by an active link, at business time. */
export async function wardsOf(tx: Tx | Db, keyring: Keyring, guardianId: string): Promise<Ward[]> {
  const found = await tx
    .select({ child: citizen, today: sql<string>`business_date(business_now())::text` })
    .from(citizen)
    .where(sql`${citizen.id} in (${minorsOf(guardianId)})`);
  return found.map(({ child, today }) => {
    const { id: citizenId, birthDate } = openCitizen(keyring, child);
    return { citizenId, showsItems: ageAt(birthDate, today) < OWN_DATA_YEARS };
  });
}

/** The ward that a visit or settlement is of, if any. */
export function wardIn(wards: readonly Ward[], citizenId: string | null): Ward | null {
  return wards.find((ward) => ward.citizenId === citizenId) ?? null;
}
