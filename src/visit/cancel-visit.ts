// Cancels an unsettled visit: the hold is voided and the payer no longer asked at once, the insurer's registration undone by a job.
import { and, eq } from 'drizzle-orm';
import { voidHold } from '../credit/set-hold.ts';
import type { Tx } from '../db/db.ts';
import { intent, visit } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { dropConfirmation } from './confirmation-store.ts';
import { batchesOf, lockVisit, type VisitRow } from './visit-store.ts';

/** 409 visit/settling while it settles, visit/already-settled once anything is; again: no change. */
export async function cancelVisit(
  tx: Tx,
  hospitalCode: string,
  visitId: string,
): Promise<VisitRow> {
  const row = await lockVisit(tx, visitId, hospitalCode);
  if (row.status === 'settling') throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  if (row.status === 'cancelled') return row;
  const [running] = await tx
    .select({ id: intent.id })
    .from(intent)
    .where(and(eq(intent.visitId, visitId), eq(intent.status, 'running')));
  if (running) throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  const batches = await batchesOf(tx, visitId);
  if (batches.some((batch) => batch.settlementId)) throw new Refusal('visit/already-settled');
  return closeCancelled(tx, row);
}

/** Marks a locked, unsettled visit cancelled; its number is free again, its payer asked no more. */
export async function closeCancelled(tx: Tx, row: VisitRow): Promise<VisitRow> {
  await dropConfirmation(tx, row.id);
  await voidHold(tx, row.id);
  await enqueueJob(tx, { kind: 'releaseRegistration', subjectId: row.id });
  await tx
    .update(visit)
    .set({ status: 'cancelled', version: row.version + 1 })
    .where(eq(visit.id, row.id));
  return { ...row, status: 'cancelled' };
}
