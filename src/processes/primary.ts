// The primary of several processes on one port: it serves nothing, hands out connections and keeps the
// others running. Law: a child that dies is started again, a crash loop ends the service, and no child
// outlives the primary (node:cluster ends a child whose IPC channel is gone).
import cluster, { type Worker as Child } from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Environment } from '../config.ts';
import { makeLogger } from '../http/logging.ts';
import { end, hurried, isEnding, StartError } from './ending.ts';
import { answerMetrics, type Scrapes } from './gather-metrics.ts';
import type { Ground } from './ground.ts';
import type { FromChild, FromPrimary } from './messages.ts';
import { MAX_DEATHS, noteDeath, WINDOW_MS } from './restarts.ts';

const ENTRY = fileURLToPath(new URL('./child.ts', import.meta.url));
/** A child that cannot start must not spin. */
const RESTART_DELAY_MS = 200;
/** Longer than a child's own patience with its connections and its pool. */
const STOP_TIMEOUT_MS = 20_000;

export interface Family {
  /** The first API process serves; the others and the worker are on their way. Throws StartError. */
  ready: Promise<void>;
  /** Drains all of them at once and waits for their ends. */
  stop(isHurried: boolean): Promise<void>;
}

/** One place of the family; who fills it changes. */
interface Place {
  name: string;
  role: 'api' | 'worker';
  child: Child | null;
  /** False while its child is still starting. */
  isReady: boolean;
  deathsMs: number[];
}

interface Running {
  ground: Promise<Ground>;
  log: Logger;
  places: Place[];
  scrapes: Scrapes;
  /** Set once somebody has told people that the service is ready. */
  isAnnounced: boolean;
}

/**
 * Starts the first API process beside `ground`, and the others when it serves: code that is loaded by
 * all at once would keep the first one from serving.
 */
export function startFamily(env: Environment, ground: Promise<Ground>): Family {
  const name = (role: Place['role'], n: number) => (role === 'api' ? `api-${n}` : role);
  const roles = [...Array<'api'>(env.WORKERS).fill('api'), 'worker' as const];
  const running: Running = {
    ground,
    log: makeLogger(env.LOG_LEVEL),
    places: roles.map((role, i) => ({
      name: name(role, i + 1),
      role,
      child: null,
      isReady: false,
      deathsMs: [],
    })),
    scrapes: { next: 1, waiting: new Map() },
    isAnnounced: false,
  };
  const ready = startAll(running);
  // Whoever waits for it is told; until then `ground` may fail first.
  ready.catch(() => {});
  return { ready, stop: (isHurried) => stopAll(running, isHurried) };
}

async function startAll(running: Running): Promise<void> {
  const [first, ...others] = running.places;
  if (!first) throw new Error('a family has at least one API process');
  await new Promise<void>((resolve, reject) => {
    fill(running, first, resolve);
    first.child?.once('exit', (code, signal) => {
      reject(new StartError(`${first.name} ended while it started (${signal ?? code})`));
    });
  });
  running.isAnnounced = true;
  for (const place of others) fill(running, place);
}

/** Starts a child in a place, and another one whenever that one dies. */
function fill(running: Running, place: Place, onReady = () => {}): void {
  // The name is for people who look at the list of processes.
  cluster.setupPrimary({ exec: ENTRY, args: [place.name] });
  const child = cluster.fork();
  place.child = child;
  place.isReady = false;
  // A channel that breaks while something is sent: the end of the child tells the rest.
  child.on('error', () => {});
  child.on('message', (message: FromChild) => {
    if (message.kind === 'loaded') void order(running, place, child);
    else if (message.kind === 'ready') {
      place.isReady = true;
      onReady();
    } else answerMetrics(running.scrapes, message, child, readyChildren(running));
  });
  child.once('exit', (code, signal) => {
    place.child = null;
    place.isReady = false;
    if (!isEnding()) void replace(running, place, signal ?? code);
  });
}

async function order(running: Running, { role }: Place, child: Child): Promise<void> {
  // Whoever awaits the start hears of a ground that failed.
  const ground = await running.ground.catch(() => null);
  if (!ground) return;
  tell(child, {
    kind: 'begin',
    role,
    ground,
    isAnnouncing: role === 'api' && !running.isAnnounced,
  });
}

async function replace(running: Running, place: Place, how: string | number): Promise<void> {
  const { name } = place;
  // A start that fails is told by `ready`.
  if (!running.isAnnounced) return;
  const counted = noteDeath(place.deathsMs, performance.now());
  if (!counted) {
    console.error(
      `Egret ends: ${name} ended ${MAX_DEATHS} times within ${WINDOW_MS / 1000} s, last with ${how}`,
    );
    await end(1);
    return;
  }
  place.deathsMs = counted;
  running.log.error({ process: name, how }, 'a process ended and is started again');
  await delay(RESTART_DELAY_MS);
  if (!isEnding()) fill(running, place);
}

function readyChildren({ places }: Running): Child[] {
  return places.flatMap(({ child, isReady }) => (child && isReady ? [child] : []));
}

function tell(child: Child, message: FromPrimary): void {
  if (child.isConnected()) child.send(message);
}

async function stopAll(running: Running, isHurried: boolean): Promise<void> {
  const ends = running.places.map(({ child, isReady }) => child && endOf(child, isReady));
  const hurry = () => {
    for (const child of readyChildren(running)) tell(child, { kind: 'hurry' });
  };
  if (isHurried) hurry();
  hurried.addEventListener('abort', hurry);
  await Promise.all(ends);
  hurried.removeEventListener('abort', hurry);
}

/** One that has not begun holds nothing. */
async function endOf(child: Child, isReady: boolean): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (isReady) tell(child, { kind: 'end' });
  else child.process.kill('SIGKILL');
  const timer = setTimeout(() => child.process.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
