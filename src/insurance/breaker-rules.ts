// Law: a route opens on a refused connection, on a failure that a probe confirms, or on 2 failures of
// 2201–2207 within 10 s; only the answer to a half-open trial's 2207 closes it (domain.md, Breaker);
// of inpatients 2401 and 2301–2304. Pure.
import type { Environment } from '../config.ts';
import { isOnClaimRoad, isSettle } from './claim-trades.ts';
import type { Answer } from './insurer.ts';
import { readErrorText, regionRules } from './regions.ts';

export interface BreakerSettings {
  failuresToOpen: number;
  failureWindowMs: number;
  /** From opening to the first trial; doubled after every failed one, up to the maximum. */
  trialDelayMs: number;
  maxTrialDelayMs: number;
  /** A trial whose holder died frees itself after this; each of its messages renews it. */
  trialLeaseMs: number;
  /** For so long after a trial is due only conversions may take it while any is waiting. */
  conversionsFirstMs: number;
}

/** `failures` of 2201–2207 since `firstFailureAt`. All times are the database's real time. */
export interface Online {
  status: 'online';
  failures: number;
  firstFailureAt: Date | null;
}

/** Half-open is offline with a trial under way. */
export interface Offline {
  status: 'offline';
  failedTrials: number;
  trialAt: Date;
  trial: { token: string; until: Date } | null;
}

export type RouteState = Online | Offline;

export type BreakerEvent =
  | { kind: 'told'; signal: Signal; infno: string; trialToken: string | null }
  /** The probe after a failure that did not open the route by itself; `failedAt`: that failure. */
  | { kind: 'probeFailed'; failedAt: Date }
  /** A window that the insurer announced has begun. */
  | { kind: 'windowBegan' }
  /** The run ended without an answer to its 2207; `isAnswered`: the insurer did answer something. */
  | { kind: 'trialEnded'; token: string; isAnswered: boolean };

export type Reaction =
  | { change: 'none'; shouldProbe: boolean }
  | { change: 'kept'; state: RouteState; shouldProbe: boolean }
  | { change: 'opened'; state: Offline; firstFailureAt: Date }
  | { change: 'closed'; state: Online };

/** answered: in words, whichever. refused: no connection. trouble: silence, garbage, system trouble. */
export type Signal = 'answered' | 'refused' | 'trouble';

const SANDBOX_DELAYS = { trialDelayMs: 500, maxTrialDelayMs: 2_000 };
const PRODUCTION_DELAYS = { trialDelayMs: 30_000, maxTrialDelayMs: 120_000 };
/** A worker looks every half second; nobody looking for this long means that none is there. */
const WORKER_ABSENT_MS = 5_000;

/** The numbers of domain.md and api.md for a mode. */
export function breakerSettings(
  env: Pick<Environment, 'EGRET_MODE' | 'INSURANCE_QUIET_MS'>,
): BreakerSettings {
  return {
    failuresToOpen: 2,
    failureWindowMs: 10_000,
    ...(env.EGRET_MODE === 'sandbox' ? SANDBOX_DELAYS : PRODUCTION_DELAYS),
    trialLeaseMs: 10_000,
    // A conversion of unknown fate is left alone for the quiet time, and still goes first.
    conversionsFirstMs: env.INSURANCE_QUIET_MS + WORKER_ABSENT_MS,
  };
}

/** What an answer says about the route; the reasons are the ones of classify.ts. */
export function signalOf(infno: string, outcome: Answer['outcome'], reason: string): Signal {
  switch (outcome) {
    case 'ok':
    case 'alreadyDone':
    case 'rejected':
    case 'notInsured':
      return 'answered';
    case 'offline':
      return /^(sign-in: )?connection refused: /.test(reason) ? 'refused' : 'trouble';
    case 'unknown':
      // "Already settled" leaves the claim in doubt, not the platform: it answered.
      return readErrorText(regionRules(''), infno, reason) === 'alreadySettled'
        ? 'answered'
        : 'trouble';
  }
  return outcome satisfies never;
}

export function react(
  state: RouteState,
  event: BreakerEvent,
  now: Date,
  settings: BreakerSettings,
): Reaction {
  return state.status === 'online'
    ? whileOnline(state, event, now, settings)
    : whileOffline(state, event, now, settings);
}

