// Which of the seventeen kinds a difference is. Pure: both sides of one bill and a few facts in, a kind out.
// Law: what several rows may fit is ambiguous and never decided by machine.
import type { Fen } from '../money.ts';
import { type BreakKind, type Counterparty, missingAt } from './break-catalogue.ts';

/** One row of a bill, on either side. Amounts signed; a refund is negative. */
export interface SideRow {
  kind: string;
  amount: Fen;
  /** A part of another row ("of the 300.00 the fund paid 190.00"): not money of its own. */
  isPart: boolean;
}

export interface Facts {
  /** Several rows could be each other's: only a person may say. */
  isAmbiguous: boolean;
  /** Joined by a second key although the first differs, or another field differs. */
  isOtherwise: boolean;
  /** Our settlement waits for insurance, or was converted after this day. */
  awaitsInsurance: boolean;
  isLateCapture: boolean;
  /** The same money stands in another bill that is matched. */
  hasMatchedTwin: boolean;
  /** Days from our row of the same key to theirs, when ours belongs to another day; null: none of ours. */
  daysApart: number | null;
  /** Of a refund of theirs: its payment is ours. */
  isOriginalOurs: boolean;
  /** We recorded it so late in the day that the other side may book it on the next. */
  isNearCutoff: boolean;
  hasWrongFee: boolean;
}

/** How many days a counterparty may be late: banks rest over long holidays. */
const CUTOFF_DAYS: Record<Counterparty, number> = {
  hospital: 1,
  insurer: 1,
  wechatPay: 1,
  alipay: 1,
  bank: 10,
};

/** The kind of a difference; null when there is none after all. */
export function classifyBreak(
  counterparty: Counterparty,
  ours: readonly SideRow[],
  theirs: readonly SideRow[],
  facts: Facts,
): BreakKind | null {
  if (facts.isAmbiguous) return 'ambiguous';
  if (theirs.length === 0) return ours.length === 0 ? null : oursAlone(counterparty, ours, facts);
  if (ours.length === 0) return theirsAlone(counterparty, theirs, facts);
  return both(ours, theirs, facts);
}

function oursAlone(counterparty: Counterparty, ours: readonly SideRow[], facts: Facts): BreakKind {
  if (facts.hasMatchedTwin) return 'duplicateInternal';
  if (facts.isLateCapture) return 'lateCapture';
  if (facts.awaitsInsurance && counterparty === 'hospital') return 'conversionPending';
  // On a bank's account a sign is a direction, not a refund.
  if (totalOf(ours) < 0n && counterparty !== 'bank') return 'statusMismatch';
  if (facts.isNearCutoff) return 'dateCutoff';
  return missingAt[counterparty];
}

function theirsAlone(
  counterparty: Counterparty,
  theirs: readonly SideRow[],
  facts: Facts,
): BreakKind {
  if (facts.daysApart !== null) {
    const isCutoff = Math.abs(facts.daysApart) <= CUTOFF_DAYS[counterparty];
    return isCutoff ? 'dateCutoff' : 'dataMismatch';
  }
  if (facts.hasMatchedTwin) return 'duplicateExternal';
  if (totalOf(theirs) < 0n && counterparty !== 'bank')
    return facts.isOriginalOurs ? 'statusMismatch' : 'orphanRefund';
  return 'missingAtPlatform';
}

function both(
  ours: readonly SideRow[],
  theirs: readonly SideRow[],
  facts: Facts,
): BreakKind | null {
  if (isSame(ours, theirs)) {
    if (facts.isOtherwise) return 'dataMismatch';
    return facts.hasWrongFee ? 'fee' : null;
  }
  if (isSame(ours, distinct(theirs))) return 'duplicateExternal';
  if (isSame(distinct(ours), theirs)) return 'duplicateInternal';
  if (isSame(paid(ours), paid(theirs)) && (back(ours) === 0n) !== (back(theirs) === 0n)) {
    return 'statusMismatch';
  }
  if (facts.awaitsInsurance) return 'conversionPending';
  if (facts.isLateCapture) return 'lateCapture';
  const difference = totalOf(theirs) - totalOf(ours);
  if (difference === 0n) return 'splitMismatch';
  return difference > 0n ? 'amountOver' : 'amountUnder';
}

function totalOf(rows: readonly SideRow[]): Fen {
  return rows.reduce((sum, row) => (row.isPart ? sum : sum + row.amount), 0n);
}

const paid = (rows: readonly SideRow[]) => rows.filter((row) => row.amount > 0n);
const back = (rows: readonly SideRow[]) => totalOf(rows.filter((row) => row.amount < 0n));

/** Equal by kind, however many rows a kind has: several tenders may be one row of theirs. */
function isSame(a: readonly SideRow[], b: readonly SideRow[]): boolean {
  const sums = new Map<string, Fen>();
  for (const { kind, amount } of a) sums.set(kind, (sums.get(kind) ?? 0n) + amount);
  for (const { kind, amount } of b) sums.set(kind, (sums.get(kind) ?? 0n) - amount);
  return [...sums.values()].every((sum) => sum === 0n);
}

/** Each row of one kind and amount once. */
function distinct(rows: readonly SideRow[]): SideRow[] {
  return [...new Map(rows.map((row) => [`${row.kind} ${row.amount}`, row])).values()];
}
