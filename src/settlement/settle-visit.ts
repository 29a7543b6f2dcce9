// Settles batches of a visit. A: the intent and every refusal. Then the insurer, outside any
// transaction. B: waterfall, capture, books, reply. A crash anywhere resumes to one settlement.
import { sql } from 'drizzle-orm';
import { RetryTransaction, type Tx, transact } from '../db/db.ts';
import { together } from '../db/statements.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { leaseKey, leaseOfKey, type RequestKey, takeKey } from '../http/idempotency.ts';
import type { Reply } from '../http/route.ts';
import { missingForClaim } from '../insurance/trades.ts';
import { sumFen } from '../money.ts';
import { readClinical } from '../visit/change-visit.ts';
import { choosePayerAgain } from '../visit/choose-payer.ts';
import { batchesOf, type VisitRow } from '../visit/visit-store.ts';
import { type BilledVisit, readBill, withStay } from './bill.ts';
import { bookSettlement } from './book-settlement.ts';
import { claimBill } from './claim-bill.ts';
import type { ClaimResult } from './claim-run.ts';
import { decideAtCounter } from './decide.ts';
import {
  draftIntent,
  type Intent,
  LEASE_SECONDS,
  parkIntent,
  refuseWhileAtCounter,
  takeOverOwn,
} from './intent-store.ts';
import { keepLearnt } from './keep-learnt.ts';
import type { SettlementRequest } from './schemas.ts';
import { INSURER_BUDGET_MS, orderOf, type SettlementOrder } from './settlement-order.ts';
import { reserveReference } from './settlement-store.ts';
import { closesStay } from './stay-order.ts';
import { undoSettlement } from './undo-settlement.ts';

export interface SettleCall {
  deps: Deps;
  key: RequestKey | null;
  /** At which terminal; null: by phone. */
  terminalId: string | null;
  /** The citizen who settles by phone. */
  settledBy?: string;
  /** Locks the visit for who asks; 404 for what is not theirs. */
  lock: (tx: Tx) => Promise<VisitRow>;
  request: SettlementRequest;
}

/** The use case behind POST /v1/visits/{id}/settlement and /v1/me/bills/{id}/settlement. */
export async function settleVisit(call: SettleCall): Promise<Reply> {
  const begun = await transact(call.deps.db, (tx) => beginSettlement(tx, call));
  return 'status' in begun ? begun : runSettlement(call.deps, begun);
}

/** Transaction A. Returns the stored reply of a replay, or the intent to run. */
async function beginSettlement(tx: Tx, call: SettleCall): Promise<Reply | Intent> {
  const { deps, key, request } = call;
  const stored = key && (await takeKey(tx, key));
  if (stored) return stored;
  const row = await call.lock(tx);
  if (row.status === 'settling') {
    const own = await takeOverOwn(tx, deps.keyring, key);
    if (!own || own.visitId !== row.id)
      throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
    if (key) await leaseKey(tx, key, LEASE_SECONDS);
    return own;
  }
  if (row.status === 'cancelled') throw new Refusal('visit/wrong-state');
  const batches = await chooseBatches(tx, row, request.batches);
  await choosePayerAgain(tx, row);
  const place = {
    hospitalCode: row.hospitalCode,
    terminalId: call.terminalId,
    settledBy: call.settledBy ?? null,
  };
  const startedAtMs = deps.realNow().getTime();
  const order = { ...orderOf(place, request), ...batches, startedAtMs };
  return recordIntent(tx, call, row, order);
}

/** Reserves what the order names, marks the visit settling and writes the intent. */
async function recordIntent(
  tx: Tx,
  call: Pick<SettleCall, 'deps' | 'key'>,
  row: VisitRow,
  asked: SettlementOrder,
): Promise<Intent> {
  const { deps, key } = call;
  await refuseWhileAtCounter(tx, row.id);
  const order = await completeOrder(tx, deps, row, asked);
  const { settlementId } = order;
  const intent = { kind: 'settle', visitId: row.id, settlementId, key, order } as const;
  const draft = draftIntent(deps.keyring, intent);
  const once = sql`(select 1) as once`;
  const [begun] = await together<{ created_at: string }>(
    tx,
    {
      begun: draft.insertFor(once),
      marked: sql`update visit set status = 'settling' where id = ${row.id}`,
      chosen: sql`
        update charge_batch set settlement_id = ${settlementId}
        where visit_id = ${row.id} and settlement_id is null and batch in
          (select jsonb_array_elements_text(${JSON.stringify(order.batches)}::jsonb))`,
      leased: key && leaseOfKey(key, LEASE_SECONDS, once),
    },
    key ? sql`select created_at from begun, leased` : sql`select created_at from begun`,
  );
  // Somebody with the same key committed between our look and now: look again.
  if (!begun) throw new RetryTransaction();
  return draft.begun(new Date(begun.created_at));
}

