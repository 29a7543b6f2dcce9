// The model's conversions in plain sums: what the insured part of a bill that was paid without the
// insurer gives back, and how a conversion ends without one. It shares no code with src/. Pure.
import {
  type Back,
  type Claim,
  giveBack,
  insurerParts,
  queuedOf,
  type Sending,
  type Settlement,
  type Tender,
} from './model.ts';
import { type Fen, fallDue, type Line, least } from './model-credit.ts';

/** A tender, or what is due at the counter, as a conversion's proof names it. */
export interface Part {
  kind: string;
  amount: Fen;
  reference?: string;
}

export interface Conversion {
  id: string;
  status: 'queued' | 'converted' | 'rejected' | 'cancelled';
  askedBy: 'outage' | 'terminal' | 'citizen';
  /** Given up by the patient's own word. */
  isByHand: boolean;
  /** A 2207 that nobody answered: of this much; live at the insurer as `setlId`, or not executed. */
  unknown: { total: Fen; setlId: string | null } | null;
  /** Claims whose answer broke its own sums. */
  brokenClaims: number;
  before: Part[];
  after: Part[] | null;
  /** Where money went back to. */
  back: Sending[];
}

/** Broken answers after which the insurer is asked no more. */
const MAX_BROKEN = 2;

function partsOf(of: Settlement): Part[] {
  const parts = of.tenders.map(({ kind, amount, reference }) => ({
    ...{ kind, amount },
    ...(reference === undefined ? {} : { reference }),
  }));
  if (of.dueAtCounter === 0n) return parts;
  return [...parts, { kind: 'dueAtCounter', amount: of.dueAtCounter }];
}

/** Nothing of the bill is dunned until the conversion ends. */
export function queue(
  of: Settlement,
  { id, askedBy, unknown }: Pick<Conversion, 'id' | 'askedBy' | 'unknown'>,
): void {
  const fresh = { status: 'queued', isByHand: false, brokenClaims: 0, after: null } as const;
  of.conversions.push({ ...fresh, id, askedBy, unknown, before: partsOf(of), back: [] });
  of.insurance = 'awaitingInsurance';
  if (of.debt) of.debt.awaitsInsurance = true;
}

/** Ends the queued conversion without a claim. */
export function endUnconverted(
  of: Settlement,
  end: { status: 'rejected' | 'cancelled'; insurance: Settlement['insurance']; isByHand?: true },
  now: number,
): void {
  const conversion = queuedOf(of);
  if (!conversion) throw new Error('the model has no conversion to end');
  conversion.status = end.status;
  conversion.isByHand = end.isByHand ?? false;
  of.insurance = end.insurance;
  if (of.debt) fallDue(of.debt, now);
}

/** The benefit year is over, or the insurer cannot be believed. */
export function isHopeless(of: Settlement, openedAt: number, now: number): boolean {
  const broken = queuedOf(of)?.brokenClaims ?? 0;
  return broken >= MAX_BROKEN || yearOf(openedAt) !== yearOf(now);
}

const yearOf = (at: number) => new Date(at + 8 * 3_600_000).getUTCFullYear();

/** The insurer has settled what is left of the bill: its part takes the place of the citizen's. */
export function convert(line: Line | null, of: Settlement, claim: Claim, now: number): Back[] {
  const conversion = queuedOf(of);
  if (!conversion) throw new Error('the model has no conversion to book');
  conversion.before = partsOf(of);
  const insured = insurerParts(claim).reduce((all, part) => all + part.amount, 0n);
  const arrears = least(insured, of.arrears);
  const back = giveBack(line, of, insured, 'conversion');
  of.tenders = withInsurer(of.tenders, claim, arrears);
  of.claim = claim;
  of.insurance = 'converted';
  if (of.status === 'awaitingPayment' && of.dueAtCounter === of.dueReduced) of.status = 'settled';
  if (of.debt) fallDue(of.debt, now);
  conversion.status = 'converted';
  conversion.after = partsOf(of);
  return back;
}

const insurerKinds = ['insuranceFund', 'hospitalBorne', 'personalAccount'];

/**
 * The insurer's parts first. What an earlier claim had paid, and its refused rest left to the patient
 * as arrears, is shown already: so much of it the new claim replaces.
 */
function withInsurer(tenders: readonly Tender[], claim: Claim, arrears: Fen): Tender[] {
  let replaced = arrears;
  const insurer = insurerKinds.map((kind) => {
    const old = tenders.find((tender) => tender.kind === kind)?.amount ?? 0n;
    const off = least(old, replaced);
    replaced -= off;
    const fresh = insurerParts(claim).find((part) => part.kind === kind)?.amount ?? 0n;
    return { kind, amount: old - off + fresh, givenBack: 0n };
  });
  const others = tenders.filter((tender) => !insurerKinds.includes(tender.kind));
  return [...insurer.filter((tender) => tender.amount > 0n), ...others];
}

/** What the citizen carries of a bill in the end. */
export function carriedOf(of: Settlement): Fen {
  const own = of.tenders.filter((tender) => !insurerKinds.includes(tender.kind));
  const paid = own.reduce((all, tender) => all + tender.amount - tender.givenBack, 0n);
  return paid + of.dueAtCounter - of.dueReduced + of.arrears;
}
