// Role: every state × every event of the breaker, and the reading of every answer.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BreakerEvent,
  type BreakerSettings,
  breakerSettings,
  isTrialFree,
  type Offline,
  type Online,
  type RouteState,
  react,
  type Signal,
  signalOf,
  trialDelay,
} from '../../src/insurance/breaker-rules.ts';
import { classify, type ExchangeEvent } from '../../src/insurance/classify.ts';
import { regionRules } from '../../src/insurance/regions.ts';
import type { WireReply } from '../../src/insurance/wire.ts';

const settings: BreakerSettings = {
  failuresToOpen: 2,
  failureWindowMs: 10_000,
  trialDelayMs: 500,
  maxTrialDelayMs: 2_000,
  trialLeaseMs: 10_000,
  conversionsFirstMs: 20_000,
};
const now = new Date('2026-01-02T03:04:05Z');
const at = (ms: number) => new Date(now.getTime() + ms);

const well: Online = { status: 'online', failures: 0, firstFailureAt: null };
const shaken: Online = { status: 'online', failures: 1, firstFailureAt: at(-9_999) };
const shakenLongAgo: Online = { status: 'online', failures: 1, firstFailureAt: at(-10_001) };
const open: Offline = { status: 'offline', failedTrials: 1, trialAt: at(-1), trial: null };
const trying: Offline = { ...open, trial: { token: 'T', until: at(1_000) } };

const told = (signal: Signal, infno: string, trialToken: string | null = null): BreakerEvent => ({
  kind: 'told',
  signal,
  infno,
  trialToken,
});
const opens = (firstFailureAt: Date) => ({
  change: 'opened',
  firstFailureAt,
  state: { status: 'offline', failedTrials: 0, trialAt: at(500), trial: null },
});
const keeps = (state: RouteState, shouldProbe: boolean) => ({ change: 'kept', state, shouldProbe });
const nothing = { change: 'none', shouldProbe: false };
const probes = { change: 'none', shouldProbe: true };
const closes = { change: 'closed', state: well };
const waits = (failedTrials: number, trialAt: Date) =>
  keeps({ status: 'offline', failedTrials, trialAt, trial: null }, false);

const counted = ['2201', '2202', '2203', '2204', '2205', '2206', '2207'];
const uncounted = ['9001', '1101', '2208', '2601', '5201', '5203'];

describe('online', () => {
  it.each([...counted, ...uncounted])(
    'opens at once when the connection of %s is refused',
    (infno) => {
      expect(react(well, told('refused', infno), now, settings)).toEqual(opens(now));
      expect(react(shaken, told('refused', infno), now, settings)).toEqual(opens(at(-9_999)));
      expect(react(shakenLongAgo, told('refused', infno), now, settings)).toEqual(opens(now));
    },
  );

  it.each(counted)('opens by a second failure of %s within ten seconds, not later', (infno) => {
    const once = keeps({ status: 'online', failures: 1, firstFailureAt: now }, true);
    expect(react(well, told('trouble', infno), now, settings)).toEqual(once);
    expect(react(shaken, told('trouble', infno), now, settings)).toEqual(opens(at(-9_999)));
    const onTime: Online = { ...shaken, firstFailureAt: at(-10_000) };
    expect(react(onTime, told('trouble', infno), now, settings)).toEqual(opens(at(-10_000)));
    expect(react(shakenLongAgo, told('trouble', infno), now, settings)).toEqual(once);
  });

  it.each(uncounted)('only asks for a probe when %s fails', (infno) => {
    for (const state of [well, shaken, shakenLongAgo])
      expect(react(state, told('trouble', infno), now, settings)).toEqual(probes);
  });

  it('opens when the probe fails, and it began with the earliest failure that counts', () => {
    const event: BreakerEvent = { kind: 'probeFailed', failedAt: at(-1_000) };
    expect(react(well, event, now, settings)).toEqual(opens(at(-1_000)));
    expect(react(shaken, event, now, settings)).toEqual(opens(at(-9_999)));
    expect(react(shakenLongAgo, event, now, settings)).toEqual(opens(at(-1_000)));
  });

  it('forgets failures when a 2207 is answered, and not for less', () => {
    expect(react(shaken, told('answered', '2207'), now, settings)).toEqual(keeps(well, false));
    expect(react(well, told('answered', '2207'), now, settings)).toEqual(nothing);
    for (const infno of [...counted.filter((c) => c !== '2207'), ...uncounted])
      expect(react(shaken, told('answered', infno), now, settings)).toEqual(nothing);
  });

  it('opens for a planned window, and does not mind the end of a trial of before', () => {
    expect(react(shaken, { kind: 'windowBegan' }, now, settings)).toEqual(opens(now));
    const ended: BreakerEvent = { kind: 'trialEnded', token: 'T', isAnswered: true };
    expect(react(shaken, ended, now, settings)).toEqual(nothing);
  });
});

