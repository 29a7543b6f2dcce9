// Law: how far back the insurer takes a claim, and whether the patient is asked first, is a region's
// policy: versioned, dated data (domain.md, Not only outages; Final refusal).
import { sql } from 'drizzle-orm';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { type Db, rows, type Tx } from '../db/db.ts';
import { assert } from '../errors.ts';

const days = z.int().min(0).max(3650);

export const regionPolicySchema = z.strictObject({
  /** patientConfirms: a conversion waits in `awaitingPatient` until the patient agrees. */
  conversion: z.enum(['automatic', 'patientConfirms']),
  /** The last day of a claim lies this many days after the visit's day. */
  lateClaimDays: days,
  /** Benefits are counted by calendar year: a claim of last year is refused. */
  isSameCalendarYear: z.boolean(),
  /** The last day of the citizen's own claim, counted in the same way. */
  handClaimDays: days,
});
export type RegionPolicy = z.infer<typeof regionPolicySchema>;
export type ConversionMode = RegionPolicy['conversion'];

export type LateClaimDecision = { outcome: 'ok' } | { outcome: 'tooLate'; reason: string };

/**
 * The policy in force of the region where the patient was treated: 350200, else 3502, else default;
 * and the business time `now` at which it is in force.
 */
export async function readRegionPolicy(
  tx: Tx | Db,
  region: string,
): Promise<RegionPolicy & { now: Date }> {
  const [row] = await rows<{ data: unknown; now: string }>(
    tx,
    sql`
    select data, business_now() as now from policy
    where kind = 'region' and name in (${region}, left(${region}, 4), 'default')
      and valid_from <= business_now()
    order by case name when 'default' then 0 else length(name) end desc,
      valid_from desc, version desc limit 1`,
  );
  assert(row, `no policy for region ${region} is in force`);
  return { ...regionPolicySchema.parse(row.data), now: new Date(row.now) };
}

/** Whether a conversion in this region starts by itself or waits for the patient. */
export async function conversionModeOf(tx: Tx | Db, region: string): Promise<ConversionMode> {
  return (await readRegionPolicy(tx, region)).conversion;
}

/** Pure: may a visit of then still be claimed now? Days and years are Shanghai's. */
export function lateClaimDecision(
  visitStartedAt: Date,
  now: Date,
  policy: Pick<RegionPolicy, 'lateClaimDays' | 'isSameCalendarYear'>,
): LateClaimDecision {
  const visitDay = shanghaiDay(visitStartedAt);
  const today = shanghaiDay(now);
  if (policy.isSameCalendarYear && visitDay.year !== today.year) {
    const reason = `超过年度 The visit was in benefit year ${visitDay.year}, now is ${today.year}`;
    return { outcome: 'tooLate', reason };
  }
  const lastDay = visitDay.plus({ days: policy.lateClaimDays });
  if (today > lastDay) {
    const reason = `超过补结算期限 The last day of a late claim was ${lastDay.toISODate()}`;
    return { outcome: 'tooLate', reason };
  }
  return { outcome: 'ok' };
}

/** Pure: the last business day, YYYY-MM-DD, on which the citizen may claim by hand. */
export function handClaimDeadline(
  visitStartedAt: Date,
  policy: Pick<RegionPolicy, 'handClaimDays'>,
): string {
  const lastDay = shanghaiDay(visitStartedAt).plus({ days: policy.handClaimDays });
  return lastDay.toFormat('yyyy-MM-dd');
}

function shanghaiDay(at: Date): DateTime {
  return DateTime.fromJSDate(at, { zone: 'Asia/Shanghai' }).startOf('day');
}
