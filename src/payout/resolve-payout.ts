// Law: who proposed a payout never approves it. Approved, its file goes to the lender's bank; declined,
// its legs wait for another payout.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { payout } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { freeLegs, lockPayout, type PayoutRow } from './payout-store.ts';

/** Refuses with resource/not-found, finance/same-person, payout/wrong-state. */
export async function resolvePayout(
  tx: Tx,
  checker: CallerOf<'staff'>,
  order: { payoutId: string; decision: 'approved' | 'declined' },
): Promise<PayoutRow> {
  const row = await lockPayout(tx, checker, order.payoutId);
  if (row.maker === checker.client) throw new Refusal('finance/same-person');
  if (row.status !== 'proposed') throw new Refusal('payout/wrong-state', { detail: row.status });
  const [saved] = await tx
    .update(payout)
    .set({
      status: order.decision,
      checker: checker.client,
      ...(order.decision === 'approved' ? { approvedAt: await businessNow(tx) } : {}),
    })
    .where(eq(payout.id, row.id))
    .returning();
  assert(saved, 'the locked payout is there');
  if (order.decision === 'approved') {
    await enqueueJob(tx, { kind: 'sendPayoutFile', subjectId: row.id });
  } else await freeLegs(tx, row.id);
  return saved;
}
