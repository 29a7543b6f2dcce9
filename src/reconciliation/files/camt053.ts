// Role: a bank's camt.053 statement (versions 2 to 8 and later). Laws: opening + entries = closing; counts and sums
// as the summary says; amounts without sign, in the account's currency; each statement once; what is not booked yet
// is no movement.
import type { Fen } from '../../money.ts';
import {
  FileRefusal,
  type Statement,
  type StatementRow,
  type StatementTotals,
} from '../statement.ts';
import { checkTotal, Sums } from './bill.ts';
import { rowsOf } from './camt-rows.ts';
import { checkSummary } from './camt-summary.ts';
import { CamtXml, type Fields, type Part } from './camt-xml.ts';
import { amountOf, badValue } from './cells.ts';
import { fileLimits } from './limits.ts';
import { peek } from './peek.ts';
import { toUtf8 } from './text.ts';

export interface CamtStatement {
  id: string;
  /** ElctrncSeqNb; "" where the bank numbers nothing. */
  sequence: string;
  account: string;
  from: string;
  to: string;
  opening: string;
  closing: string;
}

/** `currency` is CNY but for samples of other countries. */
export function camt053Statement(body: AsyncIterable<Buffer>, currency = 'CNY'): Statement {
  const reader = new CamtReader(currency);
  return {
    rows: reader.read(body),
    meta: () => ({
      statements: reader.statements,
      version: reader.version,
      skipped: reader.skipped,
    }),
    claimedTotals: () => reader.totals,
  };
}

interface Running {
  line: number;
  opening: Fen | null;
  closing: Fen | null;
  summary: Fields | null;
  summaryLine: number;
  sums: Sums;
}

class CamtReader {
  totals: StatementTotals | null = null;
  version: string | null = null;
  /** Entries that are not booked: pending or only for information. */
  skipped = 0;
  readonly statements: CamtStatement[] = [];
  readonly #currency: string;
  readonly #all = new Sums();
  #running: Running | null = null;

  constructor(currency: string) {
    this.#currency = currency;
  }

  async *read(body: AsyncIterable<Buffer>): AsyncGenerator<StatementRow[]> {
    const xml = new CamtXml();
    const { head, body: whole } = await peek(body);
    const isGbk = /^[^>]*encoding=["']gb(k|2312|18030)["']/i.test(head.toString('latin1'));
    const decoder = new TextDecoder('utf-8');
    for await (const chunk of toUtf8(whole, isGbk ? 'gb18030' : 'utf-8')) {
      yield* this.#batches(xml.write(decoder.decode(chunk, { stream: true })));
    }
    yield* this.#batches(xml.end());
    this.version = xml.version;
    if (this.statements.length === 0) {
      throw new FileRefusal('file/wrong-header', '没有对账单 there is no statement', {
        column: 'Stmt',
      });
    }
    this.totals = this.#all.totals();
  }

  *#batches(parts: readonly Part[]): Generator<StatementRow[]> {
    let batch: StatementRow[] = [];
    for (const part of parts) {
      batch.push(...this.#take(part));
      if (batch.length < fileLimits.batch) continue;
      for (let from = 0; from < batch.length; from += fileLimits.batch) {
        yield batch.slice(from, from + fileLimits.batch);
      }
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  #take(part: Part): StatementRow[] {
    const { line } = part;
    if (part.type === 'statement') {
      this.#running = {
        line,
        opening: null,
        closing: null,
        summary: null,
        summaryLine: line,
        sums: new Sums(),
      };
      return [];
    }
    const running = this.#running;
    if (!running) return [];
    switch (part.type) {
      case 'balance':
        this.#balance(running, part.fields, line);
        return [];
      case 'summary':
        Object.assign(running, { summary: part.fields, summaryLine: line });
        return [];
      case 'entry':
        return this.#entry(running, part);
      case 'statementEnd':
        this.#end(running, part.fields, line);
        return [];
      default:
        return part satisfies never;
    }
  }

  #balance(running: Running, fields: Fields, line: number): void {
    const type = fields.get('Tp/CdOrPrtry/Cd') ?? '';
    // PRCD is the closing balance of the day before: an opening one.
    const isOpening = type === 'OPBD' || (type === 'PRCD' && running.opening === null);
    if (!isOpening && type !== 'CLBD') return;
    const amount = this.#signed(fields, line, 'Bal');
    if (isOpening) running.opening = amount;
    else running.closing = amount;
  }

  #entry(running: Running, part: Extract<Part, { type: 'entry' }>): StatementRow[] {
    const { fields, line } = part;
    const status = fields.get('Sts') ?? fields.get('Sts/Cd') ?? 'BOOK';
    if (status !== 'BOOK') {
      this.skipped += 1;
      return [];
    }
    const amount = this.#signed(fields, line, 'Ntry');
    const kind = amount < 0n ? 'debit' : 'credit';
    running.sums.add({ kind, amount });
    const rows = rowsOf(part, amount, this.#currency);
    for (const row of rows) this.#all.add(row);
    if (this.#all.count > fileLimits.rows) throw new FileRefusal('file/too-large', 'entries');
    return rows;
  }

  /** Amt is unsigned; CdtDbtInd says what it did to the account, also on a reversal. */
  #signed(fields: Fields, line: number, column: string): Fen {
    const text = fields.get('Amt');
    if (text === undefined) throw badValue(line, `${column}/Amt`, '缺少金额 no amount');
    const currency = fields.get('Amt@Ccy');
    if (currency !== this.#currency) {
      throw badValue(
        line,
        `${column}/Amt`,
        `${currency ?? ''} 不是 ${this.#currency} wrong currency`,
      );
    }
    const amount = amountOf(text, line, `${column}/Amt`);
    if (amount < 0n) throw badValue(line, `${column}/Amt`, '金额不带符号 amounts have no sign');
    const indicator = fields.get('CdtDbtInd');
    if (indicator !== 'CRDT' && indicator !== 'DBIT') {
      throw badValue(line, `${column}/CdtDbtInd`, '应为 CRDT 或 DBIT expects CRDT or DBIT');
    }
    return indicator === 'CRDT' ? amount : -amount;
  }

  #end(running: Running, fields: Fields, line: number): void {
    const { opening, closing, sums } = running;
    const id = fields.get('Id') ?? '';
    if (id === '') throw badValue(line, 'Stmt/Id', '缺少对账单号 no statement id');
    const account = fields.get('Acct/Id/IBAN') ?? fields.get('Acct/Id/Othr/Id') ?? '';
    if (this.statements.some((other) => other.id === id && other.account === account)) {
      throw new FileRefusal('file/duplicate-row', `对账单 ${id} 出现两次 twice`, {
        row: line,
        column: 'Stmt/Id',
      });
    }
    if (opening === null || closing === null) {
      const column = opening === null ? 'Bal/OPBD' : 'Bal/CLBD';
      throw badValue(line, column, '缺少余额 a balance is missing');
    }
    checkTotal('Bal/CLBD', closing, opening + sums.amount, line);
    if (running.summary) checkSummary(running.summary, sums, running.summaryLine);
    const from = fields.get('FrToDt/FrDtTm') ?? fields.get('FrToDt/FrDt') ?? '';
    const to = fields.get('FrToDt/ToDtTm') ?? fields.get('FrToDt/ToDt') ?? '';
    const sequence = fields.get('ElctrncSeqNb') ?? '';
    const balances = { opening: opening.toString(), closing: closing.toString() };
    this.statements.push({ id, sequence, account, from, to, ...balances });
    this.#running = null;
  }
}
