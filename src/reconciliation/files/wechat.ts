// Role: reads a WeChat Pay bill: header, rows with backticks, the summary's header and its one line.
import {
  FileRefusal,
  type Statement,
  type StatementRow,
  type StatementTotals,
} from '../statement.ts';
import { cutBill, hasColumn } from './bill.ts';
import { headerName } from './cells.ts';
import { csvRows, type RawRows } from './csv-rows.ts';
import { toUtf8 } from './text.ts';
import { WechatFundflow } from './wechat-fundflow.ts';
import { WechatTrade } from './wechat-trade.ts';

const summaries = new Set(['总交易单数', '资金流水总笔数']);

/** `format` null: found out from the header. */
export function wechatStatement(
  body: AsyncIterable<Buffer>,
  bill: { format: string | null; businessDate: string },
): Statement {
  const reader = new WechatReader(bill);
  const form = { delimiter: ',', isQuoted: true, isLenient: true };
  return {
    rows: reader.read(csvRows(toUtf8(body, 'utf-8'), form)),
    meta: () => ({ format: reader.format, merchants: reader.merchants() }),
    claimedTotals: () => reader.totals,
  };
}

class WechatReader {
  format: string | null;
  totals: StatementTotals | null = null;
  readonly #businessDate: string;
  #header: string[] = [];
  #summary: string[] | null = null;
  #bill: WechatTrade | WechatFundflow | null = null;

  constructor({ format, businessDate }: { format: string | null; businessDate: string }) {
    this.format = format;
    this.#businessDate = businessDate;
  }

  merchants(): string[] {
    return [...(this.#bill?.merchants ?? [])];
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
    if (!this.totals) throw cutBill(last);
  }

  #take(cells: string[], line: number): StatementRow | null {
    if (this.totals) {
      throw new FileRefusal('file/bad-value', '合计之后还有内容 rows after the totals', {
        row: line,
      });
    }
    if (!this.#bill) {
      this.#bill = this.#open(cells, line);
      return null;
    }
    if (this.#summary) {
      this.totals = this.#bill.end(this.#summary, cells, line);
      return null;
    }
    if (summaries.has(headerName(cells[0] ?? ''))) {
      this.#summary = cells;
      return null;
    }
    return this.#bill.row(this.#whole(cells, line), line);
  }

  #open(header: string[], line: number): WechatTrade | WechatFundflow {
    this.#header = header;
    if (!this.format) {
      if (hasColumn(header, '资金流水单号')) this.format = 'fundflow';
      else if (hasColumn(header, '微信订单号')) this.format = 'trade';
      else throw new FileRefusal('file/unknown-format', '不是微信账单 not a WeChat Pay bill');
    }
    return this.format === 'trade'
      ? new WechatTrade(header, line, this.#businessDate)
      : new WechatFundflow(header, line, this.#businessDate);
  }

  /** A comma in the name of goods splits its cell; what has no backtick belongs to the cell before. */
  #whole(cells: string[], line: number): string[] {
    const joined: string[] = [];
    const isTicked = (cells[0] ?? '').startsWith('`');
    for (const cell of cells) {
      if (isTicked && !cell.startsWith('`') && joined.length > 0) {
        joined.push(`${joined.pop()},${cell}`);
      } else joined.push(cell);
    }
    if (joined.length === this.#header.length) return joined;
    const isShort = joined.length < this.#header.length;
    const detail = `应有 ${this.#header.length} 列 expects as many cells as the header`;
    throw new FileRefusal(isShort ? 'file/truncated' : 'file/bad-value', detail, {
      row: line,
      column: headerName(this.#header[Math.min(joined.length, this.#header.length - 1)] ?? ''),
    });
  }
}
