// Transaction B of a refund: lines, claim, money back, books and the reply, all or nothing.
// Given back = old citizen part − new (domain.md, Refunds).
import { and, eq, inArray } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { claim, conversion, refund, settlement } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { finishRunningKey } from '../http/idempotency.ts';
import type { Reply } from '../http/route.ts';
import { newId } from '../ids.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import { openLegs } from '../ledger/open-legs.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, maxFen } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { lockVisit } from '../visit/visit-store.ts';
import { reverseOldAgain } from './ask-again.ts';
import { refundedEntry } from './entries.ts';
import { giveBack } from './give-back.ts';
import { endIntent, type Intent } from './intent-store.ts';
import type { Reclaimed } from './reclaim.ts';
import { markRefunded } from './refund-lines.ts';
import { openRefundCase, type RefundOrder } from './refund-order.ts';
import { type InsurerParts, refundView } from './refund-store.ts';
import { saveClaim } from './settled-rows.ts';
import {
  type ClaimRow,
  liveClaim,
  lockSettlement,
  type SettlementRow,
  tendersOf,
} from './settlement-store.ts';
import { insurerTenders } from './waterfall.ts';

type Booked = Exclude<Reclaimed, { outcome: 'refused' | 'pending' }>;

/** Books what the insurer and the order say. 409 in-flight when somebody else took the run over. */
export async function bookRefund(
  tx: Tx,
  deps: Deps,
  intent: Intent,
  result: Booked,
): Promise<Reply> {
  const order = intent.order as RefundOrder;
  const { kind } = await lockVisit(tx, intent.visitId, order.hospitalCode);
  const row = await lockSettlement(tx, order.settlementId, order.hospitalCode);
  if (!(await endIntent(tx, intent, 'finished'))) {
    throw new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
  }
  const now = await businessNow(tx);
  const oldClaim = await liveClaim(tx, row.id);
  const refundable = row.refundable - BigInt(order.amount);
  const oldPart = oldClaim ? oldClaim.cash : row.refundable;
  const newPart = result.outcome === 'reclaimed' ? result.split.cash : refundable;
  const { givenBack, credit } = await giveBack(tx, {
    settlement: row,
    tenders: await tendersOf(tx, row.id),
    causeId: order.refundId,
    cause: 'refund',
    amount: maxFen(oldPart - newPart, 0n),
    now,
  });
  const legs = await openLegs(tx, row.id);
  const newClaim = await moveClaim(tx, deps, row, oldClaim, result);
  const entry = refundedEntry({
    fact: 'refund.completed',
    causeId: order.refundId,
    settlementId: row.id,
    hospitalCode: row.hospitalCode,
    occurredAt: now,
    charges: BigInt(order.amount),
    oldClaim: oldClaim ? { ...oldClaim, claimId: oldClaim.id } : null,
    newClaim,
    givenBack: { ...givenBack, arrears: maxFen(newPart - oldPart, 0n) },
    credit,
    openLegs: legs,
  });
  if (entry.legs.length > 0) await postEntry(tx, entry);
  await markRefunded(tx, row.visitId, order.lines);
  await closeStay(tx, { id: row.visitId, kind });
  const isAwaiting = order.isWhole && !(await cancelConversion(tx, row, now));
  const arrears = row.arrears + maxFen(newPart - oldPart, 0n);
  await updateSettlement(tx, row, { refundable, result, isAwaiting, arrears });
  if (result.outcome === 'restSelfPay') {
    await openRefundCase(tx, order, { code: 'insurance/rest-refused', now, seen: result.reason });
  }
  return finish(tx, { intent, order, row, now, parts: insurerParts(oldClaim, result) });
}

