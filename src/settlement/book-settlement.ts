// Transaction B of a settlement: waterfall, capture, books, claim, conversion, events and the reply,
// all or nothing. Lock order: visit, settlement, credit line.
import { eq, sql } from 'drizzle-orm';
import { queueConversion } from '../conversion/queue-conversion.ts';
import { captureCredit } from '../credit/capture-hold.ts';
import type { VisitKind } from '../credit/policy.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { settlement, tender, visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { finishRunningKey } from '../http/idempotency.ts';
import type { Reply } from '../http/route.ts';
import { newId } from '../ids.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import { postEntry } from '../ledger/post.ts';
import { formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { inDrawer } from '../shift/drawer.ts';
import { captureCeiling } from '../visit/change-hold.ts';
import { lockVisit, type VisitRow, visitView } from '../visit/visit-store.ts';
import { reverseOldAgain } from './ask-again.ts';
import type { ClaimResult } from './claim-run.ts';
import type { CounterDecision } from './decide.ts';
import { settledEntry } from './entries.ts';
import { endIntent, type Intent } from './intent-store.ts';
import { keepLearnt } from './keep-learnt.ts';
import { counterMsOf, type SettlementOrder } from './settlement-order.ts';
import { freeReferences, type SettlementRow, settlementView } from './settlement-store.ts';
import { unusedOf } from './unused-tenders.ts';
import { type CounterTender, closeBill, divideBill, type Tender } from './waterfall.ts';

export interface Booking {
  claim: ClaimResult | { outcome: 'skipped' };
  decision: Extract<CounterDecision, { do: 'book' }>;
}

/** Closes the bill as decided. 409 in-flight when somebody else took the run over. */
export async function bookSettlement(
  tx: Tx,
  deps: Deps,
  intent: Intent,
  booking: Booking,
): Promise<Reply> {
  const order = intent.order as SettlementOrder;
  const row = await lockVisit(tx, intent.visitId, order.hospitalCode);
  const [isOurs, now] = await Promise.all([
    endIntent(tx, intent, 'finished'),
    businessNow(tx),
    keepLearnt(tx, deps, row.id, booking.claim),
  ]);
  if (!isOurs) throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  const bill = await payBill(tx, order, row, booking);
  const counterMs = counterMsOf(intent, deps.realNow());
  const saved = await insertSettlement(tx, { order, row, booking, bill, now, counterMs });
  const claimRef = await insertClaim(tx, deps, order, booking.claim);
  // Only a visit that was registered before can have an older claim of unknown fate.
  if (claimRef && row.mdtrtId) {
    await reverseOldAgain(tx, { visitId: row.id, settlementId: order.settlementId });
  }
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
  // A bill of 0.00 (free items) moves no money: there is nothing to write into the books.
  const legs = await inDrawer(tx, order.terminalId, entry.legs);
  await Promise.all([
    legs.length > 0 && postEntry(tx, { ...entry, legs }),
    queueIfAwaiting(tx, { order, booking, bill, now, citizenId: row.citizenId }),
    updateVisit(tx, row, order),
    recordSettled(tx, saved, now),
  ]);
  return reply(tx, deps, intent, saved);
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
  row: VisitRow,
  booking: Booking,
): Promise<PaidBill> {
  const split = booking.claim.outcome === 'settled' ? booking.claim.split : null;
  const offered = order.counterTenders.map((t) => ({ ...t, amount: BigInt(t.amount) }));
  const divided = divideBill(BigInt(order.total), split, offered);
  for (const { kind, reference } of divided.unused) {
    const isTaken = divided.tenders.some((t) => t.kind === kind && t.reference === reference);
    if (!isTaken) await freeReferences(tx, order.settlementId, { kind, reference });
  }
  const captured = await captureCredit(tx, {
    visitId: row.id,
    settlementId: order.settlementId,
    payerCitizenId: row.payerCitizenId,
    visitKind: row.kind as VisitKind,
    owed: divided.owed,
    awaitsInsurance: booking.decision.insurance === 'awaitingInsurance',
    isEmergency: row.kind === 'emergency',
    mayUseMore: row.payerCitizenId !== null,
    ceiling: await captureCeiling(tx, row, order.settledBy ?? null),
  });
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

async function insertSettlement(
  tx: Tx,
  closing: Closing & { counterMs: number | null },
): Promise<SettlementRow> {
  const { order, row, booking, bill, now, counterMs } = closing;
  const total = BigInt(order.total);
  const [saved] = await tx
    .insert(settlement)
    .values({
      id: order.settlementId,
      visitId: row.id,
      hospitalCode: row.hospitalCode,
      citizenId: row.citizenId,
      status: bill.dueAtCounter > 0n ? 'awaitingPayment' : 'settled',
      insuranceStatus: booking.decision.insurance,
      insuranceReason: booking.decision.reason ?? null,
      total,
      dueAtCounter: bill.dueAtCounter,
      unused: await unusedOf(tx, row, bill.unused, now),
      payer: bill.credit ? row.payer : null,
      payerCitizenId: bill.credit?.citizenId ?? null,
      receiptNumber: order.receiptNumber,
      isInterim: order.isInterim,
      isLateCapture: bill.isLateCapture,
      refundable: total,
      settledAt: now,
      recordedAt: now,
      businessDate: sql`business_date(${now.toISOString()}::timestamptz)`,
      terminalId: order.terminalId,
      counterMs,
    })
    .returning();
  assert(saved, 'the settlement is inserted');
  const tenders = bill.tenders.map((t, position) => ({
    settlementId: order.settlementId,
    position: position + 1,
    kind: t.kind,
    amount: t.amount,
    reference: t.reference ?? null,
    paidAt: now,
  }));
  if (tenders.length > 0) await tx.insert(tender).values(tenders);
  return saved;
}

async function insertClaim(
  tx: Tx,
  deps: Deps,
  order: Pick<SettlementOrder, 'settlementId' | 'hospitalCode'>,
  result: Booking['claim'],
) {
  if (result.outcome !== 'settled') return null;
  const claimId = newId('claim');
  const { split, msgid } = result;
  await saveClaim(tx, deps, { ...order, claimId, split, msgid });
  return { claimId, setlId: split.setlId };
}

/** Books the insurer's settlement as the one live claim of ours. */
export async function saveClaim(
  tx: Tx,
  deps: Deps,
  order: {
    claimId: string;
    settlementId: string;
    hospitalCode: string;
    split: ClaimSplit;
    msgid: string;
  },
): Promise<void> {
  const { split } = order;
  const text = JSON.stringify(split, (_, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
  const [total, fund, account, familyAccount, hospitalBorne, cash] = [
    ...[split.total, split.fund, split.account, split.familyAccount],
    ...[split.hospitalBorne, split.cash],
  ].map(String);
  await rows(
    tx,
    sql`
    insert into claim (id, settlement_id, setl_id, hospital_code, mdtrt_id, msgid, status, insutype,
      clr_type, clr_optins, setl_time, total, fund, account, family_account, hospital_borne, cash,
      split)
    values (${order.claimId}, ${order.settlementId}, ${split.setlId}, ${order.hospitalCode},
      ${split.mdtrtId}, ${order.msgid}, 'live', ${split.insutype}, ${split.clrType},
      ${split.clrOptins}, coalesce(${split.setlTime?.toISOString() ?? null}::timestamptz,
      business_now()), ${total}::bigint, ${fund}::bigint, ${account}::bigint,
      ${familyAccount}::bigint, ${hospitalBorne}::bigint, ${cash}::bigint,
      ${deps.keyring.seal(text)}::bytea)`,
  );
}

async function queueIfAwaiting(
  tx: Tx,
  closing: Omit<Closing, 'row'> & { citizenId: string | null },
): Promise<void> {
  const { order, booking, bill, citizenId, now } = closing;
  const { claim: result } = booking;
  if (booking.decision.insurance !== 'awaitingInsurance' || !('route' in result)) return;
  const due = { kind: 'dueAtCounter', amount: formatYuan(bill.dueAtCounter) };
  const before = bill.tenders.map((t) => ({ ...t, amount: formatYuan(t.amount) }));
  const isUnknown = result.outcome === 'unknown';
  await queueConversion(tx, {
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
}

/** Settled once every batch is; a stay is closed by the settlement that leaves nothing. */
async function updateVisit(tx: Tx, row: VisitRow, order: SettlementOrder): Promise<void> {
  await tx
    .update(visit)
    .set({
      status: sql`case when exists (select 1 from charge_batch b
        where b.visit_id = ${row.id} and b.settlement_id is null) then 'open' else 'settled' end`,
      version: row.version + 1,
      ...(order.dischargedAt ? { dischargedAt: new Date(order.dischargedAt) } : {}),
    })
    .where(eq(visit.id, row.id));
  await closeStay(tx, row);
}

async function recordSettled(tx: Tx, row: SettlementRow, now: Date): Promise<void> {
  const isAwaiting = row.insuranceStatus === 'awaitingInsurance';
  // Told when it is paid: what is still due at the counter is told by collect-payment.ts.
  if (!isAwaiting && row.status !== 'settled') return;
  await recordEvent(tx, {
    type: isAwaiting ? 'settlement.awaitingInsurance' : 'settlement.settled',
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { settlementId: row.id, visitId: row.visitId, total: formatYuan(row.total) },
    occurredAt: now,
  });
}

async function reply(tx: Tx, deps: Deps, intent: Intent, saved: SettlementRow): Promise<Reply> {
  const order = intent.order as SettlementOrder;
  const view = await settlementView(tx, saved);
  let answer: Reply = { status: 200, body: view };
  if (order.isOneScan) {
    const row = await lockVisit(tx, intent.visitId, order.hospitalCode);
    const elapsedMs = Math.max(0, deps.realNow().getTime() - order.startedAtMs);
    const body = { visit: await visitView(tx, deps.keyring, row), settlement: view, elapsedMs };
    answer = { status: 201, body };
  }
  if (intent.key) await finishRunningKey(tx, intent.key, answer);
  return answer;
}
