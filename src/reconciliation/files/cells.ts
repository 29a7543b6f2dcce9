// Role: cells of a table by the names in its header, and the values that money files are made of.
// Law: nothing is guessed: an amount finer than a fen, a day that is none or a formula is refused with row and column.
import { DateTime } from 'luxon';
import { type Fen, MAX_FEN } from '../../money.ts';
import { FileRefusal } from '../statement.ts';

/** Where the wanted columns stand. */
export type Columns<K extends string> = Readonly<Record<K, number>>;

/** A header cell as it is compared: without BOM, blanks, backtick, and with plain brackets. */
export function headerName(cell: string): string {
  return cell
    .replace(/^[\ufeff`]+/, '')
    .replaceAll('（', '(')
    .replaceAll('）', ')')
    .trim();
}

/** Finds columns by name, never by position. Throws file/wrong-header naming the missing or doubled one. */
export function columnsOf<K extends string>(
  header: readonly string[],
  wanted: readonly K[],
  row: number,
): Columns<K> {
  const names = header.map(headerName);
  const found = wanted.map((name): [K, number] => {
    const plain = headerName(name);
    const at = names.indexOf(plain);
    if (at < 0) {
      throw new FileRefusal('file/wrong-header', `缺少列 ${name} missing column`, {
        row,
        column: name,
      });
    }
    if (names.indexOf(plain, at + 1) >= 0) {
      throw new FileRefusal('file/wrong-header', `列 ${name} 重复 column twice`, {
        row,
        column: name,
      });
    }
    return [name, at];
  });
  return Object.fromEntries(found) as Record<K, number>;
}

const FORMULA_STARTS = new Set(['=', '+', '-', '@', '\t', '\r']);
const NUMBER = /^[+-]?\d+(\.\d+)?$/;

/** True for a cell that a spreadsheet would run. */
export function isFormula(cell: string): boolean {
  if (!FORMULA_STARTS.has(cell[0] ?? '')) return false;
  const plain = cell.trim();
  return plain !== '' && !NUMBER.test(plain);
}

/** Throws file/formula for the first such cell of a row. */
export function refuseFormulas(
  cells: readonly string[],
  header: readonly string[],
  row: number,
): void {
  for (let at = 0; at < cells.length; at += 1) {
    if (isFormula(cells[at] ?? '')) {
      const column = header[at] ?? String(at + 1);
      throw new FileRefusal('file/formula', `单元格像公式 a cell looks like a formula`, {
        row,
        column,
      });
    }
  }
}

export function badValue(row: number, column: string, detail: string): FileRefusal {
  return new FileRefusal('file/bad-value', detail, { row, column });
}

const AMOUNT = /^(-?)(\d{1,10})(?:\.(\d{1,2})(0*))?$/;

/** A signed amount in yuan. Zeros beyond the fen are let pass; anything finer is refused. */
export function amountOf(cell: string, row: number, column: string): Fen {
  const [, sign, yuan, fen = ''] = AMOUNT.exec(cell) ?? [];
  const amount = yuan === undefined ? null : BigInt(yuan + fen.padEnd(2, '0'));
  if (amount === null || amount > MAX_FEN) {
    throw badValue(row, column, '金额应为元、至多两位小数 expects yuan with two decimals');
  }
  return sign ? -amount : amount;
}

/** Years of this service; the database and people know no year 0. */
const A_DAY = /^(19|2[01])\d{2}-\d{2}-\d{2}$/;
const days = new Map<string, boolean>();
/** More days than a statement has; a file of nonsense must not fill the memory. */
const MAX_DAYS = 1_000;

/** A day as YYYY-MM-DD. */
export function dayOf(cell: string, row: number, column: string): string {
  const known = days.get(cell);
  const isDay = known ?? (A_DAY.test(cell) && DateTime.fromISO(cell, { zone: 'utc' }).isValid);
  if (known === undefined) {
    if (days.size >= MAX_DAYS) days.clear();
    days.set(cell, isDay);
  }
  if (!isDay) throw badValue(row, column, '日期应为 YYYY-MM-DD expects a day');
  return cell;
}

const LOCAL_TIME = /^(\d{4}-\d{2}-\d{2})[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const SHANGHAI_TIME = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?\+08:00$/;

/** The Shanghai day of a moment: RFC 3339, or a local time without offset. */
export function dayOfTime(cell: string, row: number, column: string): string {
  const local = SHANGHAI_TIME.exec(cell) ?? LOCAL_TIME.exec(cell);
  if (local) return dayOf(local[1] ?? '', row, column);
  const time = DateTime.fromISO(cell, { setZone: true });
  if (!time.isValid || !/(Z|[+-]\d{2}:\d{2})$/.test(cell)) {
    throw badValue(row, column, '时间应为 RFC 3339 expects a time');
  }
  return dayOf(time.setZone('Asia/Shanghai').toISODate() ?? '', row, column);
}
