// Law: what is unpaid at its due time is overdue; after the policy's days the line is suspended, so also for
// the family; the third in a row is told to be reported. Each once, however often a worker looks; what
// awaits insurance is never overdue (domain.md, Repayment).
import { sql } from 'drizzle-orm';
import { dueOf } from '../credit/instalments.ts';
import { type CollectionRule, readCollectionRule } from '../credit/policy.ts';
import { businessNow, type Db, rows, type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { type Fen, formatYuan } from '../money.ts';
import { recordEvent, recordEvents } from '../outbox/events.ts';
import { tellOfReport } from './tell-of-report.ts';

const BATCH = 20;
/** The debit of the due time itself comes first. */
const GRACE_SECONDS = 120;

const isOwed = sql`r.amount > r.paid + r.reduced + r.written_off and not r.awaits_insurance`;
const isAlive = sql`l.status <> 'closed' and l.frozen_for is distinct from 'death'`;

/** A receivable that has just become overdue: past its due time, with no debit under way. */
const isNewlyOverdue = sql`${isOwed} and r.overdue_at is null
  and r.due_at < clock.now - make_interval(secs => ${GRACE_SECONDS}::int)
  and not exists (
    select 1 from repayment_allocation a where a.receivable_id = r.id and a.is_open)`;

const clock = sql`(select business_now() as now offset 0) clock`;

/** Returns how many lines were looked after. */
export async function lookAfterOverdue(deps: Deps): Promise<number> {
  const rule = await readCollectionRule(deps.db);
  let done = 0;
  for (const lineId of await linesNewlyOverdue(deps.db)) {
    done += await transact(deps.db, (tx) => markOverdue(tx, lineId, rule));
  }
  for (const lineId of await linesToSuspend(deps.db, rule)) {
    done += await transact(deps.db, (tx) => suspend(tx, lineId, rule));
  }
  return done;
}

async function linesNewlyOverdue(db: Db): Promise<string[]> {
  const found = await rows<{ line_id: string }>(
    db,
    sql`
    select distinct r.line_id from ${clock} cross join receivable r
      join credit_line l on l.id = r.line_id
    where ${isNewlyOverdue} and ${isAlive} limit ${BATCH}::int`,
  );
  return found.map((row) => row.line_id);
}

async function linesToSuspend(db: Db, rule: CollectionRule): Promise<string[]> {
  const found = await rows<{ line_id: string }>(
    db,
    sql`
    select distinct r.line_id from ${clock} cross join receivable r
      join credit_line l on l.id = r.line_id
    where ${isLongOverdue(rule)} and l.suspended_for is null and ${isAlive} limit ${BATCH}::int`,
  );
  return found.map((row) => row.line_id);
}

const isLongOverdue = (rule: CollectionRule) => sql`${isOwed} and r.overdue_at is not null
  and r.due_at <= clock.now - make_interval(days => ${rule.suspendAfterDays}::int)`;

const lockLine = (tx: Tx, lineId: string) =>
  rows(tx, sql`select 1 from credit_line where id = ${lineId} for update`);

async function markOverdue(tx: Tx, lineId: string, rule: CollectionRule): Promise<number> {
  await lockLine(tx, lineId);
  const marked = await rows<{ id: string; citizen_id: string; owed: Fen; at: string }>(
    tx,
    sql`
    with late as materialized (
      select r.id, clock.now from ${clock} cross join receivable r
      where r.line_id = ${lineId} and ${isNewlyOverdue} order by r.id for update of r
    ),
    marked as (
      update receivable r set overdue_at = r.due_at from late where r.id = late.id
      returning r.id, r.citizen_id, ${dueOf(sql`late.now`)} as owed, r.due_at, late.now as at
    ),
    noted as (
      insert into dunning_step (receivable_id, due_at, step, at)
      select id, due_at, 'overdue', at from marked on conflict do nothing
    )
    select id, citizen_id, owed, at from marked order by id`,
  );
  if (marked.length === 0) return 0;
  await recordEvents(
    tx,
    marked.map((row) => ({
      type: 'receivable.overdue',
      citizenId: row.citizen_id,
      data: { receivableId: row.id, amount: formatYuan(row.owed) },
      occurredAt: new Date(row.at),
    })),
  );
  await tellOfReport(tx, lineId, rule);
  return 1;
}

async function suspend(tx: Tx, lineId: string, rule: CollectionRule): Promise<number> {
  await lockLine(tx, lineId);
  const [suspended] = await rows<{ citizen_id: string }>(
    tx,
    sql`
    with late as materialized (
      select r.id, r.due_at, clock.now from ${clock} cross join receivable r
      where r.line_id = ${lineId} and ${isLongOverdue(rule)}
    ),
    noted as (
      insert into dunning_step (receivable_id, due_at, step, at)
      select id, due_at, 'suspended', now from late on conflict do nothing
    )
    update credit_line l set status = 'suspended', suspended_for = 'overdue'
    where l.id = ${lineId} and l.suspended_for is null and ${isAlive} and exists (select 1 from late)
    returning l.citizen_id`,
  );
  if (!suspended) return 0;
  await recordEvent(tx, {
    type: 'line.suspended',
    citizenId: suspended.citizen_id,
    data: { lineId, reason: 'overdue' },
    occurredAt: await businessNow(tx),
  });
  return 1;
}
