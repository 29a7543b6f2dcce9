// The work that nobody waits for: jobs, holds that expire, orphaned settlements, debits of unknown
// fate. Each chore has a loop of its own, so a slow or failing one never stops the others.

import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { lookAtDays } from './business-day/look-at-days.ts';
import { confirmAtDayEnd } from './conversion/confirm-at-day-end.ts';
import { confirmReversal } from './conversion/confirm-reversal.ts';
import { convertDue } from './conversion/convert-due.ts';
import { resumeConversions } from './conversion/resume-conversions.ts';
import { expireHolds } from './credit/expire-holds.ts';
import type { Deps } from './deps.ts';
import { endAgedLinks } from './family/end-aged-links.ts';
import { admitInpatient } from './inpatient/admit-visit.ts';
import { findLateRefunds } from './inpatient/late-refunds.ts';
import { syncStay } from './inpatient/sync-stay.ts';
import { type JobHandlers, runDueJobs } from './outbox/jobs.ts';
import { deleteExpired } from './outbox/retention.ts';
import { makeWebhookQueue } from './outbox/webhook-queue.ts';
import { sendPayoutFile } from './payout/send-payout-file.ts';
import { lookAfterDebt } from './repayment/look-after-debt.ts';
import { reportScore, sendReportsDue } from './repayment/report-score.ts';
import { resolveRepayments } from './repayment/resolve-repayments.ts';
import { releaseRegistration } from './settlement/release-registration.ts';
import { resumeIntents } from './settlement/resume-intents.ts';
import { sendMoneyBack } from './settlement/send-money-back.ts';
import { undoUnpaid } from './shift/undo-unpaid.ts';
import { expireConfirmations } from './visit/expire-confirmations.ts';

const handlers: JobHandlers = {
  admitInpatient,
  confirmReversal,
  releaseRegistration,
  reportScore,
  sendMoneyBack,
  sendPayoutFile,
  syncStay,
  undoUnpaid,
};

export interface Chore {
  name: string;
  everyMs: number;
  /** Goes on at once as long as it finds anything to do. */
  isGreedy?: boolean;
  /** Returns how much was done; as much as `BATCH` means that more may be waiting. */
  run(deps: Deps): Promise<unknown>;
  /** Waits for what `run` started and did not wait for. */
  finish?(): Promise<void>;
}

/** Short enough that nobody notices the wait, long enough that an idle city costs nothing. */
const POLL_MS = 500;
/** Days count, not minutes; in a sandbox the clock jumps and somebody looks. */
const LATE_MS = 10_000;
/** Due times are minutes apart; in a sandbox the clock jumps and somebody looks. */
const DEBT_MS = 2_000;
const REPORT_MS = 5_000;
const CLEAN_MS = 3_600_000;
/** What waits for the end of a business day may begin so long after midnight. */
const DAY_END_LOOK_MS = 20_000;
/** The check at answering decides; nobody waits for the row to be tidied up. */
const CONFIRMATION_MS = 5_000;
const BATCH = 20;
/** While the database is away, ask less often. */
const MAX_FAILURE_DELAY_MS = 5_000;

const chores = (): readonly Chore[] => [
  { name: 'jobs', everyMs: POLL_MS, run: (deps) => runDueJobs(deps, handlers, BATCH) },
  { name: 'holds', everyMs: POLL_MS, run: (deps) => expireHolds(deps.db, BATCH) },
  { name: 'family links', everyMs: POLL_MS, run: (deps) => endAgedLinks(deps.db, BATCH) },
  {
    name: 'confirmations',
    everyMs: CONFIRMATION_MS,
    run: (deps) => expireConfirmations(deps.db, BATCH),
  },
  { name: 'intents', everyMs: POLL_MS, run: resumeIntents },
  { name: 'conversions', everyMs: POLL_MS, run: convertDue, isGreedy: true },
  { name: 'orphaned conversions', everyMs: POLL_MS, run: resumeConversions },
  { name: 'late refunds', everyMs: LATE_MS, run: findLateRefunds },
  { name: 'repayments', everyMs: POLL_MS, run: resolveRepayments },
  { name: 'debts', everyMs: DEBT_MS, run: lookAfterDebt, isGreedy: true },
  { name: 'score reports', everyMs: REPORT_MS, run: sendReportsDue, isGreedy: true },
  { name: 'business days', everyMs: DAY_END_LOOK_MS, run: (deps) => lookAtDays(deps, BATCH) },
  { name: 'day end', everyMs: DAY_END_LOOK_MS, run: confirmAtDayEnd },
  { name: 'webhooks', everyMs: POLL_MS, isGreedy: true, ...makeWebhookQueue() },
  { name: 'cleaning', everyMs: CLEAN_MS, run: deleteExpired, isGreedy: true },
];

export interface Worker {
  /** Takes nothing new and waits until what is held is finished. */
  stop(): Promise<void>;
}

/** Starts all chores; they go on until `stop`. */
export function startWorker(deps: Deps, doing = chores()): Worker {
  const stopping = new AbortController();
  setMaxListeners(doing.length + 1, stopping.signal);
  const loops = doing.map((chore) => keepDoing(deps, chore, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      await Promise.all(doing.map((chore) => chore.finish?.()));
    },
  };
}

/** Every chore once, for tests. Throws what they threw. */
export async function runWorkerOnce(deps: Deps): Promise<void> {
  const done = await Promise.allSettled(
    chores().map(async (chore) => {
      await chore.run(deps);
      await chore.finish?.();
    }),
  );
  const failures = done.flatMap((d) => (d.status === 'rejected' ? [d.reason] : []));
  if (failures.length > 0) throw new AggregateError(failures, String(failures[0]));
}

async function keepDoing(deps: Deps, chore: Chore, signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let waitMs = chore.everyMs * jitter();
    try {
      const done = await chore.run(deps);
      if (chore.isGreedy ? done !== 0 : done === BATCH) waitMs = 0;
      failures = 0;
    } catch (error) {
      failures += 1;
      waitMs = Math.min(POLL_MS * 2 ** failures, MAX_FAILURE_DELAY_MS);
      deps.log.error({ err: error, chore: chore.name, failures }, 'worker chore failed');
    }
    await delay(waitMs, undefined, { signal }).catch(() => {});
  }
}

/** Between 0.75 and 1.25, so that many processes do not ask in step. */
function jitter(): number {
  return 0.75 + Math.random() / 2;
}