/**
 * What a settlement and a one-scan share before the intent is written: an order that is complete and
 * allowed, its references reserved.
 */
export async function completeOrder(
  tx: Tx,
  deps: Deps,
  row: VisitRow,
  asked: SettlementOrder,
): Promise<SettlementOrder> {
  const order = await closesStay(tx, row, asked);
  refuseIncompleteClaim(deps, row, order);
  for (const offered of order.counterTenders) {
    if (offered.kind === 'deposit' && row.kind !== 'inpatient') {
      throw new Refusal('tender/deposit-not-allowed');
    }
    await reserveReference(tx, row.hospitalCode, order.settlementId, offered);
  }
  if (order.receiptNumber) {
    const receipt = { kind: 'receipt', reference: order.receiptNumber };
    await reserveReference(tx, row.hospitalCode, order.settlementId, receipt);
  }
  return order;
}

function refuseIncompleteClaim(deps: Deps, row: VisitRow, order: SettlementOrder): void {
  if (deps.env.EGRET_MODE !== 'production' || order.insurance === 'skip') return;
  const missing = missingForClaim(readClinical(deps, row));
  if (missing.length > 0) {
    throw new Refusal('visit/diagnosis-missing', { detail: missing.join(', ') });
  }
}

/** The unsettled batches that were asked for (default: all of them) and their total. */
export async function chooseBatches(tx: Tx, row: VisitRow, asked?: string[]) {
  const all = await batchesOf(tx, row.id);
  const unknown = asked?.filter((name) => !all.some((b) => b.batch === name)) ?? [];
  if (unknown.length > 0) {
    throw new Refusal('settlement/batch-unknown', { detail: unknown.join(', ') });
  }
  if (all.length === 0) throw new Refusal('settlement/nothing-charged');
  const chosen = all.filter((b) => asked?.includes(b.batch) ?? !b.settlementId);
  if (chosen.length === 0 || chosen.some((b) => b.settlementId)) {
    throw new Refusal('visit/already-settled');
  }
  return {
    batches: chosen.map((b) => b.batch),
    total: sumFen(chosen.map((b) => b.total)).toString(),
  };
}

/** From the intent on: call the insurer, decide, and finish or undo. Also the road after a crash. */
export async function runSettlement(deps: Deps, intent: Intent): Promise<Reply> {
  const order = intent.order as SettlementOrder;
  const bill = withStay(await readBill(deps, intent.visitId, order.settlementId), {
    isInterim: order.isInterim,
    dischargedAt: order.dischargedAt ? new Date(order.dischargedAt) : null,
  });
  const claim = await askInsurer(deps, intent, order, bill);
  const decision = decideAtCounter(claim, order.whenInsuranceOffline);
  switch (decision.do) {
    case 'book':
      return transact(deps.db, (tx) =>
        bookSettlement(tx, deps, intent, { claim, decision, visit: bill.visit }),
      );
    case 'undo': {
      const { code, reason } = decision;
      const refusal = new Refusal(code, {
        detail: reason,
        retryAfterSeconds: 5,
        ...(order.isOneScan ? { extra: { step: 'settle' } } : {}),
      });
      await transact(deps.db, (tx) => undoSettlement(tx, deps, intent, { claim, refusal }));
      refusal.isStored = true;
      throw refusal;
    }
    case 'park': {
      await transact(deps.db, async (tx) => {
        await keepLearnt(tx, deps, intent.visitId, claim);
        await parkIntent(tx, intent, Math.ceil(deps.env.INSURANCE_QUIET_MS / 1000));
      });
      throw new Refusal(decision.code, {
        detail: decision.reason,
        retryAfterSeconds: 15,
        ...(order.isOneScan ? { extra: { step: 'settle' } } : {}),
      });
    }
  }
  return decision satisfies never;
}

/** A one-scan's 1101 at the opening is part of the 5 s that the counter has for the insurer. */
function budgetFrom(deps: Deps, intent: Intent, order: SettlementOrder): number {
  const isFirstRun = order.isOneScan && !intent.isResumed;
  return isFirstRun ? order.startedAtMs : deps.realNow().getTime();
}

async function askInsurer(
  deps: Deps,
  intent: Intent,
  order: SettlementOrder,
  bill: BilledVisit,
): Promise<ClaimResult | { outcome: 'skipped' }> {
  // Free items alone: nothing that anybody could claim.
  if (order.insurance === 'skip' || bill.total === 0n) return { outcome: 'skipped' };
  return claimBill(deps, {
    held: intent,
    bill,
    isPreview: false,
    isFresh: false,
    isResumed: intent.isResumed,
    isNewVisit: order.isOneScan && !intent.isResumed,
    deadlineAt: budgetFrom(deps, intent, order) + INSURER_BUDGET_MS,
  });
}