describe('offline', () => {
  const signals: Signal[] = ['answered', 'refused', 'trouble'];
  const all = [...counted, ...uncounted];

  it('is moved by nothing that does not belong to its trial', () => {
    for (const state of [open, trying]) {
      for (const signal of signals) {
        for (const infno of all) {
          expect(react(state, told(signal, infno), now, settings)).toEqual(nothing);
          expect(react(state, told(signal, infno, 'another'), now, settings)).toEqual(nothing);
        }
      }
      for (const event of [
        { kind: 'probeFailed', failedAt: now },
        { kind: 'windowBegan' },
        { kind: 'trialEnded', token: 'another', isAnswered: true },
      ] satisfies BreakerEvent[])
        expect(react(state, event, now, settings)).toEqual(nothing);
    }
    expect(react(open, told('answered', '2207', 'T'), now, settings)).toEqual(nothing);
  });

  it('closes by the answer to its trial’s 2207 and by no other', () => {
    for (const infno of all)
      expect(react(trying, told('answered', infno, 'T'), now, settings)).toEqual(
        infno === '2207' ? closes : nothing,
      );
  });

  it('waits longer after each failed trial, whatever failed', () => {
    for (const signal of ['refused', 'trouble'] as const)
      for (const infno of all)
        expect(react(trying, told(signal, infno, 'T'), now, settings)).toEqual(waits(2, at(2_000)));
  });

  it('lets the next one try at once if the insurer answered, else after the delay', () => {
    const ended = (isAnswered: boolean): BreakerEvent => ({
      kind: 'trialEnded',
      token: 'T',
      isAnswered,
    });
    expect(react(trying, ended(true), now, settings)).toEqual(waits(1, now));
    expect(react(trying, ended(false), now, settings)).toEqual(waits(1, at(1_000)));
    // The run's failure was told before it ended: its trial is over already.
    expect(react(open, ended(true), now, settings)).toEqual(nothing);
  });

  it('has a trial to give only when one is due and nobody’s is under way', () => {
    expect(isTrialFree(well, now)).toBe(false);
    expect(isTrialFree(open, now)).toBe(true);
    expect(isTrialFree({ ...open, trialAt: at(1) }, now)).toBe(false);
    expect(isTrialFree(trying, now)).toBe(false);
    expect(isTrialFree(trying, at(1_000))).toBe(true);
  });
});

it('tries within 2 s in the sandbox, after 30 s to 2 min in production', () => {
  const delays = (EGRET_MODE: 'sandbox' | 'production') => {
    const numbers = breakerSettings({ EGRET_MODE, INSURANCE_QUIET_MS: 15_000 });
    return [0, 1, 2, 3, 50].map((failed) => trialDelay(numbers, failed));
  };
  expect(delays('sandbox')).toEqual([500, 1_000, 2_000, 2_000, 2_000]);
  expect(delays('production')).toEqual([30_000, 60_000, 120_000, 120_000, 120_000]);
});

