// Role: what the bills of payment channels have in common: cells by name, sums kept while reading, and the
// bill's own totals that must agree with them.
import { type Fen, formatYuan } from '../../money.ts';
import { FileRefusal, type StatementRow, type StatementTotals } from '../statement.ts';
import { amountOf, badValue, type Columns, columnsOf, isFormula } from './cells.ts';

/** One line of a bill, its cells by name. */
export class BillRow {
  readonly line: number;
  readonly #cells: readonly string[];
  readonly #columns: Columns<string>;

  constructor(cells: readonly string[], columns: Columns<string>, line: number) {
    this.#cells = cells;
    this.#columns = columns;
    this.line = line;
  }

  has(column: string): boolean {
    return this.#columns[column] !== undefined;
  }

  /** The cell without backtick, tabs and blanks; "" where the bill has no such column. */
  text(column: string): string {
    const cell = (this.#cells[this.#columns[column] ?? -1] ?? '').trim();
    const plain = cell.startsWith('`') ? cell.slice(1).trim() : cell;
    if (!isFormula(plain)) return plain;
    throw new FileRefusal('file/formula', '单元格像公式 a cell looks like a formula', {
      row: this.line,
      column,
    });
  }

  /** A text that must be there. */
  needed(column: string): string {
    const text = this.text(column);
    if (text === '') throw badValue(this.line, column, '不能为空 must not be empty');
    return text;
  }

  /** Signed yuan to fen; an empty cell is 0. */
  amount(column: string): Fen {
    const text = this.text(column);
    return text === '' ? 0n : amountOf(text, this.line, column);
  }

  /** Evidence: the columns that name no person, by the file's own header names. */
  detail(columns: readonly string[]): Record<string, string> {
    const present = columns.filter((column) => this.has(column));
    return Object.fromEntries(present.map((column) => [column, this.text(column)]));
  }
}

/** Columns that must be there, and those that may. */
export function billColumns(
  header: readonly string[],
  needed: readonly string[],
  optional: readonly string[],
  line: number,
): Columns<string> {
  const there = optional.filter((name) => hasColumn(header, name));
  return columnsOf(header, [...needed, ...there], line);
}

export function hasColumn(header: readonly string[], name: string): boolean {
  try {
    return columnsOf(header, [name], 0)[name] !== undefined;
  } catch {
    return false;
  }
}

/** Count and net amount of what was read, by kind. */
export class Sums {
  count = 0;
  amount: Fen = 0n;
  readonly groups: Record<string, { count: number; amount: Fen }> = {};

  add({ kind, amount }: Pick<StatementRow, 'kind' | 'amount'>): void {
    this.groups[kind] ??= { count: 0, amount: 0n };
    const group = this.groups[kind];
    group.count += 1;
    group.amount += amount;
    this.count += 1;
    this.amount += amount;
  }

  totals(): StatementTotals {
    return { count: this.count, amount: this.amount, groups: this.groups };
  }
}

/** Throws file/totals-lie when a bill says one thing of itself and is another. */
export function checkTotal(
  column: string,
  said: Fen | number,
  found: Fen | number,
  line: number,
  shown: (value: Fen | number) => string = countOrYuan,
): void {
  if (BigInt(said) === BigInt(found)) return;
  const detail = `合计 ${shown(said)}，明细之和 ${shown(found)} the total is not the sum of the rows`;
  throw new FileRefusal('file/totals-lie', detail, { row: line, column });
}

/** A count as it is, money in yuan. */
const countOrYuan = (value: Fen | number) =>
  typeof value === 'bigint' ? formatYuan(value) : String(value);

export function cutBill(line: number): FileRefusal {
  return new FileRefusal('file/truncated', '缺少合计 the totals at the end are missing', {
    row: line,
  });
}

/** A count in a summary. */
export function numberOf(row: BillRow, column: string): number {
  const text = row.needed(column);
  if (!/^\d{1,9}$/.test(text)) throw badValue(row.line, column, '应为笔数 expects a count');
  return Number(text);
}
