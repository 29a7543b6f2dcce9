// Law: one debit under way a receivable, whoever asks for it; the debit is noted, and stands in the books
// as in transit, before the bank hears of it.
import { sql } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { repayment, repaymentAllocation } from '../db/schema.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';
import type { Allocation } from './allocate.ts';
import { postDebitSent } from './debit-in-transit.ts';
import type { RepaymentRow } from './repayment-store.ts';

export interface NewRepayment {
  citizenId: string;
  line: { id: string; lender: string };
  amount: Fen;
  /** relative: another person's account; autoDebit: one a line and slot; lender: it has the money. */
  by:
    | { cause: 'citizen' }
    | { cause: 'relative'; paidByCitizenId: string }
    | { cause: 'autoDebit'; slot: string }
    | { cause: 'lender' };
  allocations: readonly Allocation[];
}

/** Null when the slot was tried already. The caller holds the line's lock. */
export async function beginRepayment(tx: Tx, wish: NewRepayment): Promise<RepaymentRow | null> {
  const { citizenId, line, amount, by } = wish;
  const id = newId('repayment');
  const [row] = await tx
    .insert(repayment)
    .values({
      ...{ id, citizenId, lineId: line.id, lender: line.lender, amount, ...by },
      status: 'processing',
      // Real time: it tells how long the bank has had.
      createdAt: sql`clock_timestamp()`,
    })
    .onConflictDoNothing({ target: [repayment.lineId, repayment.slot] })
    .returning();
  if (!row) return null;
  const isDebit = by.cause !== 'lender';
  await tx.insert(repaymentAllocation).values(
    // What the lender has already is never under way.
    wish.allocations.map((part) => ({ repaymentId: id, ...part, isOpen: isDebit })),
  );
  if (isDebit) await postDebitSent(tx, row, await businessNow(tx));
  return row;
}
