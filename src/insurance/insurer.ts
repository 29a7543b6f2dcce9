// The port to the national insurance platform: one message out, one of five answers back.
import type { Fen } from '../money.ts';

export type Infno =
  | '9001'
  | '1101'
  | '2001'
  | '2201'
  | '2202'
  | '2203'
  | '2204'
  | '2205'
  | '2206'
  | '2207'
  | '2208'
  | '2301'
  | '2302'
  | '2303'
  | '2304'
  | '2305'
  | '2401'
  | '2402'
  | '2404'
  | '2405'
  | '2601'
  | '3201'
  | '3202'
  | '5201'
  | '5203'
  | '9101'
  | '9102';

export type RouteName = 'local' | 'crossRegion';

export interface Message {
  infno: Infno;
  /** From the database's sequence (message-store.ts); never reused. */
  msgid: string;
  hospital: { code: string; name: string; region: string };
  /** insuplc_admdvs of the person, once 1101 said it; null before. */
  insuredRegion: string | null;
  operator: { id: string; name: string };
  /** Lets the message through an open breaker: it belongs to the one half-open trial. */
  trialToken?: string;
  /** The node(s) of the trade, e.g. {data: {…}}; money as yuan strings. */
  input: Record<string, unknown>;
}

/** A node of the insurer's answer: every number is kept as its text. */
export type WireNode = { [field: string]: WireValue };
export type WireValue = string | null | boolean | WireNode | WireValue[];

/**
 * What one message came to (domain.md, Answers).
 * offline: surely not executed. unknown: may have been executed; never send it again.
 */
export type Answer =
  | { outcome: 'ok'; output: WireNode }
  /** The insurer says it was done before (已撤销, nothing to cancel): as good as ok, without output. */
  | { outcome: 'alreadyDone'; reason: string }
  | { outcome: 'rejected'; reason: string }
  | { outcome: 'notInsured'; reason: string }
  | { outcome: 'offline'; reason: string }
  | { outcome: 'unknown'; reason: string };

export interface Insurer {
  /** Sends one message; never throws, never waits longer than the deadline. */
  send(message: Message, deadlineMs: number): Promise<Answer>;
}

/** setlinfo of 2206, 2207, 2208, their inpatient pairs or 5203 in fen, its invariants of nhsa.md §2.9 already checked. */
export interface ClaimSplit {
  /** Empty for a preview (2206, 2303). */
  setlId: string;
  mdtrtId: string;
  medinsSetlId: string;
  total: Fen;
  /** fund_pay_sumamt */
  fund: Fen;
  /** acct_pay, the shared part included */
  account: Fen;
  /** acct_mulaid_pay ⊂ acct_pay */
  familyAccount: Fen;
  /** hosp_part_amt */
  hospitalBorne: Fen;
  /** psn_cash_pay: what the citizen carries. */
  cash: Fen;
  insutype: string;
  clrType: string;
  clrOptins: string;
  setlTime: Date | null;
  /** Echoed in 2207: fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt. */
  fullyOwnPaid: Fen;
  overLimit: Fen;
  firstOwnPaid: Fen;
  inScope: Fen;
}
