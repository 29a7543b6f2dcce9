// Law: how a stay is closed, when a hold is warned about and how fast an inpatient's money goes back
// is dated policy data of the region where the patient is treated.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Db, rows, type Tx } from '../db/db.ts';

const share = z.string().regex(/^(0\.\d{1,2}|1(\.0{1,2})?)$/, 'a share of the hold, 0.01 … 1');
const yuan = z.string().regex(/^\d{1,8}\.\d{2}$/, 'yuan with two decimals');
const days = z.array(z.iso.date());

export const stayPolicySchema = z.strictObject({
  /** True where 2402 comes before the last 2304 (在院状态不允许结算); else it follows. */
  dischargeBeforeSettlement: z.boolean(),
  /** A hold is raised, then warned about, when what is charged and unsettled passes these shares; [] never. */
  holdShares: z.array(share),
  /** A hold grows by whole steps of this much. */
  holdStep: yuan,
  /** Money of an inpatient is back within so many working days. */
  refundWorkingDays: z.int().min(0).max(60),
  /** Days off beside the weekends, and weekend days that are worked (调休). */
  holidays: days,
  extraWorkdays: days,
});
export type StayPolicy = z.infer<typeof stayPolicySchema>;

/** Where a city says nothing: the order of the national standard, Xiamen's three working days. */
export const defaultStayPolicy: StayPolicy = {
  dischargeBeforeSettlement: false,
  holdShares: ['0.80', '1.00'],
  holdStep: '500.00',
  refundWorkingDays: 3,
  // The State Council's days off of 2026.
  holidays: [
    ...['2026-01-01', '2026-01-02', '2026-02-16', '2026-02-17', '2026-02-18', '2026-02-19'],
    ...['2026-02-20', '2026-02-23', '2026-04-06', '2026-05-01', '2026-05-04', '2026-05-05'],
    ...['2026-06-19', '2026-09-25', '2026-10-01', '2026-10-02', '2026-10-05', '2026-10-06'],
    '2026-10-07',
  ],
  extraWorkdays: [
    ...['2026-01-04', '2026-02-14', '2026-02-28', '2026-05-09', '2026-09-20', '2026-10-10'],
  ],
};

/** The policy of a hospital's region in force at `at` (default: now): 350200, else 3502, else default. */
export async function readStayPolicy(
  tx: Tx | Db,
  hospitalCode: string,
  at: Date | null = null,
): Promise<StayPolicy> {
  const [row] = await rows<{ data: unknown }>(
    tx,
    sql`
    select p.data from hospital h join policy p on p.kind = 'inpatient'
      and p.name in (h.region, left(h.region, 4), 'default')
      and p.valid_from <= coalesce(${at?.toISOString() ?? null}::timestamptz, business_now())
    where h.code = ${hospitalCode}
    order by case p.name when 'default' then 0 else length(p.name) end desc,
      p.valid_from desc, p.version desc limit 1`,
  );
  return row ? stayPolicySchema.parse(row.data) : defaultStayPolicy;
}
