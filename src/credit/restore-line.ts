// Law: a line that was suspended for overdue debt lends again once nothing is overdue any more, however
// the debt went away; a report of that debt is dropped, taken back or cleared with it (domain.md,
// Repayment). A freeze by the lender is the lender's alone to lift.
import { sql } from 'drizzle-orm';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { recordEvent } from '../outbox/events.ts';
import { enqueueJob } from '../outbox/jobs.ts';

/** True where somebody must look after debt of line `l` went away: the common line costs nothing more. */
export const needsRestoring = sql`(l.suspended_for is not null or exists (
  select 1 from score_report s
  where s.line_id = l.id and s.status in ('told','objected','reporting','reported')))`;

/** Repeating it changes nothing. The caller holds the line's lock and has changed its receivables. */
export async function restoreLine(tx: Tx, lineId: string): Promise<void> {
  const [restored] = await rows<{ citizen_id: string; status: string }>(
    tx,
    sql`
    update credit_line l set suspended_for = null,
      status = case when l.frozen_for is null then 'active' else 'suspended' end
    where l.id = ${lineId} and l.status <> 'closed' and l.suspended_for = 'overdue'
      and not exists (
        select 1 from receivable r
        where r.line_id = l.id and r.amount > r.paid + r.reduced + r.written_off
          and not r.awaits_insurance and r.due_at < business_now())
    returning l.citizen_id, l.status`,
  );
  if (restored?.status === 'active') {
    await recordEvent(tx, {
      type: 'line.restored',
      citizenId: restored.citizen_id,
      data: { lineId },
      occurredAt: await businessNow(tx),
    });
  }
  await reviewReports(tx, lineId);
}

interface ReviewedRow {
  id: string;
  status: string;
}

/**
 * A report whose debts are all repaid is cleared; one of which a debt was erased, or fell due anew, was
 * never three in a row and is taken back. Not told yet to the provider: dropped. The provider is told by
 * the job `reportScore`; a report that is just being sent is looked at again once it has arrived.
 */
export async function reviewReports(tx: Tx, lineId: string): Promise<void> {
  const changed = await rows<ReviewedRow>(
    tx,
    sql`
    with report as materialized (
      select s.id, s.status, s.receivable_ids from score_report s
      where s.line_id = ${lineId} and s.status in ('told','objected','reported')
      order by s.id for update of s
    ),
    seen as (
      select s.id, s.status, bool_or(r.overdue_at is null) as is_erased,
        bool_and(r.amount = r.paid + r.reduced) as is_repaid
      from report s join receivable r
        on r.id in (select jsonb_array_elements_text(s.receivable_ids))
      group by s.id, s.status
    )
    update score_report set
      status = case when seen.status = 'reported' then 'withdrawing' else 'dropped' end,
      reason = case when seen.is_erased then 'erased' else 'repaid' end
    from seen where score_report.id = seen.id and (seen.is_erased or seen.is_repaid)
    returning score_report.id, score_report.status`,
  );
  for (const { id, status } of changed) {
    if (status === 'withdrawing') await enqueueJob(tx, { kind: 'reportScore', subjectId: id });
  }
}
