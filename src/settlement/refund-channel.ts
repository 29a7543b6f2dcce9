// The port to the instruments that counter money goes back on: WeChat Pay, Alipay, cards, e-CNY and
// the patient's own bank account. `serial` is ours and makes the call idempotent.
import type { DebitAnswer } from '../credit/lender-bank.ts';
import type { Fen } from '../money.ts';
import type { CounterKind } from './waterfall.ts';

export interface ChannelRefund {
  serial: string;
  kind: CounterKind;
  hospitalCode: string;
  /** The payment that it undoes, as the terminal named it. */
  reference: string | null;
  /** The patient's verified account, for cash. */
  account: string | null;
  amount: Fen;
}

export interface RefundChannel {
  /** Sends money back; asking again with the same serial pays once. */
  payBack(refund: ChannelRefund): Promise<DebitAnswer>;
}
