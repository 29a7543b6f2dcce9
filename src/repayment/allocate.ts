// Law (pure): a repayment pays what is due first, first; what awaits insurance comes last; never more
// than is owed on a receivable (domain.md, Repayment).
import { type Fen, minFen, sumFen } from '../money.ts';

export interface Debt {
  id: string;
  /** Fen still owed, more than 0. */
  owed: Fen;
  dueAt: Date;
  awaitsInsurance: boolean;
}

export interface Allocation {
  receivableId: string;
  amount: Fen;
}

/** Spreads `amount` fen over the debts; null when they are less than it. */
export function allocate(debts: readonly Debt[], amount: Fen): Allocation[] | null {
  if (amount > sumFen(debts.map((debt) => debt.owed))) return null;
  const allocations: Allocation[] = [];
  let rest = amount;
  for (const debt of [...debts].sort(byDue)) {
    const part = minFen(rest, debt.owed);
    if (part === 0n) break;
    allocations.push({ receivableId: debt.id, amount: part });
    rest -= part;
  }
  return allocations;
}

function byDue(a: Debt, b: Debt): number {
  if (a.awaitsInsurance !== b.awaitsInsurance) return a.awaitsInsurance ? 1 : -1;
  return a.dueAt.getTime() - b.dueAt.getTime() || (a.id < b.id ? -1 : 1);
}
