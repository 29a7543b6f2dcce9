// Law: encounters become visits with their lines, their order and the published mean, to the fen.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lineAmount, sumFen } from '../../src/money.ts';
import type { Encounter, RealData, SourceCharge } from '../../src/sandbox/demo/real-files.ts';
import { intoThisYear, kindOf, mapEncounters } from '../../src/sandbox/demo/real-mapping.ts';

const NOW = new Date('2026-09-30T00:00:00Z');

function encounter(id: string, told: Partial<Encounter> = {}): Encounter {
  return {
    id,
    patient: 'p1',
    encounterClass: 'ambulatory',
    startedAt: new Date('2019-03-04T05:06:07Z'),
    payer: 'plan',
    reasonCode: '42',
    ...told,
  };
}

function data(encounters: Encounter[], charges: SourceCharge[]): RealData {
  return {
    services: [
      { code: 'S1', name: '小检查', unitPrice: '5.00' },
      { code: 'S2', name: '大检查', unitPrice: '120.00' },
    ],
    drugs: [{ code: 'D1', name: '某药 1g' }],
    diagnoses: [{ code: 'Z00', name: '某病' }],
    departments: [{ code: '1', name: '某科' }],
    encounters,
    charges,
    uninsured: new Set(['nobody']),
    meanOutpatient: 36_100n,
  };
}

const charge = (id: string, amount: bigint, procedure = 'x'): SourceCharge => ({
  encounter: id,
  procedure,
  amount,
});

const amountOf = (lines: { quantity: string; unitPrice: string }[]) =>
  sumFen(lines.map((line) => lineAmount(line.quantity, line.unitPrice)));

describe('scaling', () => {
  test('the mean outpatient visit is the published one and proportions stay', () => {
    const visits = mapEncounters(
      data([encounter('a'), encounter('b')], [charge('a', 1_000n), charge('b', 3_000n)]),
      NOW,
    );
    expect(visits.map((visit) => visit.total)).toEqual([18_050n, 54_150n]);
  });

  test('emergencies and stays do not move the mean but get the same scale', () => {
    const visits = mapEncounters(
      data(
        [encounter('a'), encounter('e', { encounterClass: 'emergency' })],
        [charge('a', 500n), charge('e', 50_000n)],
      ),
      NOW,
    );
    expect(visits.map((visit) => visit.total)).toEqual([36_100n, 3_610_000n]);
  });

  test('the lines of a visit sum to its total, whatever the charges are', () => {
    const amounts = fc.array(fc.bigInt({ min: 0n, max: 9_999_999n }), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(fc.array(amounts, { minLength: 1, maxLength: 6 }), (bills) => {
        fc.pre(bills.flat().some((amount) => amount > 0n));
        const charges = bills.flatMap((bill, i) =>
          bill.map((amount, k) => charge(`e${i}`, amount, `${k}`)),
        );
        const visits = mapEncounters(
          data(
            bills.map((_, i) => encounter(`e${i}`)),
            charges,
          ),
          NOW,
        );
        expect(visits).toHaveLength(bills.length);
        for (const visit of visits) {
          const lines = visit.batches.flat();
          expect(amountOf(lines)).toBe(visit.total);
          expect(lines.every((line) => lineAmount(line.quantity, line.unitPrice) > 0n)).toBe(true);
        }
      }),
    );
  });

  test('services keep their real price and only the rest becomes a drug line', () => {
    const [visit] = mapEncounters(data([encounter('a')], [charge('a', 700n)]), NOW);
    const lines = visit?.batches.flat() ?? [];
    for (const line of lines.filter((l) => l.code.startsWith('S'))) {
      expect(line.unitPrice).toBe(line.code === 'S1' ? '5.00' : '120.00');
    }
    expect(lines.filter((line) => line.code === 'D1').length).toBeLessThanOrEqual(1);
  });
});

describe('kinds and batches', () => {
  test('each class of encounter becomes the kind of visit that the city knows', () => {
    expect(kindOf('emergency', 3)).toBe('emergency');
    expect(kindOf('wellness', 1)).toBe('examination');
    expect(kindOf('wellness', 2)).toBe('outpatient');
    for (const name of ['ambulatory', 'outpatient', 'urgentcare', 'inpatient']) {
      expect(kindOf(name, 1)).toBe('outpatient');
    }
  });

  test('a stay is marked and split into batches, all other visits have one', () => {
    const charges = [1, 2, 3, 4, 5].map((i) => charge('s', 9_000n, `p${i}`));
    const [visit, stay] = mapEncounters(
      data(
        [encounter('a'), encounter('s', { encounterClass: 'inpatient' })],
        [...charges, charge('a', 9_000n)],
      ),
      NOW,
    );
    expect([visit?.isStay, visit?.batches.length]).toEqual([false, 1]);
    expect(stay?.isStay).toBe(true);
    expect(stay?.batches.length).toBeGreaterThan(1);
  });
});

describe('people and times', () => {
  test('a citizen has at most five visits and never those of two patients', () => {
    const encounters = Array.from({ length: 13 }, (_, i) =>
      encounter(`e${i}`, { patient: i % 2 === 0 ? 'even' : 'odd' }),
    );
    const visits = mapEncounters(data(encounters, [charge('e0', 100n)]), NOW);
    const byCitizen = new Map<number, string[]>();
    for (const { citizen, encounter: source } of visits) {
      byCitizen.set(citizen, [...(byCitizen.get(citizen) ?? []), source.patient]);
    }
    for (const patients of byCitizen.values()) {
      expect(patients.length).toBeLessThanOrEqual(5);
      expect(new Set(patients).size).toBe(1);
    }
    expect(byCitizen.size).toBe(4);
  });

  test('an encounter without cover is not insured', () => {
    const encounters = [encounter('a', { payer: 'nobody' }), encounter('b')];
    const visits = mapEncounters(data(encounters, [charge('a', 1n), charge('b', 1n)]), NOW);
    expect(visits.map((visit) => visit.isInsured)).toEqual([false, true]);
  });

  test('times come into this year, in their order, and never after now', () => {
    const original = fc.date({
      min: new Date('1950-01-01T00:00:00Z'),
      max: new Date('2025-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(original, (at) => {
        const mapped = intoThisYear(at, NOW);
        expect(mapped.getUTCFullYear()).toBe(2026);
        expect(mapped.getTime()).toBeLessThanOrEqual(NOW.getTime());
      }),
    );
    const [march, june] = ['2019-03-04', '2024-06-01'].map((day) => new Date(`${day}T08:00:00Z`));
    expect(+intoThisYear(march as Date, NOW)).toBeLessThan(+intoThisYear(june as Date, NOW));
  });
});