/** True when a trial may be taken: due, and nobody else's is under way. */
export function isTrialFree(state: RouteState, now: Date): boolean {
  if (state.status === 'online' || state.trialAt > now) return false;
  return state.trial === null || state.trial.until <= now;
}

/** From the `failedTrials`th failed trial to the next one. */
export function trialDelay(settings: BreakerSettings, failedTrials: number): number {
  return Math.min(settings.maxTrialDelayMs, settings.trialDelayMs * 2 ** failedTrials);
}

function whileOnline(
  state: Online,
  event: BreakerEvent,
  now: Date,
  settings: BreakerSettings,
): Reaction {
  switch (event.kind) {
    case 'told':
      return hear(state, event, now, settings);
    case 'probeFailed':
      return open(now, settings, earliest(recent(state, now, settings), event.failedAt));
    case 'windowBegan':
      return open(now, settings, now);
    case 'trialEnded':
      return nothing;
  }
  return event satisfies never;
}

function hear(
  state: Online,
  { signal, infno }: Extract<BreakerEvent, { kind: 'told' }>,
  now: Date,
  settings: BreakerSettings,
): Reaction {
  const before = recent(state, now, settings);
  if (signal === 'refused') return open(now, settings, earliest(before, now));
  if (signal === 'answered') {
    // Only a 2207 shows that the whole road works: a platform may take 2201 and settle nothing.
    if (!isSettle(infno) || state.failures === 0) return nothing;
    return { change: 'kept', state: freshOnline, shouldProbe: false };
  }
  // A failure of anything beside the road of a claim is only a hint.
  if (!isOnClaimRoad(infno)) return { change: 'none', shouldProbe: true };
  const failures = before ? state.failures + 1 : 1;
  const firstFailureAt = before ?? now;
  if (failures >= settings.failuresToOpen) return open(now, settings, firstFailureAt);
  const kept: Online = { status: 'online', failures, firstFailureAt };
  return { change: 'kept', state: kept, shouldProbe: true };
}

function whileOffline(
  state: Offline,
  event: BreakerEvent,
  now: Date,
  settings: BreakerSettings,
): Reaction {
  const isTrials = (token: string | null) => token !== null && state.trial?.token === token;
  switch (event.kind) {
    case 'told': {
      // Messages sent before it opened are answered late; they neither close nor prolong it.
      if (!isTrials(event.trialToken)) return nothing;
      if (event.signal !== 'answered') {
        return waiting(state.failedTrials + 1, now, trialDelay(settings, state.failedTrials + 1));
      }
      return isSettle(event.infno) ? { change: 'closed', state: freshOnline } : nothing;
    }
    case 'trialEnded': {
      if (!isTrials(event.token)) return nothing;
      const delayMs = event.isAnswered ? 0 : trialDelay(settings, state.failedTrials);
      return waiting(state.failedTrials, now, delayMs);
    }
    case 'probeFailed':
    case 'windowBegan':
      return nothing;
  }
  return event satisfies never;
}

const nothing: Reaction = { change: 'none', shouldProbe: false };
const freshOnline: Online = { status: 'online', failures: 0, firstFailureAt: null };

function waiting(failedTrials: number, now: Date, delayMs: number): Reaction {
  const trialAt = after(now, delayMs);
  const state: Offline = { status: 'offline', failedTrials, trialAt, trial: null };
  return { change: 'kept', state, shouldProbe: false };
}

function open(now: Date, settings: BreakerSettings, firstFailureAt: Date): Reaction {
  const trialAt = after(now, trialDelay(settings, 0));
  const state: Offline = { status: 'offline', failedTrials: 0, trialAt, trial: null };
  return { change: 'opened', state, firstFailureAt };
}

/** The first failure, if it is young enough to count with another one now. */
function recent(state: Online, now: Date, settings: BreakerSettings): Date | null {
  const { firstFailureAt } = state;
  if (!firstFailureAt) return null;
  return now.getTime() - firstFailureAt.getTime() <= settings.failureWindowMs
    ? firstFailureAt
    : null;
}

const after = (at: Date, ms: number) => new Date(at.getTime() + ms);
const earliest = (a: Date | null, b: Date) => (a !== null && a < b ? a : b);
