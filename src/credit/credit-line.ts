// Law (pure): held + outstanding + amount ≤ limit (+ inpatientExtra for inpatient, + outageExtra while
// insurance is awaited). The hold statements hold the same law in SQL; this file explains their answers.
import { type CapsUsed, type FamilyDecline, leftOfCaps } from '../family/link.ts';
import { type Fen, maxFen, minFen } from '../money.ts';

/** Why credit was declined: the link decides before the line, caps before the limit. */
export type CreditDecline =
  | FamilyDecline
  | 'credit/not-enrolled'
  | 'credit/consent-withdrawn'
  | 'credit/suspended'
  | 'credit/overdue'
  | 'credit/limit-exceeded';

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
  /** The link that the patient uses the line by; absent: the patient's own line. */
  family?: { refusal: FamilyDecline | null; caps: CapsUsed };
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
  if (wish.family?.refusal) return { decline: wish.family.refusal };
  const refusal = refusalOf(line, wish.isEmergency);
  if (!line || refusal) return { decline: refusal ?? 'credit/not-enrolled' };
  const free = available(line, wish.extra);
  const room = wish.family ? leftOfCaps(wish.family.caps) : free;
  const asked = wish.amount ?? wish.defaultAmount;
  const isPartial = wish.isPartialAllowed || wish.isEmergency || wish.amount === null;
  const amount = isPartial ? minFen(asked, minFen(free, room)) : asked;
  if (amount > 0n && amount <= minFen(free, room)) return { amount };
  const isCapped = wish.family !== undefined && room < (isPartial ? 1n : asked);
  return { decline: isCapped ? 'family/cap-exceeded' : 'credit/limit-exceeded' };
}
