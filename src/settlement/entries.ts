// The journal entries of settlements, as books.md lists them. Pure: amounts in, legs out.
import { assert } from '../errors.ts';
import {
  type About,
  credit,
  debit,
  type Entry,
  hospitalBooks,
  type Leg,
  lenderBooks,
  withoutZero,
} from '../ledger/journal.ts';
import { leftToUndo, type OpenLeg, undoLegs } from '../ledger/undo.ts';
import type { Fen } from '../money.ts';
import type { CounterKind, Tender } from './waterfall.ts';

/** The claim a leg belongs to: ours and the insurer's number. */
export interface ClaimRef {
  claimId: string;
  setlId: string;
}

export interface SettlementFact {
  settlementId: string;
  hospitalCode: string;
  occurredAt: Date;
  total: Fen;
  dueAtCounter: Fen;
  tenders: readonly Tender[];
  claim: ClaimRef | null;
  credit: { lender: string; citizenId: string } | null;
}

/** The hospital account that a counter tender is taken on (books.md, accounts of H). */
function accountOfCounter(kind: CounterKind): '1101' | '1104' | '1205' | '2305' {
  switch (kind) {
    case 'cash':
      return '1101';
    case 'wechatPay':
    case 'alipay':
    case 'bankCard':
    case 'eCny':
      return '1104';
    case 'commercialInsurance':
    case 'subsidy':
      return '1205';
    case 'deposit':
      return '2305';
  }
  return kind satisfies never;
}

/** Counter tenders that brought no money of the patient's: giving them back moves none either. */
export function isPromise(kind: CounterKind): boolean {
  return kind === 'commercialInsurance' || kind === 'subsidy' || kind === 'deposit';
}

/** Rows 1, 2 and 14: a bill is settled. H: its tenders and what is due / 4101; B: 1301 / 2101. */
export function settledEntry(fact: SettlementFact): Entry {
  const { settlementId, hospitalCode } = fact;
  const h = hospitalBooks(hospitalCode);
  const legs: Leg[] = fact.tenders.flatMap((tender) => tenderLegs(fact, tender));
  legs.push(debit(h, '1207', fact.dueAtCounter), credit(h, '4101', fact.total));
  return {
    fact: 'settlement.settled',
    subjectId: settlementId,
    settlementId,
    occurredAt: fact.occurredAt,
    legs: withoutZero(legs),
  };
}

function tenderLegs(fact: SettlementFact, tender: Tender): Leg[] {
  const h = hospitalBooks(fact.hospitalCode);
  const { kind, amount } = tender;
  const claim: About = fact.claim
    ? { claimId: fact.claim.claimId, reference: fact.claim.setlId }
    : {};
  switch (kind) {
    case 'insuranceFund':
      return [debit(h, '1201', amount, claim)];
    case 'personalAccount':
    case 'familyAccount':
      return [debit(h, '1202', amount, claim)];
    case 'hospitalBorne':
      return [debit(h, '4102', amount, claim)];
    case 'credit': {
      assert(fact.credit, 'a credit tender names its lender and payer');
      const { lender, citizenId } = fact.credit;
      const b = lenderBooks(lender);
      return [
        debit(h, '1203', amount, { counterparty: lender }),
        debit(b, '1301', amount, { citizenId }),
        credit(b, '2101', amount, { counterparty: fact.hospitalCode }),
      ];
    }
    default:
      return [debit(h, accountOfCounter(kind), amount, { reference: kind })];
  }
}

/** Row 14: what was due is collected at the counter. `subjectId` is unique for the payment. */
export function collectedEntry(payment: {
  subjectId: string;
  settlementId: string;
  hospitalCode: string;
  kind: CounterKind;
  amount: Fen;
  occurredAt: Date;
  openLegs: readonly OpenLeg[];
}): Entry {
  const h = hospitalBooks(payment.hospitalCode);
  const { amount } = payment;
  return {
    fact: 'settlement.paymentCollected',
    subjectId: payment.subjectId,
    settlementId: payment.settlementId,
    occurredAt: payment.occurredAt,
    legs: [
      debit(h, accountOfCounter(payment.kind), amount, { reference: payment.kind }),
      ...undoLegs(payment.openLegs, { ...h, account: '1207', amount }),
    ],
  };
}

export interface GivenBack {
  /** Off what is due at the counter and unpaid. */
  due: Fen;
  /** Off what is owed on credit. */
  creditOwed: Fen;
  /** Off what the lender had written off and still claimed. */
  creditWrittenOff?: Fen;
  /** Repaid credit, now refundable to the citizen by the lender. */
  creditRepaid: Fen;
  /** Counter money, now refundable to the patient: one part per tender. */
  counter: { kind: CounterKind; amount: Fen }[];
  /** The citizen's part rose all the same: the difference is patient arrears. */
  arrears: Fen;
}

