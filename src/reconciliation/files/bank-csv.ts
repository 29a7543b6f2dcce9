// Role: the bank statement as CSV, for banks that write no camt.053. Our own published format: UTF-8 with a header,
// one row a booked movement, in booking order; amounts unsigned with a direction; `balance` is the account's after it.
import type { Fen } from '../../money.ts';
import {
  FileRefusal,
  type Statement,
  type StatementRow,
  type StatementTotals,
} from '../statement.ts';
import { BillRow, checkTotal, Sums } from './bill.ts';
import { amountOf, badValue, type Columns, columnsOf, dayOf, refuseFormulas } from './cells.ts';
import { csvRows, type RawRows } from './csv-rows.ts';
import { SeenRows } from './same-rows.ts';
import { toUtf8 } from './text.ts';

/** The published header; optional cells may be empty, but every column stands there. */
export const bankColumns = [
  'statementId',
  'sequence',
  'account',
  'entryRef',
  'endToEndId',
  'remark',
  'direction',
  'amount',
  'currency',
  'bookedOn',
  'valueOn',
  'counterAccount',
  'balance',
] as const;

export function bankCsvStatement(body: AsyncIterable<Buffer>): Statement {
  const reader = new BankReader();
  return {
    rows: reader.read(csvRows(toUtf8(body, 'utf-8'))),
    meta: () => ({ statements: [reader.statement] }),
    claimedTotals: () => reader.totals,
  };
}

class BankReader {
  totals: StatementTotals | null = null;
  statement: { id: string; sequence: string; account: string } | null = null;
  readonly #sums = new Sums();
  readonly #entries = new SeenRows();
  #header: string[] = [];
  #columns: Columns<string> | null = null;
  #balance: Fen | null = null;

  async *read(raw: AsyncIterable<RawRows>): AsyncGenerator<StatementRow[]> {
    for await (const { rows, lines } of raw) {
      const batch: StatementRow[] = [];
      for (let at = 0; at < rows.length; at += 1) {
        const row = this.#take(rows[at] ?? [], lines[at] ?? 0);
        if (row) batch.push(row);
      }
      if (batch.length > 0) yield batch;
    }
    if (!this.#columns) throw new FileRefusal('file/truncated', '文件为空 the file is empty');
    this.totals = this.#sums.totals();
  }

  #take(cells: string[], line: number): StatementRow | null {
    if (!this.#columns) {
      this.#columns = columnsOf(cells, bankColumns, line);
      this.#header = cells;
      return null;
    }
    if (cells.length !== this.#header.length) {
      const code = cells.length < this.#header.length ? 'file/truncated' : 'file/bad-value';
      throw new FileRefusal(code, '列数与表头不同 not as many cells as the header', {
        row: line,
        column: this.#header[Math.min(cells.length, this.#header.length - 1)] ?? '',
      });
    }
    refuseFormulas(cells, this.#header, line);
    const row = new BillRow(cells, this.#columns, line);
    this.#check(row);
    const read = movementOf(row);
    this.#follow(row, read.amount);
    this.#sums.add(read);
    return read;
  }

  /** One statement a file; no movement twice; only CNY. */
  #check(row: BillRow): void {
    const said = {
      id: row.needed('statementId'),
      sequence: row.needed('sequence'),
      account: row.needed('account'),
    };
    this.statement ??= said;
    for (const [key, column] of [
      ['id', 'statementId'],
      ['sequence', 'sequence'],
      ['account', 'account'],
    ] as const) {
      if (said[key] === this.statement[key]) continue;
      throw badValue(row.line, column, '一个文件只含一份对账单 one statement a file');
    }
    const reference = row.needed('entryRef');
    if (this.#entries.add([reference])) {
      throw new FileRefusal('file/duplicate-row', `${reference} 出现两次 stands twice`, {
        row: row.line,
        column: 'entryRef',
      });
    }
    if (row.needed('currency') !== 'CNY') throw badValue(row.line, 'currency', '不是 CNY not CNY');
  }

  /** Balance before + movement = balance after, wherever the bank says balances. */
  #follow(row: BillRow, amount: Fen): void {
    const before = this.#balance;
    const text = row.text('balance');
    this.#balance = text === '' ? null : row.amount('balance');
    if (before === null || this.#balance === null) return;
    checkTotal('balance', this.#balance, before + amount, row.line);
  }
}

function movementOf(row: BillRow): StatementRow {
  const direction = row.needed('direction');
  if (direction !== 'credit' && direction !== 'debit') {
    throw badValue(row.line, 'direction', '应为 credit 或 debit');
  }
  const amount = amountOf(row.needed('amount'), row.line, 'amount');
  if (amount < 0n) throw badValue(row.line, 'amount', '金额不带符号 amounts have no sign');
  const remark = row.text('remark');
  return {
    rowNumber: row.line,
    kind: direction,
    key: row.text('endToEndId'),
    key2: remark === '' ? null : remark,
    amount: direction === 'credit' ? amount : -amount,
    fee: 0n,
    occurredOn: dayOf(row.needed('bookedOn'), row.line, 'bookedOn'),
    detail: row.detail(bankColumns),
  };
}
