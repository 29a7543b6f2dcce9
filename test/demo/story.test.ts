// Law: the demo's own arithmetic and judgement are right, so that its last line can be trusted.
import { describe, expect, test } from 'vitest';
import { parseIdNumber } from '../../src/identity/id-number.ts';
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import { castSize, planMorning } from '../../src/sandbox/demo/morning-plan.ts';
import { inventPerson, SALTS } from '../../src/sandbox/demo/people.ts';
import { type Settlement, visitKinds } from '../../src/sandbox/demo/replies.ts';
import { isGood, lastLine } from '../../src/sandbox/demo/report.ts';
import {
  countSettlement,
  countVisit,
  emptyTally,
  isWhole,
  percentile,
  totalOf,
} from '../../src/sandbox/demo/tally.ts';
import { displayWidth, textTable } from '../../src/sandbox/demo/text-table.ts';
import { chargeBodies } from '../../src/sandbox/demo/visit-plan.ts';

const people = (count: number, salt: number) =>
  Array.from({ length: count }, (_, i) => inventPerson(i, salt));

const settlement: Settlement = {
  id: 'set_1',
  visitId: 'vis_1',
  status: 'awaitingPayment',
  total: '300.00',
  dueAtCounter: '30.00',
  tenders: [
    { kind: 'insuranceFund', amount: '150.00' },
    { kind: 'hospitalBorne', amount: '10.00' },
    { kind: 'personalAccount', amount: '30.00' },
    { kind: 'credit', amount: '50.00' },
    { kind: 'cash', amount: '30.00' },
  ],
  unused: [],
  insurance: { status: 'claimed' },
  refundable: '300.00',
};

const trialBalance = { balanced: true, owners: [] };
const heldLaws = { holds: true, laws: [{ law: 'entries balance', holds: true, checked: 4 }] };

describe('people', () => {
  test('invented people are adults with valid ID numbers of their own, run after run', () => {
    for (const salt of [0, 137, 899, 45_678, SALTS - 1]) {
      const cast = people(200, salt);
      expect(new Set(cast.map((person) => person.idNumber)).size).toBe(200);
      for (const person of cast) {
        const id = parseIdNumber(person.idNumber);
        expect(id?.number, person.idNumber).toBe(person.idNumber);
        expect(Number(id?.birthDate.slice(0, 4))).toBeLessThan(2005);
        expect(person.phone).toMatch(/^139\d{8}$/);
      }
    }
  });
});

describe('the morning', () => {
  const { whileOnline, duringOutage } = planMorning(people(castSize, 5));
  const plans = [...whileOnline, ...duringOutage];

  test('has 40 visits of every kind, three of them while the insurer is away', () => {
    expect(plans).toHaveLength(40);
    expect(duringOutage).toHaveLength(3);
    expect(new Set(plans.map((plan) => plan.kind))).toEqual(new Set(visitKinds));
  });

  test('has every road: steps, one scan, cancelled, late and no credential, refunds, replays', () => {
    expect(new Set(plans.map((plan) => plan.road))).toEqual(
      new Set(['steps', 'oneScan', 'cancelled']),
    );
    const credentials = new Set(plans.map((plan) => plan.credential));
    expect(credentials).toEqual(
      new Set(['idCard', 'paymentCode', 'identification', 'late', 'none']),
    );
    const acts = new Set(plans.flatMap((plan) => [...plan.after]));
    expect(acts).toEqual(new Set(['payDue', 'replay', 'refundAll', 'refundLine']));
  });

  test('line numbers go on from batch to batch and amounts are quantity times price', () => {
    const line = { code: 'c', name: 'n', quantity: '3', unitPrice: '1.335' };
    expect(chargeBodies([[line, line], [line]])).toEqual([
      [
        { ...line, lineNumber: 1, amount: '4.01' },
        { ...line, lineNumber: 2, amount: '4.01' },
      ],
      [{ ...line, lineNumber: 3, amount: '4.01' }],
    ]);
  });
});

describe('the report', () => {
  test('puts each tender in its column and finds the row whole', () => {
    const tally = emptyTally();
    countVisit(tally, 'outpatient');
    countSettlement(tally, 'outpatient', settlement);
    const total = totalOf(tally);
    expect(total).toMatchObject({
      visits: 1,
      billed: 30_000n,
      fund: 16_000n,
      account: 3_000n,
      credit: 5_000n,
      counter: 3_000n,
      due: 3_000n,
    });
    expect(isWhole(total)).toBe(true);
    expect(lastLine({ tally, laws: heldLaws, trialBalance })).toBe('demo: 1 visits, 1 laws held');
  });

  test('is bad when a law is broken, a step failed, money is missing or nothing was checked', () => {
    const good = emptyTally();
    expect(isGood({ tally: good, laws: heldLaws, trialBalance })).toBe(true);
    const brokenLaw = { holds: true, laws: [{ law: 'x', holds: false, checked: 1 }] };
    expect(isGood({ tally: good, laws: brokenLaw, trialBalance })).toBe(false);
    expect(isGood({ tally: good, laws: { holds: true, laws: [] }, trialBalance })).toBe(false);
    expect(isGood({ tally: { ...good, failures: ['a step'] }, laws: heldLaws, trialBalance })).toBe(
      false,
    );
    const unbalanced = { balanced: false, owners: [] };
    expect(isGood({ tally: good, laws: heldLaws, trialBalance: unbalanced })).toBe(false);
    const short = emptyTally();
    countSettlement(short, 'online', { ...settlement, dueAtCounter: '29.99' });
    expect(isGood({ tally: short, laws: heldLaws, trialBalance })).toBe(false);
    expect(lastLine({ tally: short, laws: heldLaws, trialBalance })).toContain('FAILED');
  });

  test('percentiles are of the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([percentile(values, 0.5), percentile(values, 0.99)]).toEqual([50, 99]);
    expect(percentile([], 0.5)).toBe(0);
  });

  test('columns line up under Chinese heads', () => {
    const lines = textTable(
      ['就诊', '数'],
      [
        ['门诊', '12'],
        ['x', '3'],
      ],
    );
    expect(new Set(lines.map(displayWidth)).size).toBe(1);
  });
});

test('a few at a time means never more than that, and nothing is left out', async () => {
  let underWay = 0;
  let most = 0;
  const done: number[] = [];
  await concurrently([0, 1, 2, 3, 4, 5, 6], 3, async (element) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await Promise.resolve();
    done.push(element);
    underWay -= 1;
  });
  expect(most).toBe(3);
  expect(done.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
});
