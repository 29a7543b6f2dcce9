// Refunds a settlement, whole or by line. The insurer knows only full cancel (2208) and claiming the
// rest anew: the new claim is previewed first; after 2208 the run only goes forward.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx, transact } from '../db/db.ts';
import { refund } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert, type ProblemCode, Refusal } from '../errors.ts';
import {
  endKey,
  finishRunningKey,
  leaseKey,
  type RequestKey,
  takeKey,
} from '../http/idempotency.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { newId } from '../ids.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import { lockVisit } from '../visit/visit-store.ts';
import { billWithout, readBill } from './bill.ts';
import { bookRefund } from './book-refund.ts';
import {
  beginIntent,
  endIntent,
  type Intent,
  LEASE_SECONDS,
  parkIntent,
  refuseWhileBusy,
  takeOverOwn,
} from './intent-store.ts';
import { type Reclaimed, reclaim } from './reclaim.ts';
import { decideRefund, linesLeft, refundTotal } from './refund-lines.ts';
import { openRefundCase, type RefundOrder } from './refund-order.ts';
import { refundView } from './refund-store.ts';
import type { RefundRequest } from './schemas.ts';
import { findSettlement, liveClaim, lockSettlement } from './settlement-store.ts';
import { HOURLY_SECONDS, isUnknownTooLong, UNKNOWN_TOO_LONG } from './unknown-too-long.ts';

export interface RefundCall {
  deps: Deps;
  key: RequestKey | null;
  terminal: CallerOf<'terminal'>;
  settlementId: string;
  request: RefundRequest;
  /** Only while something is due at the counter: a shift's end undoes what nobody paid. */
  isUnpaidOnly?: boolean;
}

/** A refund that waits for the insurer is looked at again after this long. */
const RETRY_SECONDS = 15;

/** The use case behind POST /v1/settlements/{id}/refunds. */
export async function refundSettlement(call: RefundCall): Promise<Reply> {
  const begun = await transact(call.deps.db, (tx) => beginRefund(tx, call));
  return 'status' in begun ? begun : runRefund(call.deps, begun);
}

/** Transaction A: every refusal that needs no insurer happens here. */
async function beginRefund(tx: Tx, call: RefundCall): Promise<Reply | Intent> {
  const { deps, key, terminal, request, settlementId } = call;
  const stored = key && (await takeKey(tx, key));
  if (stored) return stored;
  const found = await findSettlement(tx, settlementId, terminal.hospitalCode);
  if (!found) throw new Refusal('resource/not-found');
  const visit = await lockVisit(tx, found.visitId, terminal.hospitalCode);
  const own = await takeOverOwn(tx, deps.keyring, key);
  if (own) {
    if (key) await leaseKey(tx, key, LEASE_SECONDS);
    return own;
  }
  if (visit.status === 'settling') throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  const row = await lockSettlement(tx, settlementId, terminal.hospitalCode);
  await refuseWhileBusy(tx, row.id);
  if (call.isUnpaidOnly && row.status !== 'awaitingPayment') {
    throw new Refusal('settlement/nothing-due');
  }
  const all = await linesLeft(tx, row.visitId, row.id);
  const lines = decideRefund(all, request);
  const amount = refundTotal(lines);
  const order: RefundOrder = {
    refundId: newId('refund'),
    settlementId: row.id,
    hospitalCode: row.hospitalCode,
    lines,
    amount: amount.toString(),
    isWhole: amount === row.refundable,
    reason: request.reason,
  };
  await tx.insert(refund).values({
    id: order.refundId,
    settlementId: row.id,
    status: 'processing',
    amount,
    lines,
    reason: request.reason,
    createdAt: await businessNow(tx),
  });
  if (key) await leaseKey(tx, key, LEASE_SECONDS);
  const kind = 'refund' as const;
  return beginIntent(tx, deps.keyring, {
    kind,
    visitId: row.visitId,
    settlementId: row.id,
    key,
    order,
  });
}

/** From the intent on; also the road after a crash. */
export async function runRefund(deps: Deps, intent: Intent): Promise<Reply> {
  const order = intent.order as RefundOrder;
  const bill = await readBill(deps, intent.visitId, order.settlementId);
  const oldClaim = await liveClaim(deps.db, order.settlementId);
  const left = new Map(
    order.lines.map((l) => [
      l.lineNumber,
      { leftQuantity: l.leftQuantity, leftAmount: BigInt(l.leftAmount) },
    ]),
  );
  const result: Reclaimed = oldClaim
    ? await reclaim(deps, intent, { bill: billWithout(bill, left), oldClaim })
    : { outcome: 'selfPay' };
  switch (result.outcome) {
    case 'selfPay':
    case 'reversed':
    case 'reclaimed':
    case 'restSelfPay':
      return transact(deps.db, (tx) => bookRefund(tx, deps, intent, result));
    case 'refused': {
      const refusal = new Refusal(result.code, { detail: result.reason, retryAfterSeconds: 5 });
      await transact(deps.db, (tx) => failRefund(tx, intent, refusal));
      refusal.isStored = true;
      throw refusal;
    }
    case 'pending':
      return transact(deps.db, (tx) => waitForInsurer(tx, deps, intent, result));
  }
  return result satisfies never;
}

/** Nothing was changed at the insurer: the refund failed and its settlement is as it was. */
export async function failRefund(tx: Tx, intent: Intent, refusal: Refusal | null): Promise<void> {
  const order = intent.order as RefundOrder;
  const { kind } = await lockVisit(tx, intent.visitId, order.hospitalCode);
  if (!(await endIntent(tx, intent, 'undone'))) {
    throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  }
  const now = await businessNow(tx);
  const code: ProblemCode | 'interrupted' = refusal?.code ?? 'interrupted';
  await tx
    .update(refund)
    .set({ status: 'failed', failure: code, resolvedAt: now })
    .where(eq(refund.id, order.refundId));
  // The rest may have been admitted anew before the insurer said no.
  await closeStay(tx, { id: intent.visitId, kind });
  if (code === 'refund/citizen-part-rises') await openRefundCase(tx, order, { code, now });
  if (intent.key) await endKey(tx, intent.key, refusal);
}

/** After 2208: the rest is still to be claimed. 202 now; a worker goes on. */
async function waitForInsurer(
  tx: Tx,
  deps: Deps,
  intent: Intent,
  { reason, isUnknown }: Extract<Reclaimed, { outcome: 'pending' }>,
): Promise<Reply> {
  const order = intent.order as RefundOrder;
  const isCase = isUnknown && isUnknownTooLong(deps, intent.createdAt);
  if (isCase) {
    const now = await businessNow(tx);
    await openRefundCase(tx, order, { code: UNKNOWN_TOO_LONG, now, seen: reason });
  }
  const soon = Math.max(RETRY_SECONDS, deps.env.INSURANCE_QUIET_MS / 1000);
  await parkIntent(tx, intent, isCase ? HOURLY_SECONDS : soon);
  const [row] = await tx
    .update(refund)
    .set({ failure: reason.slice(0, 200) })
    .where(eq(refund.id, order.refundId))
    .returning();
  assert(row, 'the refund was begun');
  const answer: Reply = { status: 202, body: await refundView(tx, row) };
  if (intent.key) finishRunningKey(tx, intent.key, answer);
  return answer;
}
