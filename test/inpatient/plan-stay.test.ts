// What the insurer's record of a stay still needs, from what both sides know of it. Pure.
import { describe, expect, it } from 'vitest';
import { type KnownStay, planStay } from '../../src/inpatient/plan-stay.ts';
import type { StoredMessage } from '../../src/insurance/message-store.ts';
import { type StayState, stayStateOf } from '../../src/settlement/stay-order.ts';

const stay = (state: StayState, hasLiveClaim: boolean, over: Partial<KnownStay> = {}) =>
  planStay({
    isDischarged: true,
    hasUnsettled: false,
    current: 'M1',
    registrations: [{ mdtrtId: 'M1', state, hasLiveClaim }],
    ...over,
  }).map((step) => step.do);

describe('a stay that is over', () => {
  it.each([
    ['admitted', true, ['discharge']],
    ['unknown', true, ['discharge']],
    ['discharged', true, []],
    ['admitted', false, ['release']],
    ['unknown', false, ['release']],
    ['discharged', false, []],
    ['released', false, []],
  ] as const)('that is %s with a live claim: %s needs %j', (state, hasLiveClaim, steps) => {
    expect(stay(state, hasLiveClaim)).toEqual(steps);
  });

  it('waits while anything is unsettled', () => {
    expect(stay('admitted', true, { hasUnsettled: true })).toEqual([]);
    expect(stay('admitted', false, { hasUnsettled: true })).toEqual([]);
  });
});

describe('a stay that goes on', () => {
  const open = { isDischarged: false };
  it('is taken back into hospital where it may be out of it', () => {
    expect(stay('discharged', true, open)).toEqual(['readmit']);
    expect(stay('unknown', false, open)).toEqual(['readmit']);
    expect(stay('admitted', true, open)).toEqual([]);
    expect(stay('released', false, open)).toEqual([]);
  });

  it('goes on with one registration only', () => {
    expect(stay('discharged', false, { ...open, current: 'M2' })).toEqual([]);
  });
});

describe('the state of a registration', () => {
  const told = (infno: string, outcome: string | null, mdtrtId = 'M1') =>
    ({
      infno,
      request:
        infno === '2402' ? { dscginfo: { mdtrt_id: mdtrtId } } : { data: { mdtrt_id: mdtrtId } },
      answer: outcome ? { outcome } : null,
    }) as StoredMessage;

  it.each([
    [[], 'admitted'],
    [[told('2402', 'ok')], 'discharged'],
    [[told('2402', 'alreadyDone')], 'discharged'],
    [[told('2402', 'rejected')], 'admitted'],
    [[told('2402', null)], 'unknown'],
    [[told('2402', 'offline')], 'unknown'],
    [[told('2402', 'ok'), told('2405', 'ok')], 'admitted'],
    [[told('2402', 'ok'), told('2405', 'rejected')], 'discharged'],
    [[told('2404', 'ok')], 'released'],
    [[told('2402', 'ok', 'M2')], 'admitted'],
  ] as [StoredMessage[], StayState][])('is read from stored answers (%#)', (messages, state) => {
    expect(stayStateOf(messages, 'M1')).toBe(state);
  });
});
