// What is due at the counter is collected there, wholly or in parts (books.md, row 14).
import { eq, sql } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { settlement, tender } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { openLegs } from '../ledger/open-legs.ts';
import { postEntry } from '../ledger/post.ts';
import { formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { inDrawer } from '../shift/drawer.ts';
import { lockVisit } from '../visit/visit-store.ts';
import { collectedEntry } from './entries.ts';
import { refuseWhileBusy } from './intent-store.ts';
import {
  findSettlement,
  lockSettlement,
  reserveReference,
  type SettlementRow,
} from './settlement-store.ts';
import type { CounterTender } from './waterfall.ts';

/**
 * Collects at most what is due. Refuses with settlement/nothing-due, payment/exceeds-due,
 * tender/reference-used, settlement/busy, resource/not-found.
 */
export async function collectPayment(
  tx: Tx,
  terminal: { hospitalCode: string; terminalId: string | null },
  settlementId: string,
  payment: CounterTender,
): Promise<SettlementRow> {
  const { hospitalCode } = terminal;
  const found = await findSettlement(tx, settlementId, hospitalCode);
  if (!found) throw new Refusal('resource/not-found');
  const visit = await lockVisit(tx, found.visitId, hospitalCode);
  if (visit.status === 'settling') throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
  const row = await lockSettlement(tx, settlementId, hospitalCode);
  await refuseWhileBusy(tx, row.id);
  if (payment.kind === 'deposit' && visit.kind !== 'inpatient') {
    throw new Refusal('tender/deposit-not-allowed');
  }
  const due = row.dueAtCounter - row.dueReduced;
  if (due === 0n) throw new Refusal('settlement/nothing-due');
  if (payment.amount > due) {
    const detail = `应收 ${formatYuan(due)} is due`;
    throw new Refusal('payment/exceeds-due', { detail });
  }
  await reserveReference(tx, hospitalCode, row.id, payment);
  const now = await businessNow(tx);
  const position = await insertTender(tx, row.id, payment, now);
  const [saved] = await tx
    .update(settlement)
    .set({
      dueAtCounter: row.dueAtCounter - payment.amount,
      ...(row.status === 'awaitingPayment' && payment.amount === due ? { status: 'settled' } : {}),
    })
    .where(eq(settlement.id, row.id))
    .returning();
  assert(saved, 'the locked settlement is there');
  const entry = collectedEntry({
    subjectId: `${row.id}/${position}`,
    settlementId: row.id,
    hospitalCode,
    kind: payment.kind,
    amount: payment.amount,
    occurredAt: now,
    openLegs: await openLegs(tx, row.id),
  });
  await postEntry(tx, { ...entry, legs: await inDrawer(tx, terminal.terminalId, entry.legs) });
  if (row.status === 'awaitingPayment' && saved.status === 'settled') {
    await recordEvent(tx, {
      type: 'settlement.settled',
      hospitalCode,
      ...(saved.citizenId ? { citizenId: saved.citizenId } : {}),
      data: { settlementId: saved.id, visitId: saved.visitId, total: formatYuan(saved.total) },
      occurredAt: now,
    });
  }
  return saved;
}

async function insertTender(
  tx: Tx,
  settlementId: string,
  payment: CounterTender,
  paidAt: Date,
): Promise<number> {
  const [row] = await tx
    .insert(tender)
    .values({
      settlementId,
      position: sql`(select coalesce(max(position), 0) + 1 from tender where settlement_id = ${settlementId})`,
      kind: payment.kind,
      amount: payment.amount,
      reference: payment.reference,
      paidAt,
    })
    .returning({ position: tender.position });
  assert(row, 'the tender is inserted');
  return row.position;
}
