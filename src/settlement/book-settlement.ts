// Transaction B of a settlement: waterfall, capture, books, claim, conversion, events and the reply,
// all or nothing. Lock order: visit, settlement, credit line.
import { type SQL, sql } from 'drizzle-orm';
import { queueConversion } from '../conversion/queue-conversion.ts';
import { type CaptureCredit, type CapturedCredit, captureCredit } from '../credit/capture-hold.ts';
import type { VisitKind } from '../credit/policy.ts';
import type { Tx } from '../db/db.ts';
import { settlement } from '../db/schema.ts';
import { insertOf, together } from '../db/statements.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { finishRunningKey } from '../http/idempotency.ts';
import type { Reply } from '../http/route.ts';
import { newId } from '../ids.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import { entryParts } from '../ledger/post.ts';
import { formatYuan } from '../money.ts';
import { eventParts, type NewEvent } from '../outbox/events.ts';
import { inDrawer } from '../shift/drawer.ts';
import { captureCeiling } from '../visit/change-hold.ts';
import {
  type AroundVisit,
  lockVisit,
  readAround,
  showVisit,
  type VisitRow,
} from '../visit/visit-store.ts';
import { reverseOldAgain } from './ask-again.ts';
import type { ClaimResult } from './claim-run.ts';
import type { CounterDecision } from './decide.ts';
import { type EndedRun, endRun } from './end-run.ts';
import { settledEntry } from './entries.ts';
import type { Intent } from './intent-store.ts';
import { type Learnt, learntOf } from './keep-learnt.ts';
import { claimPart, tendersPart } from './settled-rows.ts';
import { counterMsOf, type SettlementOrder } from './settlement-order.ts';
import { freeReferences, type SettlementRow, showSettlement } from './settlement-store.ts';
import { unusedOf } from './unused-tenders.ts';
import {
  type CounterTender,
  closeBill,
  type Divided,
  divideBill,
  type Tender,
} from './waterfall.ts';

export interface Booking {
  claim: ClaimResult | { outcome: 'skipped' };
  decision: Extract<CounterDecision, { do: 'book' }>;
  /** The visit as the run read it; while it is settling nobody changes who pays or what kind it is. */
  visit: VisitRow;
}

/** Closes the bill as decided. 409 in-flight when somebody else took the run over. */
export async function bookSettlement(
  tx: Tx,
  deps: Deps,
  intent: Intent,
  booking: Booking,
): Promise<Reply> {
  const order = intent.order as SettlementOrder;
  const divided = divide(order, booking);
  // Sent together and done in this order: what is captured for a run that is not ours is undone.
  const [row, run, captured, around] = await Promise.all([
    lockVisit(tx, intent.visitId, order.hospitalCode),
    endRun(tx, deps, intent, unsavedOf(booking)),
    captureCredit(tx, captureOf(order, booking, divided)),
    order.isOneScan ? readAround(tx, booking.visit) : null,
  ]);
  if (!run.is_ours) throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  const now = new Date(run.now);
  const bill = await payBill(tx, order, divided, captured);
  const counterMs = counterMsOf(intent, deps.realNow());
  const unused = await unusedOf(tx, row, bill.unused, now);
  const saved = settlementRow({ order, row, booking, bill, now, counterMs, unused, run });
  const changed = await saveSettlement(tx, deps, { order, row, booking, bill, now, saved });
  // Only a visit that was registered before can have an older claim of unknown fate.
  if (booking.claim.outcome === 'settled' && row.mdtrtId) {
    await reverseOldAgain(tx, { visitId: row.id, settlementId: order.settlementId });
  }
  const awaiting = { order, booking, bill, now, citizenId: row.citizenId };
  const conversionId = await queueIfAwaiting(tx, awaiting);
  await closeStay(tx, row);
  const settled = showSettlement(saved, {
    tenders: bill.tenders,
    batches: order.batches,
    setl_id: booking.claim.outcome === 'settled' ? booking.claim.split.setlId : null,
    receivable_id: captured.receivableId,
    conversion_id: conversionId,
  });
  const answer = replyOf(deps, order, { settled, row: changed, around });
  if (intent.key) finishRunningKey(tx, intent.key, answer);
  return answer;
}

