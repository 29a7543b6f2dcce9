// Role: the SQL parts that the hold verbs share. Each verb is one statement: it locks the credit line
// first and touches the hold only through rows that this lock returned, so racing verbs queue up.
import { type SQL, sql } from 'drizzle-orm';
import { RetryTransaction } from '../db/db.ts';
import type { FamilyDecline } from '../family/link.ts';
import type { Fen } from '../money.ts';
import { type CreditDecline, type LineState, refusalOf } from './credit-line.ts';

/** What callers of the hold verbs see of a hold; `amount` in fen. */
export interface HoldView {
  id: string;
  status: 'placed' | 'captured' | 'voided' | 'expired';
  amount: Fen;
  expiresAt: Date;
}

/** A hold as the statements return it; all columns are null where nothing was placed. */
export interface HoldRow {
  id: string | null;
  status: HoldView['status'];
  amount: Fen;
  expires_at: string;
}

/** The view of a returned hold row; null when the statement made or changed none. */
export function holdViewOf(row: Partial<HoldRow> | undefined): HoldView | null {
  if (!row?.id || !row.status || row.amount === undefined || !row.expires_at) return null;
  return {
    id: row.id,
    status: row.status,
    amount: row.amount,
    expiresAt: new Date(row.expires_at),
  };
}

/** CTE: one reading of business time for the whole statement. */
export const clockCte = sql`clock as materialized (select business_now() as now)`;

/** CTE `rule` (amount in fen, life interval): the policy's hold rule for a kind of visit. */
export function ruleCte(visitKind: SQL | string): SQL {
  return sql`rule as materialized (
    select round((data -> 'hold' -> ${visitKind}::text ->> 'amount')::numeric * 100)::bigint as amount,
      make_interval(hours => (data -> 'hold' -> ${visitKind}::text ->> 'hours')::int) as life
    from policy, clock
    where kind = 'credit' and name = 'default' and valid_from <= clock.now
    order by valid_from desc, version desc limit 1)`;
}

/** Something owed past its due time; what awaits insurance is never dunned. Needs CTE clock. */
export const isOverdue = sql`exists (
  select 1 from receivable r
  where r.line_id = l.id and r.amount > r.paid + r.reduced + r.written_off
    and not r.awaits_insurance and r.due_at < (select now from clock))`;

/** True where the line gives more credit; the same order of reasons is in credit-line.ts. */
export function mayUseMore(isEmergency: boolean): SQL {
  return sql`(l.consented and (${isEmergency}::boolean or (l.status = 'active' and not ${isOverdue})))`;
}

/** The id of the line a visit's placed hold lies on, else of the payer's open line. */
export function lineOfVisit(visitId: string, payerCitizenId: string | null): SQL {
  return sql`coalesce(
    (select line_id from hold where visit_id = ${visitId} and status = 'placed'),
    (select id from credit_line where citizen_id = ${payerCitizenId}::text and status <> 'closed'))`;
}

/** CTE `line`: the locked line of a visit's placed hold. */
export const lineOfHold = (visitId: string): SQL => sql`line as materialized (
  select l.id from credit_line l
  where l.id = (select line_id from hold where visit_id = ${visitId} and status = 'placed')
  for update of l)`;

/** CTE `old`: the visit's placed hold on the locked line, locked. */
export const oldHold = (visitId: string): SQL => sql`old as materialized (
  select h.id, h.amount, h.placed_at, h.family_link_id from line join hold h on h.line_id = line.id
  where h.visit_id = ${visitId} and h.status = 'placed' for update of h)`;

/** The visit's placed hold as the statement's snapshot has it; null when there is none. */
export function placedHold(visitId: string): SQL {
  return sql`(select id from hold where visit_id = ${visitId} and status = 'placed')`;
}

/**
 * A statement that waited for the line's lock may find that its hold was resolved meanwhile; then the
 * transaction is run again and sees what is true now.
 */
export function retryIfResolvedMeanwhile(row: { is_stale: boolean } | undefined): void {
  if (row?.is_stale) throw new RetryTransaction();
}

/** What every verb answers about the line it locked. */
export interface LineSeen {
  line_id: string | null;
  line_status: 'active' | 'suspended';
  suspended_for: string | null;
  consented: boolean;
  is_overdue: boolean;
  /** Why the family link gives no more credit; null where none is used or only caps decide. */
  link_refusal: FamilyDecline | null;
  /** True: it is the caps that leave too little, whatever the limit leaves. */
  is_capped: boolean;
}

/** Explains a statement that placed nothing. */
export function declineOf(seen: LineSeen | undefined, isEmergency: boolean): CreditDecline {
  if (!seen?.line_id) return 'credit/not-enrolled';
  if (seen.link_refusal) return seen.link_refusal;
  const state: LineState =
    seen.line_status === 'active'
      ? { status: 'active' }
      : { status: 'suspended', suspendedFor: seen.suspended_for ?? '' };
  const line = { state, isConsented: seen.consented, isOverdue: seen.is_overdue };
  const tooLittle = seen.is_capped ? 'family/cap-exceeded' : 'credit/limit-exceeded';
  return refusalOf(line, isEmergency) ?? tooLittle;
}
