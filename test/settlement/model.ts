// A small model of the service in plain sums: what each use case does to bills, tenders and debts.
// It shares no code with src/, so that agreeing with it means something. Pure.
import { halfUp } from '../support/rational.ts';
import type { Conversion } from './model-conversion.ts';
import {
  type Borrower,
  capture,
  type Debt,
  type Fen,
  fallDue,
  type Line,
  least,
  most,
  owedOn,
} from './model-credit.ts';

/** Ten-thousandths of a quantity: the finest the contract knows. */
export const UNITS = 10_000n;

export const sumOf = (parts: readonly { amount: Fen }[]): Fen =>
  parts.reduce((all, part) => all + part.amount, 0n);

export interface Item {
  lineNumber: number;
  batch: string;
  units: bigint;
  amount: Fen;
  leftUnits: bigint;
  leftAmount: Fen;
}

export interface Tender {
  kind: string;
  amount: Fen;
  reference?: string;
  givenBack: Fen;
}

/** What the insurer's own books say of a claim. */
export interface Claim {
  setlId: string;
  fund: Fen;
  account: Fen;
  hospitalBorne: Fen;
  cash: Fen;
}

export interface Settlement {
  id: string;
  batches: string[];
  total: Fen;
  tenders: Tender[];
  unused: { kind: string; amount: Fen; reference: string }[];
  dueAtCounter: Fen;
  dueReduced: Fen;
  /** What a refused or dearer rest left the patient owing; not collected at the counter. */
  arrears: Fen;
  status: 'settled' | 'awaitingPayment' | 'partlyRefunded' | 'refunded';
  insurance:
    | 'claimed'
    | 'awaitingInsurance'
    | 'converted'
    | 'rejected'
    | 'notInsured'
    | 'skipped'
    | 'reversed';
  claim: Claim | null;
  /** Oldest first; at most the newest is queued. */
  conversions: Conversion[];
  refundable: Fen;
  debt: Debt | null;
}

export interface Visit extends Borrower {
  id: string;
  number: string;
  status: 'open' | 'settled' | 'cancelled';
  items: Item[];
  settlements: Settlement[];
}

export interface Offer {
  kind: string;
  amount: Fen;
  reference: string;
}

/** The insurer's parts in the order of the waterfall; account money is the patient's own. */
export function insurerParts(claim: Claim | null): { kind: string; amount: Fen }[] {
  if (!claim) return [];
  return [
    { kind: 'insuranceFund', amount: claim.fund },
    { kind: 'hospitalBorne', amount: claim.hospitalBorne },
    { kind: 'personalAccount', amount: claim.account },
  ].filter((part) => part.amount > 0n);
}

export function divide(total: Fen, claim: Claim | null, offers: readonly Offer[]) {
  let owed = claim ? claim.cash : total;
  const taken: Offer[] = [];
  const unused: Offer[] = [];
  for (const offer of offers) {
    const amount = least(offer.amount, owed);
    owed -= amount;
    if (amount > 0n) taken.push({ ...offer, amount });
    if (amount < offer.amount) unused.push({ ...offer, amount: offer.amount - amount });
  }
  return { parts: [...insurerParts(claim), ...taken], unused, owed };
}

/** Closes batches of a visit as the insurer, the counter and credit carry them. */
export function settle(
  visit: Visit,
  closing: {
    id: string;
    batches: string[];
    offers: readonly Offer[];
    claim: Claim | null;
    insurance: Settlement['insurance'];
  },
  now: number,
): Settlement {
  const items = visit.items.filter((item) => closing.batches.includes(item.batch));
  const total = sumOf(items);
  const { parts, unused, owed } = divide(total, closing.claim, closing.offers);
  const debt = capture(visit, owed, closing.insurance === 'awaitingInsurance', now);
  const credit = debt ? [{ kind: 'credit', amount: debt.amount }] : [];
  const dueAtCounter = owed - (debt?.amount ?? 0n);
  const made: Settlement = {
    id: closing.id,
    batches: closing.batches,
    total,
    tenders: [...parts, ...credit].map((part) => ({ ...part, givenBack: 0n })),
    unused,
    dueAtCounter,
    dueReduced: 0n,
    arrears: 0n,
    status: dueAtCounter > 0n ? 'awaitingPayment' : 'settled',
    insurance: closing.insurance,
    claim: closing.claim,
    conversions: [],
    refundable: total,
    debt,
  };
  visit.settlements.push(made);
  const isSettled = visit.items.every((item) =>
    visit.settlements.some((s) => s.batches.includes(item.batch)),
  );
  visit.status = isSettled ? 'settled' : 'open';
  return made;
}

export const dueOf = (of: Settlement): Fen => of.dueAtCounter - of.dueReduced;

export function collect(of: Settlement, offer: Offer): void {
  const isWhole = offer.amount === dueOf(of);
  of.tenders.push({ ...offer, givenBack: 0n });
  of.dueAtCounter -= offer.amount;
  if (of.status === 'awaitingPayment' && isWhole) of.status = 'settled';
}

