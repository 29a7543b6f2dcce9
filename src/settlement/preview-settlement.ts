// Previews the split of a bill: talks to the insurer up to 2206, moves no money, hold or status.

import { TransactionRollbackError } from 'drizzle-orm';
import { captureCredit } from '../credit/capture-hold.ts';
import type { VisitKind } from '../credit/policy.ts';
import { type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { captureCeiling } from '../visit/change-hold.ts';
import { choosePayerAgain } from '../visit/choose-payer.ts';
import { lockVisit, type VisitRow } from '../visit/visit-store.ts';
import { type BilledVisit, readUnsettledBill } from './bill.ts';
import { claimBill } from './claim-bill.ts';
import type { ClaimResult } from './claim-run.ts';
import { decideAtCounter } from './decide.ts';
import { beginIntent, endIntent, type Intent, refuseWhileAtCounter } from './intent-store.ts';
import { keepLearnt } from './keep-learnt.ts';
import type { SettlementRequest } from './schemas.ts';
import { chooseBatches } from './settle-visit.ts';
import { INSURER_BUDGET_MS } from './settlement-order.ts';
import { splitView } from './settlement-store.ts';
import { closeBill, divideBill } from './waterfall.ts';

export interface PreviewCall {
  deps: Deps;
  terminal: CallerOf<'terminal'>;
  visitId: string;
  request: SettlementRequest;
}

interface Begun {
  intent: Intent | null;
  row: VisitRow;
  batches: string[];
}

/** The use case behind POST /v1/visits/{id}/settlement/preview. */
export async function previewSettlement(call: PreviewCall): Promise<Reply> {
  const { deps } = call;
  const begun = await transact(deps.db, (tx) => beginPreview(tx, call));
  const bill = await readUnsettledBill(deps, begun.row.id, begun.batches);
  const claim =
    begun.intent && bill.total > 0n
      ? await ask(deps, begun.intent, bill)
      : ({ outcome: 'skipped' } as const);
  const result = await transact(deps.db, (tx) => finishPreview(tx, call, { begun, bill, claim }));
  // Thrown after the commit: what was learnt of the registration stays.
  if (result instanceof Refusal) throw result;
  return result;
}

async function finishPreview(
  tx: Tx,
  call: PreviewCall,
  asked: { begun: Begun; bill: BilledVisit; claim: ClaimResult | { outcome: 'skipped' } },
): Promise<Reply | Refusal> {
  const { begun, bill, claim } = asked;
  if (begun.intent) await endPreview(tx, call.deps, begun.intent, claim);
  const decision = decideAtCounter(claim, 'selfPay');
  if (decision.do !== 'book') {
    return new Refusal(decision.code, { detail: decision.reason, retryAfterSeconds: 5 });
  }
  const split = claim.outcome === 'settled' ? claim.split : null;
  const divided = divideBill(bill.total, split, call.request.counterTenders ?? []);
  const captured = await wouldCapture(tx, begun.row, {
    owed: divided.owed,
    awaitsInsurance: decision.insurance === 'awaitingInsurance',
  });
  const { reason } = decision;
  const body = splitView({
    visitId: begun.row.id,
    batches: begun.batches,
    total: bill.total,
    ...closeBill(divided, captured),
    unused: divided.unused,
    insurance: { status: decision.insurance, ...(reason ? { reason } : {}) },
    payer: captured > 0n ? begun.row.payer : null,
  });
  return { status: 200, body };
}

async function beginPreview(tx: Tx, call: PreviewCall): Promise<Begun> {
  const { deps, request, terminal } = call;
  const locked = await lockVisit(tx, call.visitId, terminal.hospitalCode);
  if (locked.status === 'settling') throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  if (locked.status === 'cancelled') throw new Refusal('visit/wrong-state');
  const { batches } = await chooseBatches(tx, locked, request.batches);
  const row = await choosePayerAgain(tx, locked);
  if (request.insurance === 'skip') return { intent: null, row, batches };
  await refuseWhileAtCounter(tx, row.id);
  const order = { batches };
  const intent = await beginIntent(tx, deps.keyring, {
    kind: 'preview',
    visitId: row.id,
    settlementId: null,
    key: null,
    order,
  });
  return { intent, row, batches };
}

function ask(deps: Deps, held: Intent, bill: BilledVisit): Promise<ClaimResult> {
  return claimBill(deps, {
    held,
    bill,
    isPreview: true,
    isFresh: false,
    isResumed: false,
    isNewVisit: false,
    deadlineAt: deps.realNow().getTime() + INSURER_BUDGET_MS,
  });
}

async function endPreview(
  tx: Tx,
  deps: Deps,
  intent: Intent,
  claim: ClaimResult | { outcome: 'skipped' },
): Promise<void> {
  await endIntent(tx, intent, 'finished');
  await keepLearnt(tx, deps, intent.visitId, claim);
}

/** Asks the real capture and takes it back: one rule, not a copy of it. */
async function wouldCapture(
  tx: Tx,
  row: VisitRow,
  ask: { owed: bigint; awaitsInsurance: boolean },
): Promise<bigint> {
  if (ask.owed === 0n) return 0n;
  let captured = 0n;
  await tx
    .transaction(async (inner) => {
      const taken = await captureCredit(inner, {
        visitId: row.id,
        settlementId: 'preview',
        payerCitizenId: row.payerCitizenId,
        visitKind: row.kind as VisitKind,
        ...ask,
        isEmergency: row.kind === 'emergency',
        mayUseMore: row.payerCitizenId !== null,
        ceiling: captureCeiling(row, null),
      });
      captured = taken.captured;
      inner.rollback();
    })
    .catch((error: unknown) => {
      if (!(error instanceof TransactionRollbackError)) throw error;
    });
  return captured;
}
