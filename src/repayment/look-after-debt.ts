// Law: a person is told that a bill is due, then the bank is asked, and only what it did not pay is overdue,
// however late a worker comes (domain.md, Repayment).
import type { Deps } from '../deps.ts';
import { debitDue } from './auto-debit.ts';
import { lookAfterOverdue } from './overdue.ts';
import { remindOfDebt } from './remind.ts';

/** One after the other, each until nothing is left to do; returns how much was done. */
export async function lookAfterDebt(deps: Deps): Promise<number> {
  let done = 0;
  for (const step of [remindOfDebt, debitDue]) {
    for (let count = await step(deps); count > 0; count = await step(deps)) done += count;
  }
  return done + (await lookAfterOverdue(deps));
}
