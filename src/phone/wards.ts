// Whose bills a guardian may look after. Law: only minors of an active link, until the 18th birthday;
// what was done and prescribed only of a child under 14 (domain.md, Family).
import { and, eq, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { citizen, familyLink } from '../db/schema.ts';
import { ageAt } from '../identity/id-number.ts';
import type { Keyring } from '../identity/keyring.ts';
import { openCitizen } from '../identity/people.ts';

/** From this birthday on a child's medical data are the child's own. */
const OWN_DATA_YEARS = 14;

export interface Ward {
  citizenId: string;
  linkId: string;
  /** Under 14: the guardian sees the items of the bill too. */
  showsItems: boolean;
}

/** The minors that this citizen carries by an active link, at business time. */
export async function wardsOf(tx: Tx | Db, keyring: Keyring, guardianId: string): Promise<Ward[]> {
  const found = await tx
    .select({ linkId: familyLink.id, child: citizen })
    .from(familyLink)
    .innerJoin(citizen, eq(citizen.id, familyLink.beneficiaryCitizenId))
    .where(
      and(
        eq(familyLink.payerCitizenId, guardianId),
        eq(familyLink.kind, 'minorChild'),
        eq(familyLink.status, 'active'),
        sql`${familyLink.endsAt} > business_now()`,
      ),
    );
  if (found.length === 0) return [];
  const [today] = await rows<{ date: string }>(
    tx,
    sql`select business_date(business_now())::text as date`,
  );
  return found.map(({ linkId, child }) => {
    const { id: citizenId, birthDate } = openCitizen(keyring, child);
    return { citizenId, linkId, showsItems: ageAt(birthDate, today?.date ?? '') < OWN_DATA_YEARS };
  });
}

/** The ward that a visit or settlement is of, if any. */
export function wardIn(wards: readonly Ward[], citizenId: string | null): Ward | null {
  return wards.find((ward) => ward.citizenId === citizenId) ?? null;
}
