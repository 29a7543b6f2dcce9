import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { available, decideHold, type LineView, refusalOf } from '../../src/credit/credit-line.ts';
import { defaultPolicies, pilotProduct, standardProduct } from '../../src/credit/default-policy.ts';
import { dueAtOf } from '../../src/credit/policy.ts';

const fen = fc.bigInt({ min: 0n, max: 1_000_000n });
const active = { status: 'active' } as const;
const lines = fc
  .record({ limit: fen, held: fen, outstanding: fen })
  .map((amounts): LineView => ({ ...amounts, state: active, isConsented: true, isOverdue: false }));
const wishes = fc.record({
  amount: fc.option(fc.bigInt({ min: 1n, max: 1_000_000n })),
  defaultAmount: fc.bigInt({ min: 1n, max: 1_000_000n }),
  isPartialAllowed: fc.boolean(),
  isEmergency: fc.boolean(),
  extra: fen,
});

describe('the law of the line', () => {
  it('never grants beyond limit and extra, nor more than was asked', () => {
    fc.assert(
      fc.property(lines, wishes, (line, wish) => {
        const decided = decideHold(line, wish);
        if ('decline' in decided) return;
        expect(decided.amount).toBeGreaterThan(0n);
        expect(decided.amount).toBeLessThanOrEqual(wish.amount ?? wish.defaultAmount);
        const used = line.held + line.outstanding + decided.amount;
        expect(used).toBeLessThanOrEqual(line.limit + wish.extra);
      }),
    );
  });

  it('declines only what does not fit, and a partial wish only where nothing is left', () => {
    fc.assert(
      fc.property(lines, wishes, (line, wish) => {
        const decided = decideHold(line, wish);
        if ('amount' in decided) return;
        const free = available(line, wish.extra);
        const isPartial = wish.isPartialAllowed || wish.isEmergency || wish.amount === null;
        expect(isPartial ? free === 0n : (wish.amount ?? 0n) > free).toBe(true);
      }),
    );
  });

  it('is never available below zero, however much is owed', () => {
    expect(available({ limit: 100n, held: 60n, outstanding: 60n })).toBe(0n);
    expect(available({ limit: 100n, held: 60n, outstanding: 60n }, 25n)).toBe(5n);
  });
});

describe('why credit is declined', () => {
  const line = { state: active, isConsented: true, isOverdue: false };
  const suspended = { status: 'suspended', suspendedFor: 'overdue' } as const;
  const closed = { status: 'closed', closedAt: new Date() } as const;

  it.each([
    [null, 'credit/not-enrolled', 'credit/not-enrolled'],
    [{ ...line, state: closed }, 'credit/not-enrolled', 'credit/not-enrolled'],
    [{ ...line, isConsented: false }, 'credit/consent-withdrawn', 'credit/consent-withdrawn'],
    [
      { state: suspended, isConsented: false, isOverdue: true },
      'credit/consent-withdrawn',
      'credit/consent-withdrawn',
    ],
    [{ ...line, state: suspended, isOverdue: true }, 'credit/suspended', null],
    [{ ...line, isOverdue: true }, 'credit/overdue', null],
    [line, null, null],
  ])('%o', (seen, reason, reasonInEmergency) => {
    expect(refusalOf(seen, false)).toBe(reason);
    expect(refusalOf(seen, true)).toBe(reasonInEmergency);
  });
});

describe('due dates', () => {
  it.each([
    // The day is Shanghai's: 15:59 UTC is still the same day there, 16:00 UTC the next.
    ['2026-01-01T15:59:59Z', '2026-02-12T15:00:00.000Z', '2026-01-02T15:00:00.000Z'],
    ['2026-01-01T16:00:00Z', '2026-02-13T15:00:00.000Z', '2026-01-03T15:00:00.000Z'],
    ['2028-02-28T01:00:00Z', '2028-04-10T15:00:00.000Z', '2028-02-29T15:00:00.000Z'],
  ])('a capture at %s falls due at %s, with the pilot product at %s', (at, standard, pilot) => {
    expect(dueAtOf(standardProduct, new Date(at)).toISOString()).toBe(standard);
    expect(dueAtOf(pilotProduct, new Date(at)).toISOString()).toBe(pilot);
  });
});

it('the default policies name every lender once', () => {
  const names = defaultPolicies(['A', 'B']).map((row) => `${row.kind} ${row.name}`);
  expect(names).toEqual([
    'credit default',
    'agreement enrolment',
    'region default',
    'inpatient default',
    'filing default',
    'lenderProduct A',
    'lenderProduct B',
  ]);
});
