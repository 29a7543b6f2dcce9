import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accountCodes, accountName, accountOf } from '../../src/ledger/chart.ts';
import {
  balanced,
  credit,
  debit,
  type Entry,
  hospitalBooks,
  type Leg,
  lenderBooks,
  UnbalancedEntry,
  withoutZero,
} from '../../src/ledger/journal.ts';

const h = hospitalBooks('H00000000001');
const b = lenderBooks('bank');

function entryOf(legs: Leg[]): Entry {
  return { fact: 'settlement.settled', subjectId: 'set_1', occurredAt: new Date(0), legs };
}

describe('the chart of accounts', () => {
  it('mirrors every mirrored account both ways', () => {
    for (const code of accountCodes) {
      const { mirrorOf } = accountOf(code);
      if (mirrorOf) expect(accountOf(mirrorOf as typeof code).mirrorOf).toBe(code);
    }
  });

  it('names every account in Chinese first and English beside it', () => {
    for (const code of accountCodes) expect(accountName(code)).toMatch(/^\p{Script=Han}.* \w/u);
    expect(accountName('0000')).toBe('0000');
  });
});

describe('an entry', () => {
  it('is lawful when it balances within each owner and mirrors move together', () => {
    const entry = entryOf([
      debit(h, '1203', 5000n, { counterparty: 'bank' }),
      credit(h, '4101', 5000n),
      debit(b, '1301', 5000n, { citizenId: 'cit_1' }),
      credit(b, '2101', 5000n, { counterparty: h.owner }),
    ]);
    expect(balanced(entry)).toBe(entry);
  });

  it.each<[string, Leg[], RegExp]>([
    ['no legs', [], /fewer than two/],
    ['one leg', [debit(h, '1101', 1n)], /fewer than two/],
    ['a zero leg', [debit(h, '1101', 0n), credit(h, '4101', 0n)], /zero leg on 1101/],
    [
      'owners that balance only together',
      [debit(h, '1101', 5n), credit(b, '2201', 5n)],
      /does not balance for H/,
    ],
    [
      'an account of another kind of owner',
      [{ ...debit(h, '1101', 5n), account: '1301' }, credit(h, '4101', 5n)],
      /account 1301 in H books/,
    ],
    [
      'a mirrored account without its counterparty',
      [debit(h, '1203', 5n), credit(h, '4101', 5n)],
      /no counterparty on 1203/,
    ],
    [
      'a mirrored account that moves alone',
      [debit(h, '1203', 5n, { counterparty: 'bank' }), credit(h, '4101', 5n)],
      /moves a mirrored account alone/,
    ],
    [
      'mirrored accounts of different amounts',
      [
        debit(h, '1203', 5n, { counterparty: 'bank' }),
        credit(h, '4101', 5n),
        debit(b, '1301', 4n),
        credit(b, '2101', 4n, { counterparty: h.owner }),
      ],
      /moves a mirrored account alone/,
    ],
    [
      'off-balance accounts that balance only against others',
      [debit(b, '9301', 5n), credit(b, '1301', 5n)],
      /balance\)/,
    ],
  ])('is refused with %s', (_name, legs, message) => {
    expect(() => balanced(entryOf(legs))).toThrow(UnbalancedEntry);
    expect(() => balanced(entryOf(legs))).toThrow(message);
  });

  it('has no legs of negative amounts, and drops legs of nothing on request', () => {
    expect(() => debit(h, '1101', -1n)).toThrow(RangeError);
    expect(() => credit(h, '1101', -1n)).toThrow(RangeError);
    expect(withoutZero([debit(h, '1101', 0n), credit(h, '4101', 1n)])).toHaveLength(1);
  });

  it('is lawful with any legs that sum to zero per owner, and with one fen more never', () => {
    const amounts = fc.array(fc.bigInt({ min: 1n, max: 9_999_999_999n }), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(amounts, amounts, fc.nat(), (ofH, ofB, which) => {
        const sum = (list: bigint[]) => list.reduce((total, amount) => total + amount, 0n);
        const legs = [
          ...ofH.map((amount) => debit(h, '1101', amount)),
          credit(h, '4101', sum(ofH)),
          ...ofB.map((amount) => credit(b, '2201', amount)),
          debit(b, '1311', sum(ofB)),
        ];
        expect(balanced(entryOf(legs)).legs).toHaveLength(ofH.length + ofB.length + 2);
        const spoilt = legs.map((leg, index) =>
          index === which % legs.length ? { ...leg, amount: leg.amount + 1n } : leg,
        );
        expect(() => balanced(entryOf(spoilt))).toThrow(UnbalancedEntry);
      }),
    );
  });
});
