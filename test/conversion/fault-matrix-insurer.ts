// The insurer of the fault matrix: breaks at one named trade, can hold a message back, and knows
// afterwards whether that trade was sent and failed as named (its own log against our answers).
import { expect } from 'vitest';
import type { Answer } from '../../src/insurance/insurer.ts';
import type { InsurerControl } from '../../src/sandbox/insurer/control-client.ts';
import type { Fault as SandboxFault } from '../../src/sandbox/insurer/control-schemas.ts';
import type { TestApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { insurerOf } from '../visit/support.ts';

export const faults = [
  'refused',
  'hang',
  'lost',
  'error500',
  'garbage',
  'late',
  'rejected',
] as const;
export const trades = ['1101', '2201', '2203', '2204', '2206', '2207', '2208', '2601'] as const;
export type Fault = (typeof faults)[number];
export type Trade = (typeof trades)[number];

/** One way to fail, at one trade. */
export interface Strike {
  fault: Fault;
  trade: Trade;
}

/** Whose messages are meant: what else is under way at the insurer proves nothing. */
export interface Marks {
  idNumber: string;
  psnNo: string;
}

/** A worker would wait 20 s for a silent insurer; the counter's own 4.5 s are left as they are. */
const PATIENCE_MS = 5_000;
/** Longer than anybody waits, shorter than the quiet time of the tests that use it (8 s). */
const LATE_MS = 6_500;
/** A probe waits for 1 s; then it opens the route. */
const PROBE_ENDS_MS = 1_500;
/** Here doubt is `unknown`; at all other trades nothing can have moved and it is `offline`. */
const MONEY_TRADES: readonly string[] = ['2207', '2208', '2601'];

/** A closed port is no matter of trades: it is shut when the trade is about to be sent. */
const modes: Record<Exclude<Fault, 'refused'>, Omit<SandboxFault, 'on'>> = {
  hang: { mode: 'hang' },
  lost: { mode: 'answerLost' },
  error500: { mode: 'error500' },
  garbage: { mode: 'garbage' },
  late: { mode: 'slow', delayMs: LATE_MS },
  rejected: { mode: 'reject', reason: '目录编码未上传追溯码' },
};

interface Sent {
  infno: string;
  msgid: string;
  input: string;
  answer: Answer;
}

export interface WatchedInsurer {
  control: InsurerControl;
  /** Healthy, every route online, 5203 answering: nothing of an earlier cell is left. */
  reset(): Promise<void>;
  /** Forgets what was sent so far: what fails from now on is the cell's own doing. */
  forget(): void;
  /** Counts the resets: work that belongs to an earlier cell must end. */
  cell(): number;
  /** From now on the trade fails in this way. */
  strike(strike: Strike): Promise<void>;
  /** It works again; a breaker that is open stays open until a trial closes it. */
  mend(): Promise<void>;
  /** 5203 does not answer without a setl_id, as in some regions: only 2601 tells the truth. */
  hideClaims(): Promise<void>;
  /** The next message of this trade waits on its way until `release`. */
  hold(trade: Trade): { isReached(): boolean; release(): void };
  isMended(): boolean;
  /** Messages of the trade about this person that we saw fail as named. */
  failures(strike: Strike, of: Marks): Sent[];
  /** Everything of this trade that was sent about this person. */
  sent(trade: Trade, of: Marks): Sent[];
  /** Fails unless the trade was sent, met its fault at the insurer and failed here as named. */
  expectStruck(strike: Strike, of: Marks): Promise<void>;
  /** Waits until nothing that the insurer executes late is still to come. */
  waitForLate(): Promise<void>;
}

/** Puts itself between the service and its insurer; once a file. */
export function watchInsurer(app: TestApp): WatchedInsurer {
  const control = insurerOf(app);
  const sent: Sent[] = [];
  const original = app.deps.insurer.send.bind(app.deps.insurer);
  let shutsAt: Trade | null = null;
  let isBroken = false;
  let cell = 0;
  let held: { trade: Trade; isReached: boolean; released: Promise<void> } | null = null;

  app.deps.insurer.send = async (message, deadlineMs) => {
    const { infno, msgid } = message;
    if (held?.trade === infno && !held.isReached) {
      held.isReached = true;
      await held.released;
    }
    if (shutsAt === infno) await control.setFault({ mode: 'refuseConnection' });
    const answer = await original(message, Math.min(deadlineMs, PATIENCE_MS));
    sent.push({ infno, msgid, input: JSON.stringify(message.input), answer });
    return answer;
  };

  /** A probe that the last cell left hanging would open the route in the midst of this one. */
  const waitForProbes = () =>
    waitFor(async () => {
      const asked = await control.messages({ infno: '1101' });
      const silent = asked.filter(({ fault }) => fault === 'hang' || fault === 'slow');
      return silent.every((m) => Date.now() - Date.parse(m.receivedAt) > PROBE_ENDS_MS);
    });

  const sentOf = (trade: Trade, { idNumber, psnNo }: Marks) =>
    sent.filter(
      ({ infno, input }) => infno === trade && (input.includes(idNumber) || input.includes(psnNo)),
    );
  const failuresOf = (strike: Strike, of: Marks) =>
    sentOf(strike.trade, of).filter(({ answer }) => isAsNamed(strike, answer));

  return {
    control,
    async reset() {
      cell += 1;
      sent.length = 0;
      held = null;
      shutsAt = null;
      isBroken = false;
      await control.setRules({});
      await control.setFault({ mode: 'none' });
      await waitForProbes();
      await app.fault({ mode: 'none' });
    },
    forget() {
      sent.length = 0;
    },
    cell: () => cell,
    async strike({ fault, trade }) {
      isBroken = true;
      shutsAt = fault === 'refused' ? trade : null;
      if (fault === 'refused') await control.setFault({ mode: 'none' });
      else await control.setFault({ ...modes[fault], on: [trade] });
    },
    async mend() {
      isBroken = false;
      shutsAt = null;
      await control.setFault({ mode: 'none' });
    },
    hideClaims: () => control.setRules({ answersBlankSetlId: false }),
    hold(trade) {
      let release = () => {};
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      const gate = { trade, isReached: false, released };
      held = gate;
      return { isReached: () => gate.isReached, release };
    },
    isMended: () => !isBroken,
    failures: failuresOf,
    sent: sentOf,
    async expectStruck(strike, of) {
      const failed = failuresOf(strike, of);
      expect(failed.length, `${strike.trade} was sent and failed`).toBeGreaterThan(0);
      const met = await control.messages({ infno: strike.trade });
      const mine = met.filter(({ msgid }) => failed.some((f) => f.msgid === msgid));
      if (strike.fault === 'refused') return expect(mine).toEqual([]);
      expect(mine).toHaveLength(failed.length);
      for (const { fault } of mine) expect(fault).toBe(modes[strike.fault].mode);
      const isExecuted = strike.fault === 'lost' || strike.fault === 'late';
      expect(mine[0]?.fate).toMatch(isExecuted ? /^(done|pending)$/ : /^notExecuted$/);
    },
    async waitForLate() {
      await waitFor(async () => {
        const messages = await control.messages();
        return messages.every(({ fate }) => fate !== 'pending');
      });
    },
  };
}

function isAsNamed({ fault, trade }: Strike, answer: Answer): boolean {
  const reason = 'reason' in answer ? answer.reason : '';
  // Our own breaker's answer: nothing was sent.
  if (reason.includes('insurance route is offline')) return false;
  if (fault === 'rejected') return answer.outcome === 'rejected';
  const isRefused = reason.includes('connection refused');
  if (fault === 'refused') return answer.outcome === 'offline' && isRefused;
  const doubt = MONEY_TRADES.includes(trade) ? 'unknown' : 'offline';
  return answer.outcome === doubt && !isRefused;
}