/** What a refund of these units leaves of a line: half-up of its share. */
export function leftAfter(item: Item, units: bigint): { leftUnits: bigint; leftAmount: Fen } {
  const leftUnits = item.leftUnits - units;
  return { leftUnits, leftAmount: halfUp({ n: item.amount * leftUnits, d: item.units }) };
}

export interface Back {
  kind: string;
  amount: Fen;
  /** False: it only lowers what is owed. */
  isMoney: boolean;
}

/** Money that is to go back on an instrument, and what has become of it. */
export interface Sending {
  kind: string;
  amount: Fen;
  status: 'pending' | 'sent' | 'done' | 'voucher' | 'failed';
}

const promises = ['commercialInsurance', 'subsidy', 'deposit'];
const fromInsurer = ['insuranceFund', 'hospitalBorne', 'personalAccount', 'credit'];

/** The queued conversion of a bill, if it has one. */
export const queuedOf = (of: Settlement): Conversion | null =>
  of.conversions.find((conversion) => conversion.status === 'queued') ?? null;

/**
 * Takes what a refund or a conversion gives back: what is due, what is owed, what was paid, newest
 * first. A refund leaves what is shown of the bill as it was settled, a conversion rewrites it.
 */
export function giveBack(
  line: Line | null,
  of: Settlement,
  amount: Fen,
  cause: 'refund' | 'conversion',
): Back[] {
  let rest = amount;
  const back: Back[] = [];
  const lower = (tender: Tender, part: Fen) => {
    if (cause === 'refund') tender.givenBack += part;
    else tender.amount -= part;
  };
  const take = (kind: string, limit: Fen, isMoney: boolean): Fen => {
    const part = least(rest, limit);
    rest -= part;
    if (part > 0n) back.push({ kind, amount: part, isMoney });
    return part;
  };
  const unpaid = take('dueAtCounter', of.arrears + dueOf(of), false);
  const offArrears = least(unpaid, of.arrears);
  of.arrears -= offArrears;
  if (cause === 'refund') of.dueReduced += unpaid - offArrears;
  else of.dueAtCounter -= unpaid - offArrears;
  const credit = of.tenders.find((tender) => tender.kind === 'credit');
  if (credit && line && of.debt) {
    const reduced = take('credit', owedOn(of.debt), false);
    of.debt.reduced += reduced;
    line.outstanding -= reduced;
    const repaid = take('credit', credit.amount - credit.givenBack - reduced, true);
    lower(credit, reduced + repaid);
  }
  for (const tender of of.tenders.filter((t) => !fromInsurer.includes(t.kind)).reverse()) {
    const left = tender.amount - tender.givenBack;
    lower(tender, take(tender.kind, left, !promises.includes(tender.kind)));
  }
  of.tenders = of.tenders.filter((tender) => tender.amount > 0n);
  if (rest > 0n) throw new Error(`the model gave back ${rest} fen too little`);
  return back;
}

/** Refunds parts of lines; `newClaim` is what the insurer has of the rest. Returns the tenders. */
export function refund(
  visit: Visit,
  of: Settlement,
  parts: ReadonlyMap<number, bigint>,
  newClaim: Claim | null,
  now: number,
): { amount: Fen; tenders: Back[] } {
  let amount = 0n;
  for (const item of visit.items) {
    const units = parts.get(item.lineNumber);
    if (units === undefined) continue;
    const after = leftAfter(item, units);
    amount += item.leftAmount - after.leftAmount;
    Object.assign(item, after);
  }
  const oldPart = of.claim ? of.claim.cash : of.refundable;
  const newPart = newClaim ? newClaim.cash : of.refundable - amount;
  const gone = insurerParts(of.claim).flatMap(({ kind, amount: before }) => {
    const kept = insurerParts(newClaim).find((part) => part.kind === kind)?.amount ?? 0n;
    return before > kept ? [{ kind, amount: before - kept, isMoney: false }] : [];
  });
  const given = giveBack(visit.line, of, most(0n, oldPart - newPart), 'refund');
  of.arrears += most(0n, newPart - oldPart);
  of.refundable -= amount;
  if (of.claim && !newClaim && of.refundable > 0n) of.insurance = 'rejected';
  of.claim = newClaim;
  of.status = of.refundable === 0n ? 'refunded' : 'partlyRefunded';
  if (of.refundable === 0n) endInsurance(of, now);
  return { amount, tenders: [...gone, ...given] };
}

/** Of a wholly refunded bill nothing is claimed; but what may be claimed already is found out first. */
function endInsurance(of: Settlement, now: number): void {
  const queued = queuedOf(of);
  if (queued?.unknown) return;
  if (queued) queued.status = 'cancelled';
  if (queued && of.debt) fallDue(of.debt, now);
  if (['claimed', 'converted', 'awaitingInsurance'].includes(of.insurance)) {
    of.insurance = 'reversed';
  }
}