/** The old claim is reversed before the new one is live: the database allows one live claim. */
async function moveClaim(
  tx: Tx,
  deps: Deps,
  row: SettlementRow,
  oldClaim: ClaimRow | null,
  result: Booked,
) {
  if (oldClaim) {
    const reversalSetlId = 'reversalSetlId' in result ? result.reversalSetlId : '';
    await tx
      .update(claim)
      .set({ status: 'reversed', reversalSetlId, reversedAt: await businessNow(tx) })
      .where(eq(claim.id, oldClaim.id));
  }
  if (result.outcome !== 'reclaimed') return null;
  const { split, msgid } = result;
  const { hospitalCode } = row;
  const claimId = newId('claim');
  await saveClaim(tx, deps, { claimId, settlementId: row.id, hospitalCode, split, msgid });
  await reverseOldAgain(tx, { visitId: row.visitId, settlementId: row.id });
  return { ...split, claimId };
}

async function updateSettlement(
  tx: Tx,
  row: SettlementRow,
  after: { refundable: Fen; result: Booked; isAwaiting: boolean; arrears: Fen },
): Promise<void> {
  const { refundable, result, isAwaiting } = after;
  const isWhole = refundable === 0n;
  const hadInsurer = ['claimed', 'converted', 'awaitingInsurance'].includes(row.insuranceStatus);
  const insuranceStatus =
    isWhole && hadInsurer && !isAwaiting
      ? 'reversed'
      : result.outcome === 'restSelfPay'
        ? 'rejected'
        : row.insuranceStatus;
  await tx
    .update(settlement)
    .set({
      refundable,
      arrears: after.arrears,
      status: isWhole ? 'refunded' : 'partlyRefunded',
      insuranceStatus,
      ...(result.outcome === 'restSelfPay' ? { insuranceReason: result.reason } : {}),
    })
    .where(eq(settlement.id, row.id));
}

/**
 * A wholly refunded visit is never claimed. False when a claim of unknown fate keeps its conversion
 * open: it ends only when the truth is known and no live claim is left.
 */
async function cancelConversion(tx: Tx, row: SettlementRow, now: Date): Promise<boolean> {
  const [open] = await tx
    .select()
    .from(conversion)
    .where(
      and(
        eq(conversion.settlementId, row.id),
        inArray(conversion.status, ['queued', 'awaitingPatient']),
      ),
    )
    .for('update');
  if (!open) return true;
  if (open.unknownMsgid) return false;
  await tx
    .update(conversion)
    .set({ status: 'cancelled', reason: 'refunded', resolvedAt: now })
    .where(eq(conversion.id, open.id));
  await setAwaitsInsurance(tx, row.id, false);
  return true;
}

/** What came off insurer and hospital, by tender kind; never negative in the reply. */
function insurerParts(oldClaim: ClaimRow | null, result: Booked): InsurerParts[] {
  if (!oldClaim) return [];
  const after = result.outcome === 'reclaimed' ? insurerTenders(result.split) : [];
  return insurerTenders(oldClaim)
    .map((before) => {
      const kept = after.find((t) => t.kind === before.kind)?.amount ?? 0n;
      return { kind: before.kind, amount: before.amount - kept };
    })
    .filter((part) => part.amount > 0n)
    .map((part) => ({ ...part, amount: part.amount.toString() }));
}

async function finish(
  tx: Tx,
  done: {
    intent: Intent;
    order: RefundOrder;
    row: SettlementRow;
    now: Date;
    parts: InsurerParts[];
  },
): Promise<Reply> {
  const { intent, order, row, now, parts } = done;
  const [saved] = await tx
    .update(refund)
    .set({ status: 'completed', failure: null, insurerParts: parts, resolvedAt: now })
    .where(eq(refund.id, order.refundId))
    .returning();
  assert(saved, 'the refund was begun');
  await recordEvent(tx, {
    type: 'refund.completed',
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { refundId: saved.id, settlementId: row.id },
    occurredAt: now,
  });
  const answer: Reply = { status: 201, body: await refundView(tx, saved) };
  if (intent.key) finishRunningKey(tx, intent.key, answer);
  return answer;
}
