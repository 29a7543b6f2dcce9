// Role: a hospital's day file (files.md, Our own formats), from CSV or from a workbook.
import { type TenderKind, tenderKinds } from '../../settlement/waterfall.ts';
import { FileRefusal, type Statement, type StatementRow } from '../statement.ts';
import {
  amountOf,
  badValue,
  type Columns,
  columnsOf,
  dayOf,
  dayOfTime,
  refuseFormulas,
} from './cells.ts';
import type { RawRows } from './csv-rows.ts';
import { SeenRows } from './same-rows.ts';

/** The published header; the order is free and other columns may stand beside these. */
export const hospitalColumns = [
  'businessDate',
  'fixmedinsCode',
  'receiptNumber',
  'refundOf',
  'visitNumber',
  'settlementId',
  'setlId',
  'invoiceNumber',
  'kind',
  'amount',
  'occurredAt',
  'shift',
  'operator',
] as const;
type Column = (typeof hospitalColumns)[number];

/** What the file is said to be. */
export interface HospitalDay {
  businessDate: string;
  /** Null: whichever one hospital the first row names. */
  hospitalCode: string | null;
}

/** Our text columns hold at most what our own numbers hold. */
const MAX_TEXT = 64;
const kinds: ReadonlySet<string> = new Set<TenderKind>(tenderKinds);

/** Reads the day. Refusals name row and column; `meta` has rows and hospitalCode. */
export function hospitalStatement(raw: AsyncIterable<RawRows>, day: HospitalDay): Statement {
  const reader = new HospitalReader(day);
  return {
    rows: reader.read(raw),
    meta: () => ({ rows: reader.count, hospitalCode: reader.hospitalCode }),
    claimedTotals: () => null,
  };
}

class HospitalReader {
  count = 0;
  hospitalCode: string | null;
  readonly #businessDate: string;
  readonly #seen = new SeenRows();
  #header: string[] = [];
  #columns: Columns<Column> | null = null;

  constructor(day: HospitalDay) {
    this.hospitalCode = day.hospitalCode;
    this.#businessDate = day.businessDate;
  }

  async *read(raw: AsyncIterable<RawRows>): AsyncGenerator<StatementRow[]> {
    for await (const { rows, lines } of raw) {
      const batch: StatementRow[] = [];
      for (let at = 0; at < rows.length; at += 1) {
        const cells = rows[at] ?? [];
        const line = lines[at] ?? 0;
        if (this.#columns) batch.push(this.#row(cells, line, this.#columns));
        else this.#takeHeader(cells, line);
      }
      if (batch.length > 0) yield batch;
    }
    if (!this.#columns) throw new FileRefusal('file/truncated', '文件为空 the file is empty');
  }

  #takeHeader(cells: string[], line: number): void {
    this.#columns = columnsOf(cells, hospitalColumns, line);
    this.#header = cells;
  }

  #row(cells: string[], line: number, columns: Columns<Column>): StatementRow {
    this.#checkWidth(cells, line);
    refuseFormulas(cells, this.#header, line);
    if (this.#seen.add(cells)) {
      const detail = '与前面一行完全相同 the same row stands twice';
      throw new FileRefusal('file/duplicate-row', detail, { row: line, column: 'receiptNumber' });
    }
    const detail = detailOf(cells, columns, line);
    this.#checkDay(detail, line);
    const { receiptNumber, kind, visitNumber } = detail;
    if (receiptNumber === '' && visitNumber === '' && detail.settlementId === '') {
      throw badValue(line, 'receiptNumber', '没有收据号、就诊号和结算号 nothing to join by');
    }
    if (!kinds.has(kind)) throw badValue(line, 'kind', '不是支付方式 not a tender kind');
    this.count += 1;
    return {
      rowNumber: line,
      kind,
      key: receiptNumber,
      key2: visitNumber === '' ? null : visitNumber,
      amount: amountOf(detail.amount, line, 'amount'),
      fee: 0n,
      occurredOn: dayOfTime(detail.occurredAt, line, 'occurredAt'),
      detail,
    };
  }

  #checkWidth(cells: string[], line: number): void {
    const width = this.#header.length;
    if (cells.length === width) return;
    const isShort = cells.length < width;
    const detail = `应有 ${width} 列 expects as many cells as the header`;
    throw new FileRefusal(isShort ? 'file/truncated' : 'file/bad-value', detail, {
      row: line,
      column: this.#header[Math.min(cells.length, width - 1)] ?? '',
    });
  }

  #checkDay({ businessDate, fixmedinsCode }: Detail, line: number): void {
    if (dayOf(businessDate, line, 'businessDate') !== this.#businessDate) {
      const detail = `应为 ${this.#businessDate} another day than the file is for`;
      throw badValue(line, 'businessDate', detail);
    }
    this.hospitalCode ??= fixmedinsCode;
    if (fixmedinsCode === '' || fixmedinsCode !== this.hospitalCode) {
      const detail = `应为 ${this.hospitalCode} another hospital's code`;
      throw badValue(line, 'fixmedinsCode', detail);
    }
  }
}

/** Evidence of a row; `operator` may be a person's name and stays out. */
type Detail = Record<Exclude<Column, 'operator'>, string>;

/** A literal, because a million rows are made of it. */
function detailOf(cells: string[], at: Columns<Column>, line: number): Detail {
  return {
    businessDate: textOf(cells, at, 'businessDate', line),
    fixmedinsCode: textOf(cells, at, 'fixmedinsCode', line),
    receiptNumber: textOf(cells, at, 'receiptNumber', line),
    refundOf: textOf(cells, at, 'refundOf', line),
    visitNumber: textOf(cells, at, 'visitNumber', line),
    settlementId: textOf(cells, at, 'settlementId', line),
    setlId: textOf(cells, at, 'setlId', line),
    invoiceNumber: textOf(cells, at, 'invoiceNumber', line),
    kind: textOf(cells, at, 'kind', line),
    amount: textOf(cells, at, 'amount', line),
    occurredAt: textOf(cells, at, 'occurredAt', line),
    shift: textOf(cells, at, 'shift', line),
  };
}

const UNPRINTABLE = /\p{Cc}/u;

function textOf(cells: string[], at: Columns<Column>, column: Column, line: number): string {
  const cell = (cells[at[column]] ?? '').trim();
  if (cell.length <= MAX_TEXT && !UNPRINTABLE.test(cell)) return cell;
  throw badValue(line, column, `超过 ${MAX_TEXT} 字或含控制字符 too long, or not printable`);
}
