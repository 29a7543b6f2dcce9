// Law: where the hospital's policy says so, a settlement left unpaid at the end of its shift is undone
// whole (2208) on the same road as any refund; one that was paid meanwhile is left alone.
import { eq } from 'drizzle-orm';
import { settlement } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { JobHandler, JobOutcome } from '../outbox/jobs.ts';
import { refundSettlement } from '../settlement/refund-settlement.ts';

/** A counter, a conversion or the insurer is at it, or away: soon again. Real time. */
const AGAIN_SECONDS = 15;

/** Job: subject is the settlement; payload {shiftId, hospitalCode}. */
export const undoUnpaid: JobHandler = async (deps, job): Promise<JobOutcome> => {
  const [row] = await deps.db.select().from(settlement).where(eq(settlement.id, job.subjectId));
  if (row?.status !== 'awaitingPayment') return 'done';
  const { hospitalCode, terminalId } = row;
  try {
    await refundSettlement({
      deps,
      key: null,
      terminal: { kind: 'terminal', client: 'worker', terminalId: terminalId ?? '', hospitalCode },
      settlementId: row.id,
      request: { all: true, reason: '班次结束未收款 unpaid at the end of the shift' },
      isUnpaidOnly: true,
    });
    return 'done';
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'settlement/nothing-due') return 'done';
    const isPassing = error.status === 503 || error.code === 'settlement/busy';
    if (isPassing || error.code === 'visit/settling') {
      return { retryAfterSeconds: AGAIN_SECONDS, because: error.code };
    }
    return { gaveUp: error.code };
  }
};
