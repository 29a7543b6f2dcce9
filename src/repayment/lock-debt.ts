// A debt that a lender changes by its own word: locked, owed, and neither in a debit nor before the insurer.
import { eq, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { creditLine, receivable } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import type { Fen } from '../money.ts';

export type DebtRow = typeof receivable.$inferSelect;

/** Locks line, then receivable. Refuses with notice/wrong-state, repayment/under-way. */
export async function lockDebt(tx: Tx, receivableId: string): Promise<{ row: DebtRow; owed: Fen }> {
  const [seen] = await tx.select().from(receivable).where(eq(receivable.id, receivableId));
  assert(seen, `receivable ${receivableId} is there`);
  await tx.select().from(creditLine).where(eq(creditLine.id, seen.lineId)).for('update');
  const [row] = await tx
    .select()
    .from(receivable)
    .where(eq(receivable.id, receivableId))
    .for('update');
  assert(row, `receivable ${receivableId} is there`);
  const owed = row.amount - row.paid - row.reduced - row.writtenOff;
  if (owed === 0n || row.awaitsInsurance) throw new Refusal('notice/wrong-state');
  const open = await rows(
    tx,
    sql`select 1 from repayment_allocation where receivable_id = ${row.id} and is_open`,
  );
  if (open.length > 0) throw new Refusal('repayment/under-way');
  return { row, owed };
}
