// The port to the lenders' payout desks. Every call has a deadline and may answer "unknown".
import type { Fen } from '../money.ts';

export interface PayoutFile {
  /** Ours; makes the hand-over idempotent. */
  fileId: string;
  /** YYYY-MM-DD, Shanghai: the day on which the bank shall book it. */
  bookOn: string;
  payments: PayoutPayment[];
}

export interface PayoutPayment {
  endToEndId: string;
  hospitalCode: string;
  amount: Fen;
  remark: string;
}

export type PayoutFileAnswer =
  | { outcome: 'accepted'; bankFileId: string }
  /** The bank took nothing of it. */
  | { outcome: 'refused'; reason: string }
  /** Surely not delivered: connection refused. */
  | { outcome: 'offline' }
  /** Nobody knows yet: ask with `findFile` before anything is repeated. */
  | { outcome: 'unknown' };

export interface PayoutBank {
  /** Hands a payout file over. Idempotent by `fileId`. */
  sendFile(lender: string, file: PayoutFile): Promise<PayoutFileAnswer>;
  /** What became of a file; `absent` when the bank never saw it. */
  findFile(lender: string, fileId: string): Promise<PayoutFileAnswer | { outcome: 'absent' }>;
}