export interface RefundFact {
  fact: 'refund.completed' | 'settlement.converted';
  /** The refund or the conversion. */
  causeId: string;
  settlementId: string;
  hospitalCode: string;
  occurredAt: Date;
  /** Charges taken off the bill; 0 for a conversion. */
  charges: Fen;
  /** The claim that was cancelled, its legs gross. */
  oldClaim: (ClaimRef & { fund: Fen; account: Fen; hospitalBorne: Fen }) | null;
  newClaim: (ClaimRef & { fund: Fen; account: Fen; hospitalBorne: Fen }) | null;
  givenBack: GivenBack;
  credit: { lender: string; citizenId: string } | null;
  openLegs: readonly OpenLeg[];
}

/** Rows 3, 6 and 7: charges come off, the old claim's legs are undone gross, the new claim's are booked. */
export function refundedEntry(fact: RefundFact): Entry {
  const h = hospitalBooks(fact.hospitalCode);
  const { openLegs, oldClaim, newClaim, givenBack } = fact;
  const undo = (
    account: '4101' | '1201' | '1202' | '4102' | '1207' | '1203',
    amount: Fen,
    claimId?: string,
  ) => undoLegs(openLegs, { ...h, account, amount, ...(claimId ? { claimId } : {}) });
  const legs: Leg[] = [...undo('4101', fact.charges)];
  if (oldClaim) {
    legs.push(
      ...undo('1201', oldClaim.fund, oldClaim.claimId),
      ...undo('1202', oldClaim.account, oldClaim.claimId),
      ...undo('4102', oldClaim.hospitalBorne, oldClaim.claimId),
    );
  }
  if (newClaim) {
    const about = { claimId: newClaim.claimId, reference: newClaim.setlId };
    legs.push(
      debit(h, '1201', newClaim.fund, about),
      debit(h, '1202', newClaim.account, about),
      debit(h, '4102', newClaim.hospitalBorne, about),
    );
  }
  legs.push(...undo('1207', givenBack.due), debit(h, '1207', givenBack.arrears));
  legs.push(...creditLegs(fact));
  for (const { kind, amount } of perKind(givenBack.counter)) {
    const account = accountOfCounter(kind);
    // A sponsor's promise or a deposit is taken back itself; real money is owed to the patient first.
    if (isPromise(kind))
      legs.push(...undoLegs(openLegs, { ...h, account, side: 'debit', amount, reference: kind }));
    else legs.push(credit(h, '2203', amount, { reference: kind }));
  }
  return {
    fact: fact.fact,
    subjectId: fact.causeId,
    settlementId: fact.settlementId,
    occurredAt: fact.occurredAt,
    legs: withoutZero(legs),
  };
}

/** One part a kind: two tenders of one kind would else be undone on the same leg. */
function perKind(parts: GivenBack['counter']): GivenBack['counter'] {
  const sums = new Map<CounterKind, Fen>();
  for (const { kind, amount } of parts) sums.set(kind, (sums.get(kind) ?? 0n) + amount);
  return [...sums].map(([kind, amount]) => ({ kind, amount }));
}

function creditLegs(fact: RefundFact): Leg[] {
  const { creditOwed, creditWrittenOff = 0n, creditRepaid } = fact.givenBack;
  const amount = creditOwed + creditWrittenOff + creditRepaid;
  if (amount === 0n) return [];
  assert(fact.credit, 'credit given back names its lender and payer');
  const { lender, citizenId } = fact.credit;
  const b = lenderBooks(lender);
  const h = hospitalBooks(fact.hospitalCode);
  const wanted = { ...b, account: '1301', citizenId, amount: creditOwed } as const;
  // A repayment undoes no leg of the settlement, so the principal legs still have what is owed left.
  assert(leftToUndo(fact.openLegs, wanted) >= creditOwed, 'principal legs cover what is owed');
  return [
    ...undoLegs(fact.openLegs, { ...h, account: '1203', counterparty: lender, amount }),
    ...undoLegs(fact.openLegs, { ...b, account: '2101', counterparty: fact.hospitalCode, amount }),
    ...undoLegs(fact.openLegs, wanted),
    credit(b, '2201', creditRepaid, { citizenId }),
    // The loss came back, and nobody is claimed from any more.
    credit(b, '5102', creditWrittenOff, { citizenId }),
    debit(b, '9302', creditWrittenOff, { citizenId }),
    credit(b, '9301', creditWrittenOff, { citizenId }),
  ];
}
