// Reads a lender's disbursement answer (files.md, Our own formats): by header name, every row whole, what
// does not add up refused with row and column. Memory is a row a capture.
import {
  amountOf,
  badValue,
  columnsOf,
  dayOf,
  refuseFormulas,
} from '../reconciliation/files/cells.ts';
import { csvRows } from '../reconciliation/files/csv-rows.ts';
import { toUtf8 } from '../reconciliation/files/text.ts';
import { FileRefusal } from '../reconciliation/statement.ts';
import type { Listed } from './disbursement-store.ts';

const answerColumns = [
  'holdId',
  'loanNumber',
  'receivableId',
  'amount',
  'status',
  'reason',
  'bookedOn',
] as const;
type Column = (typeof answerColumns)[number];

export interface AnswerRow {
  receivableId: string;
  /** Null: refused. */
  loanNumber: string | null;
  reason: string;
  row: number;
}

const MAX_LOAN_NUMBER = 60;

/** Every row of the file as it is. Throws FileRefusal. */
export async function readAnswer(
  body: AsyncIterable<Buffer>,
  listed: ReadonlyMap<string, Listed>,
): Promise<AnswerRow[]> {
  const answers: AnswerRow[] = [];
  const seen = { receivables: new Set<string>(), loans: new Set<string>() };
  let header: { names: string[]; at: Record<Column, number> } | null = null;
  for await (const { rows, lines } of csvRows(toUtf8(body, 'utf-8'))) {
    for (const [index, cells] of rows.entries()) {
      const row = lines[index] ?? 0;
      if (!header) {
        header = { names: cells, at: columnsOf(cells, answerColumns, row) };
        continue;
      }
      if (cells.length < header.names.length) throw cutOff(row);
      refuseFormulas(cells, header.names, row);
      const { at } = header;
      const cell = (column: Column) => (cells[at[column]] ?? '').trim();
      answers.push(answerOf(cell, row, listed, seen));
    }
  }
  if (!header) throw new FileRefusal('file/wrong-header', '没有表头 no header', { row: 1 });
  return answers;
}

function answerOf(
  cell: (column: Column) => string,
  row: number,
  listed: ReadonlyMap<string, Listed>,
  seen: { receivables: Set<string>; loans: Set<string> },
): AnswerRow {
  const receivableId = cell('receivableId');
  const loan = listed.get(receivableId);
  if (!loan) throw badValue(row, 'receivableId', '不在该日放款文件中 not in the file of that day');
  if (cell('holdId') !== (loan.hold_id ?? ''))
    throw badValue(row, 'holdId', '与账单不符 not its hold');
  if (amountOf(cell('amount'), row, 'amount') !== loan.amount) {
    throw badValue(row, 'amount', '与放款文件不符 not the amount of the file');
  }
  once(seen.receivables, receivableId, row, 'receivableId');
  const status = cell('status');
  if (status === 'refused') {
    const reason = cell('reason');
    if (reason === '') throw badValue(row, 'reason', '拒绝须写明原因 a refusal needs its reason');
    return { receivableId, loanNumber: null, reason, row };
  }
  if (status !== 'booked')
    throw badValue(row, 'status', '应为 booked 或 refused expects booked or refused');
  dayOf(cell('bookedOn'), row, 'bookedOn');
  const loanNumber = cell('loanNumber');
  if (loanNumber === '' || loanNumber.length > MAX_LOAN_NUMBER) {
    throw badValue(row, 'loanNumber', '缺少借据号 a booked loan has its number');
  }
  once(seen.loans, loanNumber, row, 'loanNumber');
  return { receivableId, loanNumber, reason: '', row };
}

function once(seen: Set<string>, value: string, row: number, column: Column): void {
  if (seen.has(value)) {
    throw new FileRefusal('file/duplicate-row', `${column} 重复 stands twice`, { row, column });
  }
  seen.add(value);
}

const cutOff = (row: number) =>
  new FileRefusal('file/truncated', '行不完整 the row is cut off', { row });
