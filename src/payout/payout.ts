// Law: a payout's words and its name at the bank; what its two owners' books say of it (rows 12 and 13).
// Pure.
import { createHash } from 'node:crypto';
import { credit, debit, hospitalBooks, type Leg, lenderBooks } from '../ledger/journal.ts';
import type { OpenLeg } from '../ledger/undo.ts';
import { undoLegs } from '../ledger/undo.ts';
import type { Fen } from '../money.ts';

export const payoutStatuses = [
  'proposed',
  'declined',
  'carried',
  'approved',
  'sent',
  'paid',
  'returned',
] as const;

export const legKinds = ['capture', 'refund', 'conversion', 'adjustment', 'carried'] as const;
export type LegKind = (typeof legKinds)[number];

/** Whose money it is. */
export interface PayoutPair {
  lender: string;
  hospitalCode: string;
}

/** What is left of 35 characters for the lender: hospital 12, day 8, run 3, three hyphens. */
const LENDER_CHARS = 9;
const LENDER_HASH_CHARS = 4;

/**
 * (lender, hospital, business day, run) in at most 35 characters, as the bank repeats it in its
 * statement. A lender's longer code keeps its beginning and gets four characters of its hash.
 */
export function endToEndIdOf(pair: PayoutPair, businessDate: string, run: number): string {
  const { lender, hospitalCode } = pair;
  const isLong = lender.length > LENDER_CHARS;
  const hash = createHash('sha256').update(lender).digest('hex').slice(0, LENDER_HASH_CHARS);
  const shortened = lender.slice(0, LENDER_CHARS - LENDER_HASH_CHARS) + hash;
  const name = isLong ? shortened : lender;
  return [name, hospitalCode, businessDate.replaceAll('-', ''), run].join('-');
}

/** Row 12, first half: the bank took the order. H 1103 / 1203 · B 2101 / 2102. */
export function sentLegs(pair: PayoutPair, amount: Fen): Leg[] {
  const { h, b, atHospital, atLender } = booksOf(pair);
  return [
    debit(h, '1103', amount, atHospital),
    credit(h, '1203', amount, atHospital),
    debit(b, '2101', amount, atLender),
    credit(b, '2102', amount, atLender),
  ];
}

/** Row 12, second half: the statement proves it. H 1102 / 1103 · B 2102 / 1321. */
export function confirmedLegs(
  pair: PayoutPair,
  amount: Fen,
  sent: readonly OpenLeg[],
  reference: string,
): Leg[] {
  const { h, b } = booksOf(pair);
  return [
    debit(h, '1102', amount, { reference }),
    ...undoLegs(sent, { ...h, account: '1103', amount }),
    ...undoLegs(sent, { ...b, account: '2102', amount }),
    credit(b, '1321', amount, { reference }),
  ];
}

/** Row 13: it came back, before (`from` "sent") or after ("paid") the statement was booked. */
export function returnedLegs(
  pair: PayoutPair,
  amount: Fen,
  from: 'sent' | 'paid',
  posted: readonly OpenLeg[],
): Leg[] {
  const { h, b } = booksOf(pair);
  const undoneAtHospital =
    from === 'sent'
      ? undoLegs(posted, { ...h, account: '1103', amount })
      : undoLegs(posted, { ...h, account: '1102', amount });
  const undoneAtLender =
    from === 'sent'
      ? undoLegs(posted, { ...b, account: '2102', amount })
      : undoLegs(posted, { ...b, account: '1321', side: 'credit', amount });
  return [
    ...undoLegs(posted, { ...h, account: '1203', side: 'credit', amount }),
    ...undoneAtHospital,
    ...undoneAtLender,
    ...undoLegs(posted, { ...b, account: '2101', side: 'debit', amount }),
  ];
}

function booksOf({ lender, hospitalCode }: PayoutPair) {
  return {
    h: hospitalBooks(hospitalCode),
    b: lenderBooks(lender),
    atHospital: { counterparty: lender },
    atLender: { counterparty: hospitalCode },
  };
}
