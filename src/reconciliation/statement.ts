// The seam between the parsers of counterparties' files and the matching: one shape for every file, in batches.
import type { Fen } from '../money.ts';

/** One row of a counterparty's file, the same shape for all counterparties. */
export interface StatementRow {
  /** The line in the file; the first data row carries its own line number. */
  rowNumber: number;
  /** hospital: tender kind; bank: 'credit' | 'debit'; channels: 'payment' | 'refund'; insurer: 'settled' | 'reversed'. */
  kind: string;
  /**
   * The key that really joins (files.md). hospital: receiptNumber, '' where there is none (refundOf,
   * settlementId, setlId and invoiceNumber are looked up in `detail` by their header names);
   * insurer: setl_id, '' for a centre-only row; bank: EndToEndId, '' where there is none;
   * channels: 商户订单号, of a refund 商户退款单号 (its payment's 商户订单号 is in `detail`).
   */
  key: string;
  /** The second key: hospital visitNumber, insurer msgid, bank remark, channels 微信订单号 / 支付宝交易号; or null. */
  key2: string | null;
  /**
   * Signed fen: money to the hospital (bank: to the account) is positive. Insurer: medfee_sumamt, with
   * fund_pay_sumamt and acct_pay in `detail`; a reversal is negative.
   */
  amount: Fen;
  /** The channel's fee in fen, 0 where the file has none. */
  fee: Fen;
  /** The day it happened in Shanghai, YYYY-MM-DD. */
  occurredOn: string;
  /** What a person needs as evidence, by the file's own header names; never a name of a person. */
  detail: Record<string, string>;
}

/** What a file says of itself in its trailer or summary. */
export interface StatementTotals {
  count: number;
  amount: Fen;
  groups?: Record<string, { count: number; amount: Fen }>;
}

/** A file being read: rows as they come, the totals at the end. Memory stays flat; reading throws FileRefusal. */
export interface Statement {
  /** Batches of at most 1,000 rows. */
  rows: AsyncIterable<StatementRow[]>;
  /** What the header says, known once the rows were read. */
  meta(): Record<string, unknown>;
  /** The file's own totals, or null where it has none; known once the rows were read. */
  claimedTotals(): StatementTotals | null;
}

/** Why a file is refused whole. */
export type FileRefusalCode =
  | 'file/wrong-header'
  | 'file/wrong-encoding'
  | 'file/truncated'
  | 'file/zip-bomb'
  | 'file/formula'
  | 'file/duplicate-row'
  | 'file/totals-lie'
  | 'file/bad-value'
  | 'file/unknown-format'
  | 'file/too-large';

/** A file that is not what it should be: the code, and where it was seen. */
export class FileRefusal extends Error {
  readonly code: FileRefusalCode;
  readonly row: number | null;
  readonly column: string | null;
  readonly detail: string;

  constructor(code: FileRefusalCode, detail: string, at: { row?: number; column?: string } = {}) {
    super(`${code}: ${detail}`);
    this.name = 'FileRefusal';
    this.code = code;
    this.detail = detail;
    this.row = at.row ?? null;
    this.column = at.column ?? null;
  }
}
