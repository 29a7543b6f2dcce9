// Row 11 of books.md, first half: the lender bears a debt as its loss and still claims it. It is owed no
// more, so nothing is debited or dunned; the line is the lender's to open again.
import { eq, sql } from 'drizzle-orm';
import { takeOffPlan } from '../credit/instalments.ts';
import { restoreLine } from '../credit/restore-line.ts';
import type { Tx } from '../db/db.ts';
import { creditLine, receivable } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { credit, debit, lenderBooks } from '../ledger/journal.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { lockDebt } from './lock-debt.ts';

/** `amount` null: all that is owed. Refuses with notice/wrong-state, repayment/under-way, repayment/exceeds-debt. */
export async function writeOff(
  tx: Tx,
  order: { receivableId: string; noticeId: string; amount: Fen | null; now: Date },
): Promise<Fen> {
  const { noticeId, now } = order;
  const { row, owed } = await lockDebt(tx, order.receivableId);
  const amount = order.amount ?? owed;
  if (amount > owed) throw new Refusal('repayment/exceeds-debt');
  await tx
    .update(receivable)
    .set({ writtenOff: row.writtenOff + amount })
    .where(eq(receivable.id, row.id));
  await takeOffPlan(tx, row.id, amount, 'last');
  await tx
    .update(creditLine)
    .set({
      outstanding: sql`${creditLine.outstanding} - ${amount.toString()}::bigint`,
      status: 'suspended',
      frozenFor: sql`coalesce(${creditLine.frozenFor}, 'lender')`,
    })
    .where(eq(creditLine.id, row.lineId));
  const bank = lenderBooks(row.lender);
  const about = { citizenId: row.citizenId, settlementId: row.settlementId };
  await postEntry(tx, {
    fact: 'debt.writtenOff',
    subjectId: noticeId,
    occurredAt: now,
    legs: [
      debit(bank, '5101', amount, about),
      credit(bank, '1301', amount, about),
      debit(bank, '9301', amount, about),
      credit(bank, '9302', amount, about),
    ],
  });
  await recordEvent(tx, {
    type: 'receivable.writtenOff',
    citizenId: row.citizenId,
    data: { receivableId: row.id, amount: formatYuan(amount) },
    occurredAt: now,
  });
  await restoreLine(tx, row.lineId);
  return amount;
}