const unsavedOf = ({ claim }: Booking) => ('unsaved' in claim ? claim.unsaved : null);

function divide(order: SettlementOrder, { claim }: Booking): Divided {
  const split = claim.outcome === 'settled' ? claim.split : null;
  const offered = order.counterTenders.map((t) => ({ ...t, amount: BigInt(t.amount) }));
  return divideBill(BigInt(order.total), split, offered);
}

function captureOf(order: SettlementOrder, booking: Booking, { owed }: Divided): CaptureCredit {
  const { visit: row, decision } = booking;
  return {
    visitId: row.id,
    settlementId: order.settlementId,
    payerCitizenId: row.payerCitizenId,
    visitKind: row.kind as VisitKind,
    owed,
    awaitsInsurance: decision.insurance === 'awaitingInsurance',
    isEmergency: row.kind === 'emergency',
    mayUseMore: row.payerCitizenId !== null,
    ceiling: captureCeiling(row, order.settledBy ?? null),
  };
}

interface PaidBill {
  tenders: Tender[];
  unused: CounterTender[];
  dueAtCounter: bigint;
  credit: { lender: string; citizenId: string } | null;
  isLateCapture: boolean;
}

interface Closing {
  order: SettlementOrder;
  row: VisitRow;
  booking: Booking;
  bill: PaidBill;
  now: Date;
}

/** Insurer's parts, then the counter tenders, then credit; the rest is due at the counter. */
async function payBill(
  tx: Tx,
  order: SettlementOrder,
  divided: Divided,
  captured: CapturedCredit,
): Promise<PaidBill> {
  for (const { kind, reference } of divided.unused) {
    const isTaken = divided.tenders.some((t) => t.kind === kind && t.reference === reference);
    if (!isTaken) await freeReferences(tx, order.settlementId, { kind, reference });
  }
  const { tenders, dueAtCounter } = closeBill(divided, captured.captured);
  const { lender, payerCitizenId } = captured;
  return {
    tenders,
    dueAtCounter,
    unused: divided.unused,
    credit:
      captured.captured > 0n && lender && payerCitizenId
        ? { lender, citizenId: payerCitizenId }
        : null,
    isLateCapture: captured.isLateCapture,
  };
}

function settlementRow(
  closing: Closing & { counterMs: number | null; unused: unknown; run: EndedRun },
): SettlementRow {
  const { order, row, booking, bill, now, counterMs, unused, run } = closing;
  const total = BigInt(order.total);
  return {
    id: order.settlementId,
    visitId: row.id,
    hospitalCode: row.hospitalCode,
    citizenId: row.citizenId,
    status: bill.dueAtCounter > 0n ? 'awaitingPayment' : 'settled',
    insuranceStatus: booking.decision.insurance,
    insuranceReason: booking.decision.reason ?? null,
    total,
    dueAtCounter: bill.dueAtCounter,
    dueReduced: 0n,
    arrears: 0n,
    arrearsReduced: 0n,
    unused,
    payer: bill.credit ? row.payer : null,
    payerCitizenId: bill.credit?.citizenId ?? null,
    receiptNumber: order.receiptNumber,
    invoice: null,
    isInterim: order.isInterim,
    isLateCapture: bill.isLateCapture,
    refundable: total,
    settledAt: now,
    recordedAt: now,
    businessDate: run.business_date,
    terminalId: order.terminalId,
    counterMs,
  };
}

