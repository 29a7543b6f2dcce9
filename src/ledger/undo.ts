// Law: a correction names the legs that it undoes and never takes more off them than is left. Pure.
import { type Fen, minFen, sumFen } from '../money.ts';
import { type AccountCode, type AccountOf, accountOf, type OwnerKind } from './chart.ts';
import type { Fact, Leg } from './journal.ts';

/** A posted leg and how much of it was undone already; see open-legs.ts. */
export interface OpenLeg {
  entryId: string;
  leg: number;
  fact: Fact;
  ownerKind: OwnerKind;
  owner: string;
  account: AccountCode;
  /** Fen as posted: debit positive, credit negative. */
  amount: Fen;
  /** Fen, from 0 to the absolute amount. */
  undone: Fen;
  counterparty: string | null;
  citizenId: string | null;
  settlementId: string | null;
  claimId: string | null;
  reference: string | null;
}

/** Which legs may be undone; whatever is left out fits every leg. */
export interface LegMatch<K extends OwnerKind> extends MatchDetails {
  ownerKind: K;
  account: AccountOf<K>;
}

interface MatchDetails {
  owner: string;
  /** The side of the legs to undo; default: the side on which the account grows. */
  side?: 'debit' | 'credit';
  counterparty?: string;
  citizenId?: string;
  claimId?: string;
  reference?: string;
  fact?: Fact;
}

export class NothingLeftToUndo extends Error {}

/** Fen that may still be undone on the legs that fit. */
export function leftToUndo<K extends OwnerKind>(
  openLegs: readonly OpenLeg[],
  match: LegMatch<K>,
): Fen {
  return sumFen(openLegs.filter((leg) => fits(leg, match)).map(leftOf));
}

/**
 * Takes `amount` fen (≥ 0) off the legs that fit, in the order given (openLegs: newest first), and
 * returns the undoing legs: other side, same account and owner, about the same things.
 * Throws NothingLeftToUndo if the legs have less than `amount` left.
 */
export function undoLegs<K extends OwnerKind>(
  openLegs: readonly OpenLeg[],
  wanted: LegMatch<K> & { amount: Fen },
): Leg[] {
  if (wanted.amount < 0n) throw new RangeError('cannot undo a negative amount');
  const legs: Leg[] = [];
  let rest = wanted.amount;
  for (const open of openLegs) {
    if (rest === 0n) break;
    if (!fits(open, wanted)) continue;
    const part = minFen(rest, leftOf(open));
    if (part === 0n) continue;
    legs.push(undoingLeg(open, part));
    rest -= part;
  }
  if (rest > 0n) {
    const { ownerKind, owner, account, amount } = wanted;
    throw new NothingLeftToUndo(
      `${ownerKind}${account} of ${owner} has ${amount - rest} fen left to undo, not ${amount}`,
    );
  }
  return legs;
}

function undoingLeg(open: OpenLeg, part: Fen): Leg {
  return {
    ownerKind: open.ownerKind,
    owner: open.owner,
    account: open.account,
    amount: open.amount > 0n ? -part : part,
    counterparty: open.counterparty ?? undefined,
    citizenId: open.citizenId ?? undefined,
    settlementId: open.settlementId ?? undefined,
    claimId: open.claimId ?? undefined,
    reference: open.reference ?? undefined,
    undoes: { entryId: open.entryId, leg: open.leg },
  };
}

function leftOf(leg: OpenLeg): Fen {
  return (leg.amount < 0n ? -leg.amount : leg.amount) - leg.undone;
}

function fits(leg: OpenLeg, match: MatchDetails & { ownerKind: string; account: string }): boolean {
  const side = leg.amount > 0n ? 'debit' : 'credit';
  return (
    leg.ownerKind === match.ownerKind &&
    leg.owner === match.owner &&
    leg.account === match.account &&
    side === (match.side ?? accountOf(leg.account).normal) &&
    (match.counterparty === undefined || leg.counterparty === match.counterparty) &&
    (match.citizenId === undefined || leg.citizenId === match.citizenId) &&
    (match.claimId === undefined || leg.claimId === match.claimId) &&
    (match.reference === undefined || leg.reference === match.reference) &&
    (match.fact === undefined || leg.fact === match.fact)
  );
}
