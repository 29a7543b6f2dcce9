// Law: an entry is named after a business fact, has no zero leg, and balances within each owner;
// mirrored accounts of two owners move together. Pure: the database holds the same laws again.
import type { Fen } from '../money.ts';
import { type AccountCode, type AccountOf, accountOf, type OwnerKind } from './chart.ts';

/** Business facts that entries are named after; `subjectId` is unique for ever within one fact. */
export const facts = [
  'settlement.settled',
  'settlement.paymentCollected',
  'settlement.converted',
  'refund.completed',
  'moneyBack.paid',
  'voucher.paid',
  'repayment.paid',
  'repayment.returned',
  'repayment.received',
  'debit.sent',
  'debit.resolved',
  'arrears.recorded',
  'debt.writtenOff',
  'debt.recovered',
  'payout.sent',
  'payout.confirmed',
  'payout.returned',
  'break.adjusted',
  'insurer.paid',
  'insurer.deducted',
  'order.paid',
  'order.performed',
  'order.cleared',
] as const;

export type Fact = (typeof facts)[number];

/** Whose books a leg is in. */
export interface Books<K extends OwnerKind = OwnerKind> {
  ownerKind: K;
  /** Hospital code or lender code. */
  owner: string;
}

/** What a leg is about, beside its amount. */
export interface About {
  /** The other side of a mirrored account: the lender of H1203, the hospital of B2101. */
  counterparty?: string | undefined;
  /** The payer whose debt (B1301) or refundable money (B2201, H2203) it is. */
  citizenId?: string | undefined;
  /** Default: the entry's settlement. */
  settlementId?: string | undefined;
  claimId?: string | undefined;
  /** Instrument kind, setl_id, voucher. */
  reference?: string | undefined;
  /** The counter shift whose drawer a leg of H1101 moves. */
  shiftId?: string | undefined;
  /** The leg that this one takes back, wholly or in part. */
  undoes?: { entryId: string; leg: number } | undefined;
}

export interface Leg extends About {
  ownerKind: OwnerKind;
  owner: string;
  account: AccountCode;
  /** Fen; debit positive, credit negative, never zero in an entry. */
  amount: Fen;
}

export interface Entry {
  fact: Fact;
  /** The thing it is about: a settlement, a repayment, a refund … */
  subjectId: string;
  settlementId?: string | undefined;
  /** When it happened for the business; the time of recording is the database's. */
  occurredAt: Date;
  legs: Leg[];
}

export class UnbalancedEntry extends Error {}

export const hospitalBooks = (code: string): Books<'H'> => ({ ownerKind: 'H', owner: code });
export const lenderBooks = (code: string): Books<'B'> => ({ ownerKind: 'B', owner: code });

/** A debit leg of a non-negative amount (a zero one is for `withoutZero` to drop). */
export function debit<K extends OwnerKind>(
  books: Books<K>,
  account: AccountOf<K>,
  amount: Fen,
  about: About = {},
): Leg {
  return legOf(books, account, amount, 1n, about);
}

/** A credit leg of a non-negative amount (a zero one is for `withoutZero` to drop). */
export function credit<K extends OwnerKind>(
  books: Books<K>,
  account: AccountOf<K>,
  amount: Fen,
  about: About = {},
): Leg {
  return legOf(books, account, amount, -1n, about);
}

/** Drops legs of nothing, so that builders may write every leg of a pattern. */
export function withoutZero(legs: readonly Leg[]): Leg[] {
  return legs.filter((leg) => leg.amount !== 0n);
}

/**
 * Returns the entry if it is lawful; throws UnbalancedEntry (a bug, not a refusal) if it has fewer
 * than two legs, a zero leg, an account of another kind of owner, an owner whose on-balance or
 * off-balance legs do not sum to zero, or a mirrored account that moves alone.
 */
export function balanced(entry: Entry): Entry {
  if (entry.legs.length < 2) throw wrong(entry, 'has fewer than two legs');
  for (const leg of entry.legs) {
    const account = accountOf(leg.account);
    if (leg.amount === 0n) throw wrong(entry, `has a zero leg on ${leg.account}`);
    if (account.owner !== leg.ownerKind) {
      throw wrong(entry, `has account ${leg.account} in ${leg.ownerKind} books`);
    }
    if (account.mirrorOf && !leg.counterparty) {
      throw wrong(entry, `has no counterparty on ${leg.account}`);
    }
  }
  const unbalanced = firstNonZero(entry.legs, ownerKey);
  if (unbalanced) throw wrong(entry, `does not balance for ${unbalanced}`);
  const alone = firstNonZero(
    entry.legs.filter((leg) => accountOf(leg.account).mirrorOf),
    mirrorKey,
  );
  if (alone) throw wrong(entry, `moves a mirrored account alone: ${alone}`);
  return entry;
}

function legOf(books: Books, account: AccountCode, amount: Fen, sign: bigint, about: About): Leg {
  if (amount < 0n) throw new RangeError(`a leg on ${account} needs a non-negative amount`);
  return {
    ...about,
    ownerKind: books.ownerKind,
    owner: books.owner,
    account,
    amount: sign * amount,
  };
}

/** Memorandum accounts balance among themselves. */
function ownerKey(leg: Leg): string {
  const book = accountOf(leg.account).isOffBalance ? 'off balance' : 'on balance';
  return `${leg.ownerKind} ${leg.owner} (${book})`;
}

/** The same text for both sides of a mirror: the two accounts and the two owners, in one order. */
function mirrorKey(leg: Leg): string {
  const mine = `${leg.account} of ${leg.owner}`;
  const theirs = `${accountOf(leg.account).mirrorOf} of ${leg.counterparty}`;
  return [mine, theirs].sort().join(' and ');
}

function firstNonZero(legs: readonly Leg[], keyOf: (leg: Leg) => string): string | undefined {
  const sums = new Map<string, Fen>();
  for (const leg of legs) sums.set(keyOf(leg), (sums.get(keyOf(leg)) ?? 0n) + leg.amount);
  for (const [key, sum] of sums) if (sum !== 0n) return key;
  return undefined;
}

function wrong(entry: Entry, what: string): UnbalancedEntry {
  return new UnbalancedEntry(`entry ${entry.fact} of ${entry.subjectId} ${what}`);
}
