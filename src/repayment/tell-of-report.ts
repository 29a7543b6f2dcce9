// Law: the person is told before any report and may object; a report is of receivables that were overdue
// one after another, by their due times, and one report of a line is under way at most.
import { sql } from 'drizzle-orm';
import type { CollectionRule } from '../credit/policy.ts';
import { rows, type Tx } from '../db/db.ts';
import { newId } from '../ids.ts';
import { recordEvent } from '../outbox/events.ts';

/** Tells of a report if the line's newest due receivables were all overdue. The line is locked. */
export async function tellOfReport(tx: Tx, lineId: string, rule: CollectionRule): Promise<void> {
  const id = newId('scoreReport');
  const [told] = await rows<{ citizen_id: string; told_at: string }>(
    tx,
    sql`
    with clock as materialized (select business_now() as now),
    newest as (
      select r.id, r.citizen_id, r.due_at, r.overdue_at is not null as was_overdue,
        r.amount > r.paid + r.reduced + r.written_off as is_owed
      from receivable r, clock
      where r.line_id = ${lineId} and r.due_at < clock.now and not r.awaits_insurance
        and r.amount > r.reduced
      order by r.due_at desc, r.id desc limit ${rule.reportAfter}::int
    ),
    row_of_them as (
      select jsonb_agg(id order by due_at, id) as ids, min(citizen_id) as citizen_id
      from newest
      having count(*) = ${rule.reportAfter}::int and bool_and(was_overdue) and bool_or(is_owed)
        -- What was told of once is not counted again.
        and not exists (select 1 from score_report s join newest n on s.receivable_ids ? n.id
          where s.line_id = ${lineId})
    )
    insert into score_report
      (id, line_id, citizen_id, status, receivable_ids, told_at, send_after)
    select ${id}, ${lineId}, n.citizen_id, 'told', n.ids, clock.now,
      clock.now + make_interval(days => ${rule.objectDays}::int)
    from row_of_them n, clock
    on conflict do nothing
    returning citizen_id, told_at`,
  );
  if (!told) return;
  await recordEvent(tx, {
    type: 'scoreReport.told',
    citizenId: told.citizen_id,
    data: { scoreReportId: id },
    occurredAt: new Date(told.told_at),
  });
}
