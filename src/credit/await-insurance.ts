// Law: nothing is dunned while its settlement awaits insurance, and it falls due anew once that is
// resolved (domain.md, No dunning).
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { needsRestoring, restoreLine } from './restore-line.ts';

/**
 * True: the settlement's receivables wait, with no debit, reminder, overdue or report. False: they
 * are due again, by the lender's product as if captured now, and are no longer overdue. Either lifts a
 * suspension for them and what was reported of them. Repeating it changes nothing. The caller holds the settlement's lock; locks credit line, then receivables by id.
 */
export async function setAwaitsInsurance(
  tx: Tx,
  settlementId: string,
  awaits: boolean,
): Promise<void> {
  const lines = await rows<{ id: string }>(
    tx,
    sql`
    with line as materialized (
      select l.id, l.product, ${needsRestoring} as needs_restoring from credit_line l
      where l.id in (select line_id from receivable where settlement_id = ${settlementId})
      order by l.id for update of l
    ),
    clock as materialized (select business_now() as now),
    due as (
      select r.id, ${dueAt} as at
      from receivable r join line l on l.id = r.line_id, clock
      where r.settlement_id = ${settlementId} and r.awaits_insurance <> ${awaits}::boolean
      order by r.id for update of r
    ),
    changed as (
    update receivable set awaits_insurance = ${awaits}::boolean,
      due_at = case when ${awaits}::boolean then receivable.due_at
        else greatest(receivable.due_at, due.at) end,
      overdue_at = case when ${awaits}::boolean then receivable.overdue_at end
    from due where receivable.id = due.id
    ),
    -- The next instalment of a plan is due when its receivable is.
    planned as (
      update instalment i set due_at = due.at from due
      where not ${awaits}::boolean and i.receivable_id = due.id and i.due_at < due.at
    )
    select id from line where needs_restoring`,
  );
  for (const { id } of lines) await restoreLine(tx, id);
}

/**
 * The rule of a capture (capture-hold.ts), for the line's product as its lender has it now. Never
 * earlier than it was, and as it was if the lender no longer has the product (greatest skips nulls).
 */
const dueAt = sql`(
  select (business_date(clock.now) + (p.data -> 'due' ->> 'days')::int
      + (p.data -> 'due' ->> 'at')::time) at time zone 'Asia/Shanghai'
  from policy p
  where p.kind = 'lenderProduct' and p.name = r.lender and p.data ->> 'product' = l.product
    and p.valid_from <= clock.now
  order by p.valid_from desc, p.version desc limit 1)`;
