// The port to the citizens' banks. Every call has a deadline and may answer "unknown".
import type { Fen } from '../money.ts';

export type DebitAnswer =
  | { outcome: 'paid'; bankSerial: string }
  | { outcome: 'declined'; reason: string }
  /** Surely not executed: connection refused. */
  | { outcome: 'offline' }
  /** Nobody knows yet: ask with `findDebit` before anything is repeated. */
  | { outcome: 'unknown' };

export interface LenderBank {
  /** Takes `amount` from the citizen's account. `serial` is ours and makes the call idempotent. */
  debit(
    lender: string,
    debit: { serial: string; account: string; amount: Fen },
  ): Promise<DebitAnswer>;
  /** What became of a debit; `absent` when the bank never saw it. */
  findDebit(lender: string, serial: string): Promise<DebitAnswer | { outcome: 'absent' }>;
  /** Pays `amount` back to the citizen's account (refund of repaid credit, or of cash). Idempotent. */
  payBack(
    lender: string,
    credit: { serial: string; account: string; amount: Fen },
  ): Promise<DebitAnswer>;
}
