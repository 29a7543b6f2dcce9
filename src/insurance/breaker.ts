// The circuit breaker of each route to the insurer, its state a row that all processes share (domain.md,
// Breaker): an open route costs the counter nothing, and one run at a time tries whether it is back.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Environment } from '../config.ts';
import { type Db, transact } from '../db/db.ts';
import type { Metrics } from '../http/metrics.ts';
import { watchRoutes } from './breaker-metrics.ts';
import { isProbeAnswered, type Sender } from './breaker-probe.ts';
import {
  type BreakerEvent,
  type BreakerSettings,
  breakerSettings,
  isTrialFree,
  type Reaction,
  react,
  signalOf,
} from './breaker-rules.ts';
import {
  lockRoute,
  type RouteRow,
  readRoute,
  renewTrialRow,
  saveState,
  switchRoute,
  takeTrialRow,
} from './breaker-store.ts';
import type { Answer, Infno, Insurer, RouteName } from './insurer.ts';
import { beginOutage, beginWindow, endOutage } from './outage-store.ts';

/** What one message to the insurer came to. */
export interface Told {
  infno: Infno;
  outcome: Answer['outcome'];
  reason: string;
  trialToken: string | null;
  /** Who sent it: a probe is sent in the same name. Without it no probe is sent. */
  sender?: Sender;
}

export interface Breaker {
  /** Open also during a planned window. At most 100 ms old. */
  stateOf(route: RouteName): Promise<{ isOpen: boolean; outageId: string | null }>;
  /**
   * The right to try an open route, as a token for the run's messages; null: not now, or not you.
   * Conversions go first. End it with `endTrial`, whatever came of it.
   */
  takeTrial(route: RouteName, who: 'conversion' | 'counter'): Promise<string | null>;
  /** The run is over. No-op when its 2207 was answered, it failed, or the token is another's now. */
  endTrial(token: string): Promise<void>;
  /** Whether a message may be sent; renews the trial that it belongs to. */
  admits(route: RouteName, trialToken: string | null, deadlineMs: number): Promise<boolean>;
  /** Takes note of an answer; resolves when the route is switched, where it has to be. */
  report(route: RouteName, told: Told): Promise<void>;
}

export interface BreakerOptions {
  db: Db;
  /** The unguarded one: probes go through an open breaker. */
  insurer: Insurer;
  env: Pick<Environment, 'EGRET_MODE' | 'INSURANCE_QUIET_MS'>;
  log: Pick<Logger, 'warn' | 'info'>;
  metrics?: Metrics;
  realNow: () => Date;
  /** For tests. */
  settings?: Partial<BreakerSettings>;
}

/** How old a look at the row may be: what an open breaker may cost the counter (domain.md). */
const CACHE_MS = 100;
/** Beyond its own deadline a message of a trial takes no longer than this to be reported. */
const REPORT_SLACK_MS = 5_000;

