// Role: Alipay's bills: 业务明细 (trade) and 账务明细 (signcustomer), zipped or bare, GBK, with # lines around
// the table, trailing tabs, and totals at the end (files.md).
import { isUtf8 } from 'node:buffer';
import type { Fen } from '../../money.ts';
import {
  FileRefusal,
  type Statement,
  type StatementRow,
  type StatementTotals,
} from '../statement.ts';
import { type Form, forms } from './alipay-forms.ts';
import { BillRow, billColumns, checkTotal, cutBill, hasColumn, Sums } from './bill.ts';
import { badValue, type Columns, headerName } from './cells.ts';
import { csvRows, type RawRows } from './csv-rows.ts';
import { peek } from './peek.ts';
import { toUtf8 } from './text.ts';

/** `format` null: found out from the header. `body` is the CSV, already out of its zip. */
export function alipayStatement(
  body: AsyncIterable<Buffer>,
  bill: { format: string | null; businessDate: string },
): Statement {
  const reader = new AlipayReader(bill);
  return {
    rows: reader.read(alipayRows(body)),
    meta: () => ({ format: reader.format, account: reader.account }),
    claimedTotals: () => reader.totals,
  };
}

/** Alipay writes GBK; what passed through another tool may have become UTF-8. */
async function* alipayRows(body: AsyncIterable<Buffer>): AsyncGenerator<RawRows> {
  const { head, body: whole } = await peek(body);
  const lastLine = head.lastIndexOf(0x0a);
  const encoding = isUtf8(head.subarray(0, lastLine < 0 ? head.length : lastLine))
    ? 'utf-8'
    : 'gb18030';
  yield* csvRows(toUtf8(whole, encoding), { delimiter: ',', isQuoted: true, isLenient: true });
}

class AlipayReader {
  format: string | null;
  account: string | null = null;
  totals: StatementTotals | null = null;
  readonly #businessDate: string;
  readonly #sums = new Sums();
  /** What the total lines speak of: by kind, or money in and out. */
  readonly #parts = new Sums();
  readonly #said = new Set<string>();
  #header: string[] = [];
  #columns: Columns<string> | null = null;
  #isTableOver = false;

  constructor({ format, businessDate }: { format: string | null; businessDate: string }) {
    this.format = format;
    this.#businessDate = businessDate;
  }

  async *read(raw: AsyncIterable<RawRows>): AsyncGenerator<StatementRow[]> {
    let last = 0;
    for await (const { rows, lines } of raw) {
      const batch: StatementRow[] = [];
      for (let at = 0; at < rows.length; at += 1) {
        last = lines[at] ?? 0;
        const row = this.#take(rows[at] ?? [], last);
        if (row) batch.push(row);
      }
      if (batch.length > 0) yield batch;
    }
    this.#end(last);
  }

  #take(cells: string[], line: number): StatementRow | null {
    const first = (cells[0] ?? '').trim();
    if (first.startsWith('#')) {
      this.#note(cells.join(','), line);
      return null;
    }
    if (cells.length === 1 && first === '') return null;
    if (!this.#columns) {
      this.#columns = this.#open(cells, line);
      return null;
    }
    if (this.#isTableOver) {
      throw new FileRefusal('file/bad-value', '合计之后还有内容 rows after the totals', {
        row: line,
      });
    }
    if (cells.length < this.#header.length) throw cutBill(line);
    return this.#row(new BillRow(cells, this.#columns, line));
  }

  #open(header: string[], line: number): Columns<string> {
    this.#header = header.at(-1)?.trim() === '' ? header.slice(0, -1) : header;
    if (!this.format) {
      if (hasColumn(header, '支付宝交易号')) this.format = 'trade';
      else if (hasColumn(header, '账务流水号')) this.format = 'signcustomer';
      else
        throw new FileRefusal('file/unknown-format', '不是支付宝账单 not an Alipay bill', {
          row: line,
        });
    }
    const { needed, evidence } = this.#form();
    return billColumns(
      header,
      needed,
      evidence.filter((name) => !needed.includes(name)),
      line,
    );
  }

  #form(): Form {
    return forms[this.format as keyof typeof forms];
  }

  #row(cells: BillRow): StatementRow {
    const { row, evidence } = this.#form();
    const read = { rowNumber: cells.line, ...row(cells), detail: cells.detail(evidence) };
    if (read.occurredOn !== this.#businessDate) {
      const column = cells.has('完成时间') ? '完成时间' : '发生时间';
      throw badValue(
        cells.line,
        column,
        `应为 ${this.#businessDate} another day than the bill is for`,
      );
    }
    this.#sums.add(read);
    this.#parts.add(this.format === 'trade' ? receivedOf(cells, read) : wayOf(read));
    return read;
  }

  /** A # line: the account, the end of the table, or a total. */
  #note(text: string, line: number): void {
    this.account ??= /账号[:：]\s*\[?(\d+)/.exec(text)?.[1] ?? null;
    if (!this.#columns) return;
    if (text.includes('列表结束')) this.#isTableOver = true;
    const form = this.#form();
    const [, word, count, amount] = form.total.exec(text) ?? [];
    if (!word) return;
    this.#isTableOver = true;
    this.#said.add(word);
    const found = form.kindsOf(word, this.#parts);
    checkTotal(`${word}笔数`, Number(count), found.count, line);
    const said = unsigned(amount ?? '', line, `${word}金额`);
    checkTotal(`${word}金额`, said, found.amount < 0n ? -found.amount : found.amount, line);
  }

  #end(line: number): void {
    if (!this.#columns)
      throw new FileRefusal('file/truncated', '没有表头 there is no header', { row: line });
    const words = this.format === 'trade' ? ['交易', '退款'] : ['收入', '支出'];
    for (const word of words) {
      const isNeeded = this.#form().kindsOf(word, this.#parts).count > 0;
      if (isNeeded && !this.#said.has(word)) throw cutBill(line);
    }
    if (this.#said.size === 0) throw cutBill(line);
    this.totals = this.#sums.totals();
  }
}

/** Total lines of the trade bill are about what the merchant received, not about the order. */
function receivedOf(cells: BillRow, { kind }: StatementRow): { kind: string; amount: Fen } {
  return { kind, amount: cells.amount('商家实收(元)') };
}

const wayOf = ({ amount }: StatementRow) => ({ kind: amount < 0n ? 'out' : 'in', amount });
function unsigned(text: string, line: number, column: string): Fen {
  const plain = headerName(text).replace(/^-/, '');
  if (!/^\d{1,10}(\.\d{1,2})?$/.test(plain)) throw badValue(line, column, '应为金额 expects yuan');
  const [yuan = '', fen = ''] = plain.split('.');
  return BigInt(yuan + fen.padEnd(2, '0'));
}
