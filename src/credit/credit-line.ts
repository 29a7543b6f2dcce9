// Law (pure): held + outstanding + amount ≤ limit (+ inpatientExtra for inpatient, + outageExtra while
// insurance is awaited). The hold statements hold the same law in SQL; this file explains their answers.
import { type Fen, maxFen, minFen } from '../money.ts';

/** Why credit was declined; family codes are decided by the family feature. */
export const creditDeclines = [
  'credit/not-enrolled',
  'credit/consent-withdrawn',
  'credit/suspended',
  'credit/overdue',
  'credit/limit-exceeded',
] as const;
export type CreditDecline = (typeof creditDeclines)[number];

export type LineState =
  | { status: 'active' }
  | { status: 'suspended'; suspendedFor: string }
  | { status: 'closed'; closedAt: Date };

/** What decides about more credit; all amounts in fen. */
export interface LineView {
  state: LineState;
  isConsented: boolean;
  /** Something is owed past its due time (what awaits insurance is never overdue). */
  isOverdue: boolean;
  limit: Fen;
  held: Fen;
  outstanding: Fen;
}

export interface HoldWish {
  /** The total asked for; null = the policy's default, at most what is available. */
  amount: Fen | null;
  defaultAmount: Fen;
  isPartialAllowed: boolean;
  /** Emergency: always partial, and also on a suspended or overdue line. */
  isEmergency: boolean;
  /** inpatientExtra and outageExtra as far as they apply. */
  extra: Fen;
}

/** What may still be held or captured: max(0, limit + extra − held − outstanding). */
export function available(
  line: Pick<LineView, 'limit' | 'held' | 'outstanding'>,
  extra: Fen = 0n,
): Fen {
  return maxFen(0n, line.limit + extra - line.held - line.outstanding);
}

/** The first reason why a line gives no more credit at all, or null when only the limit decides. */
export function refusalOf(
  line: Pick<LineView, 'state' | 'isConsented' | 'isOverdue'> | null,
  isEmergency: boolean,
): CreditDecline | null {
  if (!line || line.state.status === 'closed') return 'credit/not-enrolled';
  if (!line.isConsented) return 'credit/consent-withdrawn';
  if (isEmergency) return null;
  if (line.state.status === 'suspended') return 'credit/suspended';
  return line.isOverdue ? 'credit/overdue' : null;
}

/** How much a new hold gets, or why it gets nothing. */
export function decideHold(
  line: LineView | null,
  wish: HoldWish,
): { amount: Fen } | { decline: CreditDecline } {
  const refusal = refusalOf(line, wish.isEmergency);
  if (!line || refusal) return { decline: refusal ?? 'credit/not-enrolled' };
  const free = available(line, wish.extra);
  const asked = wish.amount ?? wish.defaultAmount;
  const isPartial = wish.isPartialAllowed || wish.isEmergency || wish.amount === null;
  const amount = isPartial ? minFen(asked, free) : asked;
  return amount > 0n && amount <= free ? { amount } : { decline: 'credit/limit-exceeded' };
}
