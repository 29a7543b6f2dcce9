// Law: a drawer is counted against H1101 once, with nobody booking cash meanwhile; what it holds more or
// less is a break that a person must settle, and what is unpaid goes the way of the hospital's policy.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { counterShift, reconciliationBreak } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { type Fen, formatYuan } from '../money.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { expectedIn, lockShift, type ShiftRow, unpaidOf } from './shift-store.ts';
import { readUnpaidPolicy } from './unpaid-policy.ts';

/** Refuses with resource/not-found, shift/closed. `counted` in fen. */
export async function closeShift(
  tx: Tx,
  caller: { terminalId: string; hospitalCode: string },
  order: { shiftId: string; counted: Fen },
): Promise<ShiftRow> {
  const row = await lockShift(tx, caller, order.shiftId);
  if (row.closedAt) throw new Refusal('shift/closed');
  const now = await businessNow(tx);
  const expected = await expectedIn(tx, row);
  const unpaid = await leaveUnpaid(tx, row);
  const [saved] = await tx
    .update(counterShift)
    .set({ expected, counted: order.counted, closedAt: now, unpaid })
    .where(eq(counterShift.id, row.id))
    .returning();
  assert(saved, 'the locked shift is there');
  if (expected !== order.counted) await openBreak(tx, saved, { expected, ...order, now });
  return saved;
}

/** Lists what is unpaid and what becomes of it; an "undo" is a job, because the insurer is asked. */
async function leaveUnpaid(tx: Tx, row: ShiftRow) {
  const found = await unpaidOf(tx, row);
  if (found.length === 0) return [];
  const policy = await readUnpaidPolicy(tx, row.hospitalCode);
  if (policy === 'undo') {
    for (const { settlementId } of found) {
      const payload = { shiftId: row.id, hospitalCode: row.hospitalCode };
      await enqueueJob(tx, { kind: 'undoUnpaid', subjectId: settlementId, payload });
    }
  }
  return found.map(({ settlementId, amount }) => ({
    settlementId,
    amount: formatYuan(amount),
    becomes: policy,
  }));
}

async function openBreak(
  tx: Tx,
  row: ShiftRow,
  seen: { expected: Fen; counted: Fen; now: Date },
): Promise<void> {
  const { expected, counted, now } = seen;
  await tx.insert(reconciliationBreak).values({
    id: newId('reconciliationBreak'),
    counterparty: 'counter',
    scope: row.hospitalCode,
    subject: row.id,
    kind: counted > expected ? 'amountOver' : 'amountUnder',
    businessDate: row.businessDate,
    hospitalCode: row.hospitalCode,
    ourAmount: expected,
    theirAmount: counted,
    status: 'open',
    isSelfClearing: false,
    remedy: 'adjust',
    evidence: {
      ours: [
        {
          shiftId: row.id,
          openingFloat: formatYuan(row.openingFloat),
          expected: formatYuan(expected),
        },
      ],
      theirs: [{ terminalId: row.terminalId, shift: row.shift, counted: formatYuan(counted) }],
    },
    openedAt: now,
  });
}
