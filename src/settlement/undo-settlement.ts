// Takes a settlement back before it was booked: the visit is open again, its key free or refused.
import { eq } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { chargeBatch, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { endKey } from '../http/idempotency.ts';
import { closeCancelled } from '../visit/cancel-visit.ts';
import { lockVisit } from '../visit/visit-store.ts';
import type { ClaimResult } from './claim-run.ts';
import { endIntent, type Intent } from './intent-store.ts';
import { keepLearnt } from './keep-learnt.ts';
import type { SettlementOrder } from './settlement-order.ts';
import { freeReferences } from './settlement-store.ts';

/** 409 in-flight when somebody else took the run over. A one-scan's visit is cancelled with it. */
export async function undoSettlement(
  tx: Tx,
  deps: Deps,
  intent: Intent,
  why: { claim: ClaimResult | { outcome: 'skipped' } | null; refusal: Refusal | null },
): Promise<void> {
  const order = intent.order as SettlementOrder;
  const row = await lockVisit(tx, intent.visitId, order.hospitalCode);
  if (!(await endIntent(tx, intent, 'undone'))) {
    throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  }
  if (why.claim) await keepLearnt(tx, deps, row.id, why.claim);
  await freeReferences(tx, order.settlementId);
  await tx
    .update(chargeBatch)
    .set({ settlementId: null })
    .where(eq(chargeBatch.settlementId, order.settlementId));
  if (intent.kind === 'oneScan') await closeCancelled(tx, row);
  else await tx.update(visit).set({ status: 'open' }).where(eq(visit.id, row.id));
  if (intent.key) await endKey(tx, intent.key, why.refusal);
}