export function makeBreaker(options: BreakerOptions): Breaker {
  const { db, log } = options;
  const settings = { ...breakerSettings(options.env), ...options.settings };
  const looks = new Map<RouteName, Look>();
  const probing = new Set<RouteName>();
  /** The trial of each route that this process runs and the insurer answered something to. */
  const answered = new Map<RouteName, string>();

  async function look(route: RouteName): Promise<Look> {
    const known = looks.get(route);
    if (known && performance.now() - known.at < CACHE_MS) return known;
    const at = performance.now();
    const fresh: Look = { at, row: readRoute(db, route) };
    looks.set(route, fresh);
    fresh.row.catch(() => looks.get(route) === fresh && looks.delete(route));
    return fresh;
  }

  async function current(route: RouteName): Promise<RouteRow> {
    const row = await (await look(route)).row;
    if (row.state.status === 'offline' || row.windowId === null) return row;
    await change(route, { kind: 'windowBegan' }, '计划停机 planned window');
    return (await look(route)).row;
  }

  /** Decides under the row's lock and switches the route, its outage and its event with it. */
  async function change(route: RouteName, event: BreakerEvent, reason: string): Promise<Reaction> {
    const reaction = await transact(db, async (tx) => {
      const row = await lockRoute(tx, route);
      const reaction = react(row.state, event, row.now, settings);
      if (reaction.change === 'none') return reaction;
      if (event.kind === 'windowBegan' && row.windowId === null) return unchanged;
      await saveState(tx, route, reaction.state);
      const at = row.businessNow;
      if (reaction.change === 'opened') {
        const startsAt = new Date(+at - (+row.now - +reaction.firstFailureAt));
        const outageId =
          event.kind === 'windowBegan' && row.windowId
            ? row.windowId
            : await beginOutage(tx, { route, reason, startsAt, detectedAt: at });
        if (event.kind === 'windowBegan') await beginWindow(tx, { route, windowId: outageId, at });
        await switchRoute(tx, route, { status: 'offline', outageId, reason, at });
      } else if (reaction.change === 'closed') {
        if (row.outageId) await endOutage(tx, { route, outageId: row.outageId, at });
        await switchRoute(tx, route, { status: 'online', outageId: null, reason: null, at });
      }
      return reaction;
    });
    looks.delete(route);
    if (reaction.change === 'opened') log.warn({ route, reason }, 'insurance route is offline');
    if (reaction.change === 'closed') log.info({ route }, 'insurance route is back');
    return reaction;
  }

  /** After a failure that proves little: one look, not on the caller's time. */
  function probe(route: RouteName, sender: Sender, reason: string): void {
    if (probing.has(route)) return;
    probing.add(route);
    const startedAt = performance.now();
    const run = async () => {
      if (await isProbeAnswered(options, sender)) return;
      const { now } = await readRoute(db, route);
      const failedAt = new Date(+now - (performance.now() - startedAt));
      await change(route, { kind: 'probeFailed', failedAt }, reason);
    };
    run()
      .catch((err) => log.warn({ err, route }, 'the probe could not be made'))
      .finally(() => probing.delete(route));
  }

  const breaker: Breaker = {
    async stateOf(route) {
      const { state, outageId } = await current(route);
      return { isOpen: state.status === 'offline', outageId };
    },
    async takeTrial(route, who) {
      const seen = await look(route);
      const { state, now } = await seen.row;
      // The database's clock, carried on: most askers are turned away without asking it.
      if (!isTrialFree(state, new Date(+now + performance.now() - seen.at))) return null;
      const token = `${route}.${randomUUID()}`;
      if (!(await takeTrialRow(db, { route, who, token }, settings))) return null;
      looks.delete(route);
      return token;
    },
    async endTrial(token) {
      const route = routeOfToken(token);
      const isAnswered = answered.get(route) === token;
      await change(route, { kind: 'trialEnded', token, isAnswered }, '');
    },
    async admits(route, trialToken, deadlineMs) {
      const { state } = await current(route);
      if (state.status === 'online') return true;
      if (trialToken === null) return false;
      return renewTrialRow(db, route, trialToken, deadlineMs + REPORT_SLACK_MS);
    },
    async report(route, told) {
      const { infno, outcome, reason, trialToken, sender } = told;
      const signal = signalOf(infno, outcome, reason);
      if (signal === 'answered') {
        if (trialToken) answered.set(routeOfToken(trialToken), trialToken);
        if (infno !== '2207') return;
        const { state } = await (await look(route)).row;
        if (state.status === 'online' ? state.failures === 0 : !trialToken) return;
      }
      const event: BreakerEvent = { kind: 'told', signal, infno, trialToken };
      const reaction = await change(route, event, reason);
      if ('shouldProbe' in reaction && reaction.shouldProbe && sender) probe(route, sender, reason);
    },
  };
  if (options.metrics) watchRoutes(options.metrics, breaker);
  return breaker;
}

/** A look at the row; `at` is performance.now() before it was read. */
interface Look {
  at: number;
  row: Promise<RouteRow>;
}

const unchanged: Reaction = { change: 'none', shouldProbe: false };

function routeOfToken(token: string): RouteName {
  return token.startsWith('crossRegion.') ? 'crossRegion' : 'local';
}
