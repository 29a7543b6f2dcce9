// Law: work that must follow a fact is a row written with that fact, and no row is ever lost: a
// handler that throws, or a process that dies, leaves the job to be tried again.
import { type SQL, sql } from 'drizzle-orm';
import { atEnd, type Db, rows, type Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { newId } from '../ids.ts';

/** Every kind of work that follows a fact. */
export type JobKind =
  /** Undo the insurer's registration (2201) of a cancelled visit. */
  | 'releaseRegistration'
  /** Admit an inpatient at the insurer (2401), if nobody has yet. */
  | 'admitInpatient'
  /** Make the insurer's record of a stay agree with ours (2402, 2404, 2405). */
  | 'syncStay'
  /** Send money back on the instrument it came from. */
  | 'sendMoneyBack'
  /** Ask the bank what became of a debit. */
  | 'resolveRepayment'
  /** Make sure that a reversed claim stays reversed. */
  | 'confirmReversal'
  /** Tell the score provider of overdue debt, or that it is gone. */
  | 'reportScore'
  /** Hand an approved payout's file to its lender's bank. */
  | 'sendPayoutFile'
  /** Undo a settlement that was left unpaid at the end of a shift. */
  | 'undoUnpaid'
  /** Tell one webhook endpoint of one event. */
  | 'deliverWebhook';

export interface Job {
  id: string;
  kind: JobKind;
  /** What the job is about; at most one live job of a kind for a subject. */
  subjectId: string;
  payload: Record<string, unknown>;
  /** This run counts: 1 at the first. */
  attempts: number;
}

export type JobOutcome =
  | 'done'
  /** `because` is kept as the job's last error. */
  | { retryAfterSeconds: number; because?: string }
  /** Ended without success; the reason stays on the job's row. */
  | { gaveUp: string };

/** Does the work, which may be repeated. Throws: logged and tried again by the back-off table. */
export type JobHandler = (deps: Deps, job: Job) => Promise<JobOutcome>;

export type JobHandlers = Partial<Record<JobKind, JobHandler>>;

/** A crashed worker's job is taken over after this long; a living one renews three times as often. */
const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;
/** After the table's end: every five minutes, for ever. */
const BACK_OFF_SECONDS = [1, 5, 15, 60, 300];
const MAX_ERROR_CHARS = 500;
/** Set when a job is asked for while it runs: what it read may be old, so it runs once more. */
const ASKED_AGAIN = 'askedAgain';

export interface NewJob {
  kind: JobKind;
  subjectId: string;
  payload?: Record<string, unknown>;
  runAt?: Date;
}

/** Asks for work once this transaction has committed. A live job of that kind and subject suffices. */
export async function enqueueJob(tx: Tx, job: NewJob): Promise<void> {
  await rows(tx, jobPart(job));
}

/** `enqueueJob` together with the commit. */
export function enqueueAtEnd(tx: Tx, job: NewJob): void {
  atEnd(tx, jobPart(job));
}

function jobPart(job: NewJob): SQL {
  const payload = JSON.stringify(job.payload ?? {});
  const runAt = job.runAt?.toISOString() ?? null;
  return sql`
    insert into job (id, kind, subject_id, payload, next_attempt_at)
    values (${newId('job')}, ${job.kind}, ${job.subjectId}, ${payload}::jsonb,
            coalesce(${runAt}::timestamptz, clock_timestamp()))
    on conflict (kind, subject_id) where done_at is null
    do update set payload = job.payload || jsonb_build_object(${ASKED_AGAIN}::text, true)`;
}

/** Runs at most `limit` due jobs of the kinds that have a handler; returns how many ran. */
export async function runDueJobs(
  deps: Deps,
  handlers: JobHandlers,
  limit: number,
): Promise<number> {
  const jobs = await leaseDue(deps.db, Object.keys(handlers), limit);
  await Promise.all(jobs.map((job) => runJob(deps, handlers, job)));
  return jobs.length;
}

function leaseDue(db: Db, kinds: string[], limit: number): Promise<Job[]> {
  return leaseJobs(
    db,
    sql`
      select id from job
      where done_at is null and next_attempt_at <= clock_timestamp()
        and kind in (select jsonb_array_elements_text(${JSON.stringify(kinds)}::jsonb))
      order by next_attempt_at limit ${limit}::int
      for update skip locked`,
  );
}

/** Leases the jobs whose ids `due` selects; it must lock their rows and look at them again. */
export async function leaseJobs(db: Db, due: SQL): Promise<Job[]> {
  const leased = await rows<{
    id: string;
    kind: JobKind;
    subject_id: string;
    payload: Record<string, unknown>;
    attempts: number;
  }>(
    db,
    sql`
    with due as (${due})
    update job set attempts = attempts + 1, payload = payload - ${ASKED_AGAIN}::text,
      next_attempt_at = clock_timestamp() + make_interval(secs => ${LEASE_SECONDS}::int)
    from due where job.id = due.id
    returning job.id, job.kind, job.subject_id, job.payload, job.attempts`,
  );
  return leased.map(({ subject_id: subjectId, ...job }) => ({ ...job, subjectId }));
}

/** The driver's own words: drizzle's would repeat the statement with its parameters. */
function briefly(error: unknown): string {
  const deepest = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return String(deepest);
}

/** Runs a leased job, renews its lease meanwhile and keeps its outcome. Never throws. */
export async function runJob(deps: Deps, handlers: JobHandlers, job: Job): Promise<void> {
  const renewing = setInterval(() => {
    postpone(deps.db, job, LEASE_SECONDS, null).catch(() => {});
  }, RENEW_MS);
  renewing.unref();
  try {
    const nobody = { retryAfterSeconds: backOffSeconds(job.attempts) };
    const outcome = (await handlers[job.kind]?.(deps, job)) ?? nobody;
    await keepOutcome(deps.db, job, outcome);
    deps.metrics.countJob(job.kind, nameOf(outcome));
  } catch (error) {
    deps.log.error(
      { err: error, job: job.id, kind: job.kind, attempts: job.attempts },
      'job failed',
    );
    const text = briefly(error).slice(0, MAX_ERROR_CHARS);
    // If even this fails (database away) the lease runs out and the job is due again.
    await postpone(deps.db, job, backOffSeconds(job.attempts), text).catch(() => {});
    deps.metrics.countJob(job.kind, 'retry');
  } finally {
    clearInterval(renewing);
  }
}

/** As it is counted. */
function nameOf(outcome: JobOutcome): 'done' | 'retry' | 'failed' {
  if (outcome === 'done') return 'done';
  return 'gaveUp' in outcome ? 'failed' : 'retry';
}

/** Seconds until the next try after `attempts` tries. */
export function backOffSeconds(attempts: number): number {
  return BACK_OFF_SECONDS[Math.min(attempts, BACK_OFF_SECONDS.length) - 1] ?? 1;
}

async function keepOutcome(db: Db, job: Job, outcome: JobOutcome): Promise<void> {
  if (outcome === 'done') await finish(db, job, null);
  else if ('gaveUp' in outcome) await finish(db, job, outcome.gaveUp);
  else await postpone(db, job, outcome.retryAfterSeconds, outcome.because ?? null);
}

async function finish(db: Db, job: Job, lastError: string | null): Promise<void> {
  await rows(
    db,
    sql`
    update job set last_error = ${lastError}::text,
      done_at = case when payload ? ${ASKED_AGAIN}::text then null else clock_timestamp() end,
      next_attempt_at = clock_timestamp()
    where id = ${job.id} and done_at is null`,
  );
}

async function postpone(
  db: Db,
  job: Job,
  seconds: number,
  lastError: string | null,
): Promise<void> {
  await rows(
    db,
    sql`
    update job set next_attempt_at = clock_timestamp() + make_interval(secs => ${seconds}::float8),
      last_error = coalesce(${lastError}::text, last_error)
    where id = ${job.id} and done_at is null`,
  );
}
