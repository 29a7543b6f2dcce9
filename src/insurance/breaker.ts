// The circuit breaker of each route to the insurer, its state a row that all processes share (domain.md,
// Breaker): an open route costs the counter nothing, and one run at a time tries whether it is back.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Environment } from '../config.ts';
import type { Db } from '../db/db.ts';
import type { Metrics } from '../http/metrics.ts';
import { type Looks, makeLooks } from './breaker-look.ts';
import { watchRoutes } from './breaker-metrics.ts';
import { isProbeAnswered, type Sender } from './breaker-probe.ts';
import {
  type BreakerEvent,
  type BreakerSettings,
  breakerSettings,
  isTrialFree,
  type Reaction,
  signalOf,
} from './breaker-rules.ts';
import { renewTrialRow, takeTrialRow } from './breaker-store.ts';
import { changeRoute } from './breaker-switch.ts';
import { isSettle } from './claim-trades.ts';
import type { Answer, Infno, Insurer, RouteName } from './insurer.ts';

/** What one message to the insurer came to. */
export interface Told {
  infno: Infno;
  outcome: Answer['outcome'];
  reason: string;
  trialToken: string | null;
  /** In whose name a probe may be sent; without it none is. */
  sender?: Sender;
}

export interface Breaker {
  /** At most 100 ms old. Open also during a planned window; `outageId` names it then. */
  stateOf(route: RouteName): Promise<{ isOpen: boolean; outageId: string | null }>;
  /**
   * The right to try an open route, as a token for the run's messages; null: not now, or not you.
   * Conversions go first. Whatever comes of it, `endTrial` ends it.
   */
  takeTrial(route: RouteName, who: 'conversion' | 'counter'): Promise<string | null>;
  /** The run is over. Changes nothing when its 2207 was answered or one of its messages failed. */
  endTrial(token: string): Promise<void>;
  /** Whether a message may be sent; renews the lease of the trial that it belongs to. */
  admits(route: RouteName, trialToken: string | null, deadlineMs: number): Promise<boolean>;
  /** Takes note of an answer; resolves when the route is switched, where it has to be. */
  report(route: RouteName, told: Told): Promise<void>;
}

export interface BreakerOptions {
  db: Db;
  /** The unguarded one: a probe goes through an open breaker. */
  insurer: Insurer;
  env: Pick<Environment, 'EGRET_MODE' | 'INSURANCE_QUIET_MS'>;
  log: Pick<Logger, 'warn' | 'info'>;
  metrics?: Metrics;
  /** Real time, for the message id of a probe. */
  realNow: () => Date;
  /** Other numbers than the mode's. */
  settings?: Partial<BreakerSettings>;
}

/** Beyond its own deadline a message of a trial takes no longer than this to be reported. */
const REPORT_SLACK_MS = 5_000;

interface Parts {
  options: BreakerOptions;
  settings: BreakerSettings;
  looks: Looks;
  /** Routes that this process is probing. */
  probing: Set<RouteName>;
  /** The latest trial of each route that this process runs and that got an answer to something. */
  answered: Map<RouteName, string>;
}

export function makeBreaker(options: BreakerOptions): Breaker {
  const settings = { ...breakerSettings(options.env), ...options.settings };
  const looks = makeLooks(options.db);
  const parts: Parts = { options, settings, looks, probing: new Set(), answered: new Map() };
  const breaker: Breaker = {
    async stateOf(route) {
      const { state, outageId } = await current(parts, route);
      return { isOpen: state.status === 'offline', outageId };
    },
    takeTrial: (route, who) => takeTrial(parts, route, who),
    async endTrial(token) {
      const route = routeOfToken(token);
      const isAnswered = parts.answered.get(route) === token;
      await change(parts, route, { kind: 'trialEnded', token, isAnswered });
    },
    async admits(route, trialToken, deadlineMs) {
      const { state } = await current(parts, route);
      if (state.status === 'online') return true;
      if (trialToken === null) return false;
      return renewTrialRow(options.db, route, trialToken, deadlineMs + REPORT_SLACK_MS);
    },
    report: (route, told) => report(parts, route, told),
  };
  if (options.metrics) watchRoutes(options.metrics, breaker);
  return breaker;
}

/** The route as it is now; whoever looks first after a planned window began opens it. */
async function current(parts: Parts, route: RouteName) {
  const row = await parts.looks.read(route);
  if (row.state.status === 'offline' || row.windowId === null) return row;
  await change(parts, route, { kind: 'windowBegan' }, '计划停机 planned window');
  return parts.looks.read(route);
}

async function takeTrial(
  { options, settings, looks }: Parts,
  route: RouteName,
  who: 'conversion' | 'counter',
): Promise<string | null> {
  const { state } = await looks.read(route);
  // Most who ask are turned away here, without a statement.
  if (!isTrialFree(state, await looks.nowBy(route))) return null;
  const token = `${route}.${randomUUID()}`;
  if (!(await takeTrialRow(options.db, { route, who, token }, settings))) return null;
  looks.forget(route);
  return token;
}

async function report(parts: Parts, route: RouteName, told: Told): Promise<void> {
  const { infno, outcome, reason, trialToken, sender } = told;
  const signal = signalOf(infno, outcome, reason);
  if (signal === 'answered') {
    if (trialToken) parts.answered.set(routeOfToken(trialToken), trialToken);
    if (!isSettle(infno)) return;
  }
  const { state } = await parts.looks.read(route);
  const isClean = state.status === 'online' && state.failures === 0;
  if (signal === 'answered' && isClean) return;
  if (state.status === 'offline' && !trialToken) return;
  const reaction = await change(parts, route, { kind: 'told', signal, infno, trialToken }, reason);
  const isHint = 'shouldProbe' in reaction && reaction.shouldProbe;
  if (isHint && sender) probe(parts, route, sender, reason);
}

/** A second look after a failure that proves little; not on the caller's time. */
function probe(parts: Parts, route: RouteName, sender: Sender, reason: string): void {
  const { options, probing, looks } = parts;
  if (probing.has(route)) return;
  probing.add(route);
  const run = async () => {
    const failedAt = await looks.nowBy(route);
    if (await isProbeAnswered(options, sender)) return;
    await change(parts, route, { kind: 'probeFailed', failedAt }, reason);
  };
  run()
    .catch((err) => options.log.warn({ err, route }, 'the probe could not be made'))
    .finally(() => probing.delete(route));
}

async function change(
  { options, settings, looks }: Parts,
  route: RouteName,
  event: BreakerEvent,
  reason = '',
): Promise<Reaction> {
  const reaction = await changeRoute(options.db, settings, { route, event, reason });
  looks.forget(route);
  const { log } = options;
  if (reaction.change === 'opened') log.warn({ route, reason }, 'insurance route is offline');
  if (reaction.change === 'closed') log.info({ route }, 'insurance route is back');
  return reaction;
}

function routeOfToken(token: string): RouteName {
  return token.startsWith('crossRegion.') ? 'crossRegion' : 'local';
}
