// What a process of the service does: serve the API, do the worker's jobs, or both. This is all of the
// service's code, so it is loaded beside the start of the database.
import { once } from 'node:events';
import type { Server } from 'node:http';
import { buildDeps, closeDeps, createApp } from '../app.ts';
import type { Environment } from '../config.ts';
import type { Deps } from '../deps.ts';
import { announceSandbox } from '../sandbox/start.ts';
import { startWorker, type Worker } from '../worker.ts';
import { hurried, stopAtEnd } from './ending.ts';
import type { Ground } from './ground.ts';
import { closeServer, localUrlOf, serve } from './listening.ts';

export type Role = 'all' | 'api' | 'worker';

/** What is finished within this time is finished; then connections are cut. */
const DRAIN_MS = 10_000;

/** Opens this process's pool and clients. */
export async function openDeps(env: Environment, ground: Ground): Promise<Deps> {
  const deps = await buildDeps(env, ground.parties);
  stopAtEnd('pools', () => closeDeps(deps));
  return deps;
}

/** Goes on until the end of the process, and then until what is under way is finished. */
export async function take(role: Role, deps: Deps, { port, sandbox }: Ground): Promise<void> {
  const address = { PORT: port, HOST: deps.env.HOST };
  const server = role === 'worker' ? null : await serve(createApp(deps, sandbox?.links), address);
  const worker = role === 'api' ? null : startWorker(deps);
  stopAtEnd('traffic', (isHurried) => drain(server, worker, isHurried));
}

/** No new requests or jobs; those in flight are finished, within the time. */
async function drain(
  server: Server | null,
  worker: Worker | null,
  isHurried: boolean,
): Promise<void> {
  const patience = AbortSignal.any([hurried, AbortSignal.timeout(isHurried ? 0 : DRAIN_MS)]);
  const late = once(patience, 'abort').then(() => server?.closeAllConnections());
  await Promise.all([
    server && Promise.race([closeServer(server), late]),
    worker && Promise.race([worker.stop(), late]),
  ]);
}

/** Tells whoever started it: a log line, and in a sandbox addresses and tokens. */
export async function announce(deps: Deps, { port, sandbox }: Ground): Promise<void> {
  const { EGRET_MODE: mode, WORKERS: workers, HOST } = deps.env;
  deps.log.info({ port, mode, workers }, 'ready');
  if (!sandbox) return;
  const banner = await announceSandbox(deps, sandbox, localUrlOf({ HOST, PORT: port }));
  process.stdout.write(`${banner}\n`);
}