/** Settlement, tenders, claim, books, visit and event in one statement. Returns the visit as it is now. */
async function saveSettlement(
  tx: Tx,
  deps: Deps,
  closing: Closing & { saved: SettlementRow },
): Promise<VisitRow> {
  const { order, row, booking, bill, now, saved } = closing;
  const { claim } = booking;
  const claimRef =
    claim.outcome === 'settled' ? { claimId: newId('claim'), setlId: claim.split.setlId } : null;
  const entry = settledEntry({
    settlementId: order.settlementId,
    hospitalCode: order.hospitalCode,
    occurredAt: now,
    total: BigInt(order.total),
    dueAtCounter: bill.dueAtCounter,
    tenders: bill.tenders,
    claim: claimRef,
    credit: bill.credit,
  });
  const legs = await inDrawer(tx, order.terminalId, entry.legs);
  const event = settledEvent(saved, now);
  const settled = claim.outcome === 'settled' ? claim : null;
  const learnt = learntOf(deps, claim);
  const [marked] = await together<{ status: string }>(
    tx,
    {
      saved: insertOf(settlement, saved),
      paid: tendersPart(order.settlementId, bill.tenders, now),
      claimed: settled && claimRef && claimPart(deps, { ...order, ...claimRef, ...settled }),
      marked: visitPart(row, order, learnt),
      // A bill of 0.00 (free items) moves no money: there is nothing to write into the books.
      ...(legs.length > 0 ? entryParts({ ...entry, legs }).parts : {}),
      ...(event ? eventParts([event]) : {}),
    },
    sql`select status from marked`,
  );
  assert(marked, 'the locked visit is there');
  const dischargedAt = order.dischargedAt ? new Date(order.dischargedAt) : row.dischargedAt;
  return { ...row, ...learnt, ...marked, dischargedAt, version: row.version + 1 };
}

/** Settled once every batch is; what the insurer said on the way is kept with it. */
function visitPart(row: VisitRow, order: SettlementOrder, learnt: Learnt): SQL {
  const { insuredPerson = null, mdtrtId = null, filing } = learnt;
  return sql`
    update visit set version = ${row.version + 1}::int,
      status = case when exists (select 1 from charge_batch b
        where b.visit_id = ${row.id} and b.settlement_id is null) then 'open' else 'settled' end,
      discharged_at = coalesce(${order.dischargedAt ?? null}::timestamptz, discharged_at),
      insured_person = coalesce(${insuredPerson}::bytea, insured_person),
      mdtrt_id = coalesce(${mdtrtId}::text, mdtrt_id),
      filing = coalesce(${filing ? JSON.stringify(filing) : null}::jsonb, filing)
    where id = ${row.id} returning status`;
}

/** Returns the id of the conversion that was queued, if one was. */
async function queueIfAwaiting(
  tx: Tx,
  closing: Omit<Closing, 'row'> & { citizenId: string | null },
): Promise<string | null> {
  const { order, booking, bill, citizenId, now } = closing;
  const { claim: result } = booking;
  if (booking.decision.insurance !== 'awaitingInsurance' || !('route' in result)) {
    return null;
  }
  const due = { kind: 'dueAtCounter', amount: formatYuan(bill.dueAtCounter) };
  const before = bill.tenders.map((t) => ({ ...t, amount: formatYuan(t.amount) }));
  const isUnknown = result.outcome === 'unknown';
  const { conversionId } = await queueConversion(tx, {
    settlementId: order.settlementId,
    hospitalCode: order.hospitalCode,
    citizenId,
    route: result.route,
    cause: isUnknown ? 'insurerUnknown' : 'insurerOffline',
    unknownMsgid: isUnknown ? result.msgid : null,
    isBroken: isUnknown && result.isBroken,
    before: bill.dueAtCounter > 0n ? [...before, due] : before,
    now,
  });
  return conversionId;
}

/** Told when it is paid: what is still due at the counter is told by collect-payment.ts. */
function settledEvent(row: SettlementRow, now: Date): NewEvent | null {
  const isAwaiting = row.insuranceStatus === 'awaitingInsurance';
  if (!isAwaiting && row.status !== 'settled') return null;
  return {
    type: isAwaiting ? 'settlement.awaitingInsurance' : 'settlement.settled',
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { settlementId: row.id, visitId: row.visitId, total: formatYuan(row.total) },
    occurredAt: now,
  };
}

/** A one-scan is answered with its visit, of which this is the one settlement. */
function replyOf(
  deps: Deps,
  order: SettlementOrder,
  shown: {
    settled: ReturnType<typeof showSettlement>;
    row: VisitRow;
    around: AroundVisit | null;
  },
): Reply {
  const { settled, row, around } = shown;
  if (!around) return { status: 200, body: settled };
  const visit = showVisit(deps.keyring, row, { ...around, settlement_ids: [settled.id] });
  const elapsedMs = Math.max(0, deps.realNow().getTime() - order.startedAtMs);
  return { status: 201, body: { visit, settlement: settled, elapsedMs } };
}
