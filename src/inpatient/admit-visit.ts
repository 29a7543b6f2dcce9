// Admits an inpatient at the insurer (2401): at once when the visit is opened, else by a job, else by
// the first preview or settlement. Law: an insurer that is away never refuses an admission, and a 2401
// of unknown fate is looked up before another is sent (settlement/register-visit.ts).
import { eq } from 'drizzle-orm';
import { transact } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { JobHandler } from '../outbox/jobs.ts';
import { readUnsettledBill } from '../settlement/bill.ts';
import { registerBill } from '../settlement/claim-bill.ts';
import {
  beginIntent,
  endIntent,
  type Intent,
  refuseWhileAtCounter,
} from '../settlement/intent-store.ts';
import { keepLearnt } from '../settlement/keep-learnt.ts';
import { lockVisit, type VisitRow } from '../visit/visit-store.ts';

const BUDGET_MS = 8_000;
/** The opening tries at once; the job is for what came of nothing. */
const RETRY_SECONDS = [10, 30, 60, 300];
/** A stay of a month, looked at every five minutes. */
const MAX_ATTEMPTS = 10_000;

/** At most until `deadlineAt` (real time, ms). Never refuses: whatever happens, a job comes back to it. */
export async function admitAtOnce(
  deps: Deps,
  row: Pick<VisitRow, 'id' | 'hospitalCode'>,
  deadlineAt: number,
): Promise<void> {
  await admit(deps, row, deadlineAt).catch((err) =>
    deps.log.warn({ err, visitId: row.id }, 'an admission is left to its job'),
  );
}

/** The handler of the job `admitInpatient`; its subject is the visit. */
export const admitInpatient: JobHandler = async (deps, job) => {
  const [row] = await deps.db.select().from(visit).where(eq(visit.id, job.subjectId));
  if (!row || job.attempts > MAX_ATTEMPTS) return 'done';
  const isAdmitted = await admit(deps, row, deps.realNow().getTime() + BUDGET_MS).catch(
    (error: unknown) => {
      // Somebody is at the counter with it: they register it themselves.
      if (error instanceof Refusal) return false;
      throw error;
    },
  );
  const step = Math.min(job.attempts, RETRY_SECONDS.length) - 1;
  return isAdmitted ? 'done' : { retryAfterSeconds: RETRY_SECONDS[step] ?? 300 };
};

/** True when nothing is left to do. */
async function admit(
  deps: Deps,
  { id, hospitalCode }: Pick<VisitRow, 'id' | 'hospitalCode'>,
  deadlineAt: number,
): Promise<boolean> {
  const held = await transact(deps.db, async (tx) => {
    const row = await lockVisit(tx, id, hospitalCode);
    if (isSettledQuestion(row)) return null;
    await refuseWhileAtCounter(tx, id);
    const about = { visitId: id, settlementId: null, key: null };
    return beginIntent(tx, deps.keyring, { kind: 'preview', ...about, order: { admits: id } });
  });
  return held ? register(deps, held, deadlineAt) : true;
}

/** Admitted already, over, or of somebody whom the insurer does not insure. */
function isSettledQuestion(row: VisitRow): boolean {
  const { status } = row.insured as { status: string };
  const isInsured = row.citizenId !== null && status !== 'none' && status !== 'paused';
  return row.status === 'cancelled' || row.mdtrtId !== null || !isInsured || isOver(row);
}

/** Settled without the insurer: if it is claimed after all, the conversion registers for itself. */
const isOver = (row: VisitRow) => row.status === 'settled' && row.dischargedAt !== null;

async function register(deps: Deps, held: Intent, deadlineAt: number): Promise<boolean> {
  const bill = await readUnsettledBill(deps, held.visitId, []);
  const result = await registerBill(deps, {
    held,
    bill,
    isPreview: true,
    isFresh: false,
    isResumed: false,
    isNewVisit: false,
    deadlineAt,
    // The trial of a half-open breaker is for who can go all the way to a settlement.
    trialToken: null,
  });
  await transact(deps.db, async (tx) => {
    await lockVisit(tx, held.visitId, bill.visit.hospitalCode);
    if (await endIntent(tx, held, 'finished')) await keepLearnt(tx, deps, held.visitId, result);
  });
  const isRefused = result.outcome === 'notInsured' || result.outcome === 'rejected';
  return result.mdtrtId !== null || isRefused;
}
