// Law: a report leaves only after its time to object, while its debts are still overdue; the provider is
// told with the report's own serial until it says taken, and of its end likewise.
import { eq, sql } from 'drizzle-orm';
import { reviewReports } from '../credit/restore-line.ts';
import { businessNow, rows, type Tx, transact } from '../db/db.ts';
import { scoreReport } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { readCitizen } from '../identity/people.ts';
import type { Fen } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { enqueueJob, type JobHandler } from '../outbox/jobs.ts';

const BATCH = 20;
const MAX_WAIT_SECONDS = 300;

type ReportRow = typeof scoreReport.$inferSelect;

/** True while every debt of report `s` was overdue, none awaits insurance, something is owed and the person lives. */
const isRight = sql`(
  select bool_and(r.overdue_at is not null and not r.awaits_insurance)
    and bool_or(r.amount > r.paid + r.reduced)
    and not exists (
      select 1 from credit_line l where l.id = s.line_id and l.frozen_for = 'death')
  from receivable r where r.id in (select jsonb_array_elements_text(s.receivable_ids)))`;

/** Begins the reports whose time to object is over; returns how many. */
export async function sendReportsDue(deps: Deps): Promise<number> {
  return transact(deps.db, async (tx) => {
    const begun = await rows<{ id: string }>(
      tx,
      sql`
      update score_report set status = 'reporting'
      where id in (
        select s.id from score_report s
        where s.status = 'told' and s.send_after <= business_now() and ${isRight}
        order by s.send_after limit ${BATCH}::int for update skip locked)
      returning id`,
    );
    for (const { id } of begun) await enqueueJob(tx, { kind: 'reportScore', subjectId: id });
    return begun.length;
  });
}

/** The handler of the job `reportScore`; its subject is the report. */
export const reportScore: JobHandler = async (deps, job) => {
  // What was never sent may still be dropped; a second try may be of one that arrived.
  if (job.attempts === 1) await transact(deps.db, (tx) => dropIfWrong(tx, job.subjectId));
  const [row] = await deps.db.select().from(scoreReport).where(eq(scoreReport.id, job.subjectId));
  if (row?.status !== 'reporting' && row?.status !== 'withdrawing') return 'done';
  const isSending = row.status === 'reporting';
  const answer = isSending
    ? await send(deps, row)
    : await deps.scores.endReport(row.id, row.reason === 'repaid' ? 'repaid' : 'erased');
  if (answer === 'unknown') {
    return { retryAfterSeconds: Math.min(MAX_WAIT_SECONDS, 2 ** Math.min(job.attempts, 8)) };
  }
  await transact(deps.db, (tx) => (isSending ? markSent(tx, row) : markEnded(tx, row)));
  return 'done';
};

async function dropIfWrong(tx: Tx, reportId: string): Promise<void> {
  await tx.execute(sql`
    update score_report s set status = 'dropped', reason = 'repaid'
    where s.id = ${reportId} and s.status = 'reporting' and not ${isRight}`);
}

async function send(deps: Deps, row: ReportRow) {
  const { name, idNumber } = await readCitizen(deps.db, deps.keyring, row.citizenId);
  const debts = await rows<{ amount: Fen; due_at: string }>(
    deps.db,
    sql`
    select r.amount - r.reduced as amount, r.due_at from receivable r
    where r.id in (select jsonb_array_elements_text(${JSON.stringify(row.receivableIds)}::jsonb))
    order by r.due_at, r.id`,
  );
  return deps.scores.report({
    serial: row.id,
    person: { name, idNumber },
    debts: debts.map(({ amount, due_at }) => ({ amount, dueAt: new Date(due_at) })),
  });
}

async function markSent(tx: Tx, row: ReportRow): Promise<void> {
  await rows(tx, sql`select 1 from credit_line where id = ${row.lineId} for update`);
  const now = await businessNow(tx);
  await move(tx, row, { from: 'reporting', to: 'reported', at: { reportedAt: now } });
  // What went away while it was being sent is taken back at once.
  await reviewReports(tx, row.lineId);
}

async function markEnded(tx: Tx, row: ReportRow): Promise<void> {
  const now = await businessNow(tx);
  await move(tx, row, { from: 'withdrawing', to: 'withdrawn', at: { withdrawnAt: now } });
}

async function move(
  tx: Tx,
  row: ReportRow,
  step: { from: string; to: 'reported' | 'withdrawn'; at: Partial<ReportRow> },
): Promise<void> {
  const moved = await tx
    .update(scoreReport)
    .set({ status: step.to, ...step.at })
    .where(sql`id = ${row.id} and status = ${step.from}`)
    .returning();
  if (moved.length === 0) return;
  await recordEvent(tx, {
    type: step.to === 'reported' ? 'scoreReport.sent' : 'scoreReport.ended',
    citizenId: row.citizenId,
    data: { scoreReportId: row.id },
    occurredAt: await businessNow(tx),
  });
}
