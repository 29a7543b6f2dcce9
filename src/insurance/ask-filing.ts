// Role: asks whether a patient insured elsewhere is filed (2001), where the policy says that this
// visit needs it. Changes nothing at the insurer; no answer is no refusal.
import { sql } from 'drizzle-orm';
import { businessNow, type Db, rows, type Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { benefitCheck2001 } from './benefit-check.ts';
import {
  type Filing,
  type FilingPolicy,
  filingNeedOf,
  filingPolicySchema,
  readFiling,
} from './filing.ts';
import type { Answer, Infno, Message } from './insurer.ts';
import { newMessageId } from './message-store.ts';
import type { InsuredPerson } from './person.ts';
import { routeOf } from './regions.ts';
import type { ClaimVisit, TradeInput } from './trades.ts';

export interface FilingQuestion {
  kind: string;
  hospital: Message['hospital'];
  /** `startedAt` null: now. */
  visit: Pick<ClaimVisit, 'medType' | 'isEmergency' | 'stay'> & { startedAt: Date | null };
  person: InsuredPerson;
}

/** Null inside the region. `ask` sends one message that changes nothing. */
export async function askFiling(
  db: Db,
  { hospital, person, visit, kind }: FilingQuestion,
  ask: (infno: Infno, input: TradeInput) => Promise<Answer>,
): Promise<Filing | null> {
  const { insuredRegion } = person;
  if (routeOf(hospital.region, insuredRegion) === 'local') return null;
  const [policy, now] = [await readFilingPolicy(db, hospital.region), await businessNow(db)];
  const begun = { ...visit, startedAt: visit.startedAt ?? now, treatRegion: hospital.region };
  const { isEmergency = false, startedAt, treatRegion } = begun;
  const need = filingNeedOf(policy, { insuredRegion, treatRegion, kind, isEmergency, startedAt });
  const askedAt = now.toISOString();
  if (need !== 'needed') return { status: need, askedAt };
  const answer = await ask('2001', benefitCheck2001(person, begun, hospital.code));
  return { ...readFiling(answer), askedAt };
}

/** The same outside a claim's run: at the opening of a visit and at a discharge. */
export function askFilingOnce(
  deps: Pick<Deps, 'db' | 'insurer' | 'realNow'>,
  about: FilingQuestion,
  sender: { operator: Message['operator']; deadlineMs: number },
): Promise<Filing | null> {
  const { hospital, person } = about;
  const { operator, deadlineMs } = sender;
  return askFiling(deps.db, about, async (infno, input) => {
    const msgid = await newMessageId(deps.db, hospital.code, deps.realNow());
    const { insuredRegion } = person;
    return deps.insurer.send(
      { infno, msgid, hospital, insuredRegion, operator, input },
      deadlineMs,
    );
  });
}

/** The policy in force where the patient is treated: 350200, else 3502, else default. */
async function readFilingPolicy(tx: Tx | Db, region: string): Promise<FilingPolicy> {
  const [row] = await rows<{ data: unknown }>(
    tx,
    sql`
    select data from policy
    where kind = 'filing' and name in (${region}, left(${region}, 4), 'default')
      and valid_from <= business_now()
    order by case name when 'default' then 0 else length(name) end desc,
      valid_from desc, version desc limit 1`,
  );
  // A city without such data knows no free zone: everybody from elsewhere is asked about.
  return row ? filingPolicySchema.parse(row.data) : { freeZones: [] };
}