it('is online or offline, in step with what it says, whatever happens in whatever order', () => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constant('told' as const),
      signal: fc.constantFrom<Signal>('answered', 'refused', 'trouble'),
      infno: fc.constantFrom(...counted, ...uncounted),
      trialToken: fc.constantFrom(null, 'T', 'another'),
    }),
    fc.record({ kind: fc.constant('probeFailed' as const), failedAt: fc.constant(at(-500)) }),
    fc.record({ kind: fc.constant('windowBegan' as const) }),
    fc.record({
      kind: fc.constant('trialEnded' as const),
      token: fc.constantFrom('T', 'another'),
      isAnswered: fc.boolean(),
    }),
  );
  fc.assert(
    fc.property(
      fc.constantFrom<RouteState>(well, shaken, shakenLongAgo, open, trying),
      fc.array(fc.tuple(event, fc.nat(5_000)), { maxLength: 30 }),
      (first, steps) => {
        let state = first;
        let clock = now.getTime();
        for (const [happening, ms] of steps) {
          clock += ms;
          const reaction = react(state, happening, new Date(clock), settings);
          if (reaction.change === 'none') continue;
          const { change } = reaction;
          const after = reaction.state.status;
          expect(change === 'opened').toBe(state.status === 'online' && after === 'offline');
          expect(change === 'closed').toBe(state.status === 'offline' && after === 'online');
          if (change === 'closed') {
            const { trial } = state as Offline;
            expect(happening).toMatchObject({ signal: 'answered', infno: '2207' });
            expect(happening).toMatchObject({ trialToken: trial!.token });
          }
          if (reaction.state.status === 'offline') {
            const delay = reaction.state.trialAt.getTime() - clock;
            expect(delay).toBeLessThanOrEqual(settings.maxTrialDelayMs);
          } else {
            expect(reaction.state.failures).toBeLessThan(settings.failuresToOpen);
          }
          state = reaction.state;
        }
      },
    ),
  );
});

describe('what an answer says about the route', () => {
  const rules = regionRules('350200');
  const signal = (infno: string, event: ExchangeEvent) => {
    const { answer } = classify(infno, event, rules);
    return signalOf(infno, answer.outcome, 'reason' in answer ? answer.reason : '');
  };
  const reply = (infcode: string, errMsg: string): ExchangeEvent => ({
    kind: 'reply',
    reply: { infcode, errMsg, output: {} } as WireReply,
  });

  it.each(['1101', '2201', '2204', '2207', '2208'])('of %s', (infno) => {
    expect(signal(infno, { kind: 'refused', reason: 'ECONNREFUSED' })).toBe('refused');
    const troubles: ExchangeEvent[] = [
      { kind: 'timeoutBeforeSend' },
      { kind: 'timeout' },
      { kind: 'reset', reason: 'UND_ERR_SOCKET' },
      { kind: 'httpStatus', status: 502 } as ExchangeEvent,
      { kind: 'nonJson' },
      { kind: 'noInfcode' } as ExchangeEvent,
      { kind: 'gateway401', message: '签名不一致!' } as ExchangeEvent,
      reply('-1', '系统繁忙，请稍后再试'),
    ];
    for (const event of troubles) expect(signal(infno, event), event.kind).toBe('trouble');
    for (const text of ['未查询到参保信息，查无此人', '费用总额不相等', '谁也没见过的话'])
      expect(signal(infno, reply('-1', text)), text).toBe('answered');
  });

  it('reads "already settled" at 2207 as an answer, though the claim is in doubt', () => {
    expect(classify('2207', reply('-1', '该单据已结算'), rules).answer.outcome).toBe('unknown');
    expect(signal('2207', reply('-1', '该单据已结算'))).toBe('answered');
  });

  it('knows a refused sign-in, and takes good and repeated trades for answers', () => {
    expect(signalOf('2201', 'offline', 'sign-in: connection refused: ECONNREFUSED')).toBe(
      'refused',
    );
    expect(signalOf('2201', 'offline', 'sign-in: no answer before the deadline')).toBe('trouble');
    expect(signalOf('2207', 'ok', '')).toBe('answered');
    expect(signalOf('2205', 'alreadyDone', '已撤销')).toBe('answered');
  });
});
