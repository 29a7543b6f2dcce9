// Law: the insurer's parts come first, then the counter tenders that the patient chose, then credit;
// what is left is due at the counter. Only psn_cash_pay may reach the last three (domain.md, Waterfall).
import { assert } from '../errors.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import { type Fen, minFen, sumFen } from '../money.ts';

export const counterKinds = [
  'cash',
  'wechatPay',
  'alipay',
  'bankCard',
  'eCny',
  'commercialInsurance',
  'subsidy',
  'deposit',
] as const;
export type CounterKind = (typeof counterKinds)[number];

export const insurerKinds = [
  'insuranceFund',
  'hospitalBorne',
  'personalAccount',
  'familyAccount',
] as const;

export const isInsurers = (kind: string): boolean =>
  (insurerKinds as readonly string[]).includes(kind);

export const tenderKinds = [...insurerKinds, ...counterKinds, 'credit'] as const;
export type TenderKind = (typeof tenderKinds)[number];

export interface Tender {
  kind: TenderKind;
  amount: Fen;
  reference?: string;
}

export interface CounterTender {
  kind: CounterKind;
  amount: Fen;
  reference: string;
}

/** The bill before credit is asked: what insurer and counter carry, and what is still owed. */
export interface Divided {
  total: Fen;
  tenders: Tender[];
  unused: CounterTender[];
  /** What the credit line is asked for, in fen. */
  owed: Fen;
}

/** The insurer's parts of a claim as tenders, in the order of the waterfall; none without a claim. */
export function insurerTenders(split: InsurerParts | null): Tender[] {
  if (!split) return [];
  const parts: Tender[] = [
    { kind: 'insuranceFund', amount: split.fund },
    { kind: 'hospitalBorne', amount: split.hospitalBorne },
    { kind: 'personalAccount', amount: split.account - split.familyAccount },
    { kind: 'familyAccount', amount: split.familyAccount },
  ];
  return parts.filter((tender) => tender.amount > 0n);
}

export type InsurerParts = Pick<
  ClaimSplit,
  'total' | 'fund' | 'account' | 'familyAccount' | 'hospitalBorne' | 'cash'
>;

/**
 * Divides a bill of `total` between insurer and the offered counter tenders. A tender that exceeds
 * what is left is taken in part; the rest of it comes back in `unused`.
 */
export function divideBill(
  total: Fen,
  split: InsurerParts | null,
  offered: readonly CounterTender[],
): Divided {
  const fromInsurer = insurerTenders(split);
  const citizenPart = total - sumFen(fromInsurer.map((t) => t.amount));
  assert(citizenPart >= 0n, 'insurer parts exceed the bill');
  assert(!split || (split.total === total && split.cash === citizenPart), 'split is of this bill');
  let owed = citizenPart;
  const taken: Tender[] = [];
  const unused: CounterTender[] = [];
  for (const tender of offered) {
    const amount = minFen(tender.amount, owed);
    if (amount > 0n) taken.push({ ...tender, amount });
    if (amount < tender.amount) unused.push({ ...tender, amount: tender.amount - amount });
    owed -= amount;
  }
  return { total, tenders: [...fromInsurer, ...taken], unused, owed };
}

/** Adds what the credit line took and leaves the rest due at the counter. */
export function closeBill(
  divided: Divided,
  captured: Fen,
): { tenders: Tender[]; dueAtCounter: Fen } {
  assert(captured >= 0n && captured <= divided.owed, 'credit takes no more than is owed');
  const credit: Tender[] = captured > 0n ? [{ kind: 'credit', amount: captured }] : [];
  const tenders = [...divided.tenders, ...credit];
  const dueAtCounter = divided.owed - captured;
  assert(
    sumFen(tenders.map((t) => t.amount)) + dueAtCounter === divided.total,
    'tenders + due = total',
  );
  return { tenders, dueAtCounter };
}
