// Law: what a camt.053 statement says of its own counts and sums is what it holds.
import { checkTotal, type Sums } from './bill.ts';
import type { Fields } from './camt-xml.ts';
import { amountOf, badValue } from './cells.ts';

/** TxsSummry, where the bank gives it. */
export function checkSummary(summary: Fields, sums: Sums, line: number): void {
  const credit = sums.groups.credit ?? { count: 0, amount: 0n };
  const debit = sums.groups.debit ?? { count: 0, amount: 0n };
  const all = { count: sums.count, amount: credit.amount - debit.amount };
  const said = [
    ['TtlNtries', all],
    ['TtlCdtNtries', credit],
    ['TtlDbtNtries', { count: debit.count, amount: -debit.amount }],
  ] as const;
  for (const [name, found] of said) {
    const count = summary.get(`${name}/NbOfNtries`);
    const sum = summary.get(`${name}/Sum`);
    const column = `TxsSummry/${name}`;
    if (count !== undefined && !/^\d{1,15}$/.test(count)) throw badValue(line, column, count);
    if (count !== undefined) checkTotal(`${column}/NbOfNtries`, Number(count), found.count, line);
    if (sum !== undefined) {
      checkTotal(`${column}/Sum`, amountOf(sum, line, `${column}/Sum`), found.amount, line);
    }
  }
}
