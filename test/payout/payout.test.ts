// The pure part of payouts: names at the bank, and rows 12 and 13 as legs.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balanced } from '../../src/ledger/journal.ts';
import type { OpenLeg } from '../../src/ledger/undo.ts';
import { confirmedLegs, endToEndIdOf, returnedLegs, sentLegs } from '../../src/payout/payout.ts';

const pair = { lender: 'LWB', hospitalCode: 'H35020000001' };
const entry = (fact: 'payout.sent' | 'payout.confirmed' | 'payout.returned', legs: OpenLeg[]) =>
  balanced({ fact, subjectId: 'pay_1', occurredAt: new Date(0), legs: legs as never });
const amounts = fc.bigInt({ min: 1n, max: 10n ** 14n });

/** Legs as they stand in the books, nothing undone; newest first. */
const posted = (fact: OpenLeg['fact'], legs: ReturnType<typeof sentLegs>): OpenLeg[] =>
  legs.map((leg, index) => ({
    entryId: `ent_${fact}`,
    leg: index + 1,
    fact,
    ownerKind: leg.ownerKind,
    owner: leg.owner,
    account: leg.account,
    amount: leg.amount,
    undone: 0n,
    counterparty: leg.counterparty ?? null,
    citizenId: null,
    settlementId: null,
    claimId: null,
    reference: leg.reference ?? null,
  }));

describe('the end-to-end id', () => {
  it('names lender, hospital, day and run, and is never too long for a bank', () => {
    expect(endToEndIdOf(pair, '2026-11-22', 1)).toBe('LWB-H35020000001-20261122-1');
    const lender = fc.string({ unit: fc.constantFrom(...'ABCDEFGH0123456789'), minLength: 1 });
    fc.assert(
      fc.property(lender, fc.integer({ min: 1, max: 999 }), (code, run) => {
        const id = endToEndIdOf({ ...pair, lender: code }, '2026-11-22', run);
        expect(id.length).toBeLessThanOrEqual(35);
      }),
    );
  });

  it('tells two long lenders apart', () => {
    const of = (lender: string) => endToEndIdOf({ ...pair, lender }, '2026-11-22', 1);
    expect(of('RURALBANKOFTHENORTH')).not.toBe(of('RURALBANKOFTHESOUTH'));
  });
});

describe('the entries of a payout', () => {
  it('balance, and each step undoes the one before, for any amount', () => {
    fc.assert(
      fc.property(amounts, (amount) => {
        const sent = posted('payout.sent', sentLegs(pair, amount));
        entry('payout.sent', sent);
        const confirmed = confirmedLegs(pair, amount, sent, 'B1');
        entry('payout.confirmed', confirmed as never);
        entry('payout.returned', returnedLegs(pair, amount, 'sent', sent) as never);
        const transit = ['1103', '2102'];
        const left = sent.filter((leg) => !transit.includes(leg.account));
        const both = [...posted('payout.confirmed', confirmed), ...left];
        const back = returnedLegs(pair, amount, 'paid', both);
        entry('payout.returned', back as never);
        const sums = new Map<string, bigint>();
        for (const leg of [...sent, ...confirmed, ...back]) {
          const key = `${leg.ownerKind}${leg.account}`;
          sums.set(key, (sums.get(key) ?? 0n) + leg.amount);
        }
        expect([...sums.values()].every((sum) => sum === 0n)).toBe(true);
      }),
    );
  });
});
