// Which kind a difference is: every one of the seventeen has its example, and no difference is without a kind.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { breakKinds, counterparties } from '../../src/reconciliation/break-catalogue.ts';
import {
  classifyBreak,
  type Facts,
  type SideRow,
} from '../../src/reconciliation/classify-break.ts';

const nothing: Facts = {
  isAmbiguous: false,
  isOtherwise: false,
  awaitsInsurance: false,
  isLateCapture: false,
  hasMatchedTwin: false,
  daysApart: null,
  isOriginalOurs: false,
  isNearCutoff: false,
  hasWrongFee: false,
};
const row = (amount: bigint, kind = 'cash', isPart = false): SideRow => ({ kind, amount, isPart });

const examples: [string, SideRow[], SideRow[], Partial<Facts>, (typeof counterparties)[number]?][] =
  [
    ['missingAtHospital', [row(10n)], [], {}],
    ['missingAtInsurer', [row(10n)], [], {}, 'insurer'],
    ['missingAtBank', [row(10n)], [], {}, 'bank'],
    ['missingAtBank', [row(10n)], [], {}, 'alipay'],
    ['missingAtPlatform', [], [row(10n)], {}],
    ['amountOver', [row(10n)], [row(11n)], {}],
    ['amountUnder', [row(10n)], [row(9n)], {}],
    ['splitMismatch', [row(10n), row(5n, 'credit')], [row(5n), row(10n, 'credit')], {}],
    [
      'splitMismatch',
      [row(10n), row(6n, 'part:fund', true)],
      [row(10n), row(5n, 'part:fund', true)],
      {},
      'insurer',
    ],
    ['statusMismatch', [row(10n), row(-10n)], [row(10n)], {}],
    ['statusMismatch', [row(10n)], [row(10n), row(-4n)], {}],
    ['statusMismatch', [row(-10n)], [], {}],
    ['statusMismatch', [], [row(-10n)], { isOriginalOurs: true }],
    ['orphanRefund', [], [row(-10n)], {}],
    ['missingAtBank', [row(-10n)], [], {}, 'bank'],
    ['missingAtPlatform', [], [row(-10n)], {}, 'bank'],
    ['dateCutoff', [], [row(10n)], { daysApart: -1 }],
    ['dateCutoff', [], [row(10n)], { daysApart: 8 }, 'bank'],
    ['dateCutoff', [row(10n)], [], { isNearCutoff: true }],
    ['dataMismatch', [], [row(10n)], { daysApart: 8 }],
    ['dataMismatch', [row(10n)], [row(10n)], { isOtherwise: true }],
    ['duplicateExternal', [row(10n)], [row(10n), row(10n)], {}],
    ['duplicateExternal', [], [row(10n)], { hasMatchedTwin: true }],
    ['duplicateInternal', [row(10n), row(10n)], [row(10n)], {}],
    ['duplicateInternal', [row(10n)], [], { hasMatchedTwin: true }],
    ['ambiguous', [row(10n)], [], { isAmbiguous: true }],
    ['lateCapture', [row(10n, 'credit')], [], { isLateCapture: true }],
    ['conversionPending', [row(10n)], [row(10n, 'insuranceFund')], { awaitsInsurance: true }],
    ['fee', [row(10n)], [row(10n)], { hasWrongFee: true }],
  ];

describe('a difference', () => {
  it.each(examples)('is %s', (kind, ours, theirs, facts, counterparty = 'hospital') => {
    expect(classifyBreak(counterparty, ours, theirs, { ...nothing, ...facts })).toBe(kind);
  });

  it('has an example here for every kind of the catalogue', () => {
    expect(new Set(examples.map(([kind]) => kind))).toEqual(new Set(breakKinds));
  });

  it('is none when the kinds sum alike, in however many rows', () => {
    const ours = [row(10n), row(5n), row(7n, 'credit')];
    expect(classifyBreak('hospital', ours, [row(7n, 'credit'), row(15n)], nothing)).toBeNull();
  });

  it('always has a kind when the sums differ, whatever else is true', () => {
    const side = fc.array(
      fc.record({
        kind: fc.constantFrom('cash', 'credit'),
        amount: fc.bigInt(-5n, 5n).filter((amount) => amount !== 0n),
        isPart: fc.constant(false),
      }),
      { maxLength: 4 },
    );
    const facts = fc.record({
      ...Object.fromEntries(Object.keys(nothing).map((key) => [key, fc.boolean()])),
      daysApart: fc.option(fc.integer({ min: -20, max: 20 })),
    }) as fc.Arbitrary<Facts>;
    fc.assert(
      fc.property(fc.constantFrom(...counterparties), side, side, facts, (from, a, b, about) => {
        const sum = (rows: SideRow[], kind: string) =>
          rows.reduce((total, each) => (each.kind === kind ? total + each.amount : total), 0n);
        const isSame = ['cash', 'credit'].every((kind) => sum(a, kind) === sum(b, kind));
        const kind = classifyBreak(from, a, b, about);
        if (!isSame) expect(breakKinds).toContain(kind);
      }),
    );
  });
});
