// The start and the end of the service: by default one process with everything; with WORKERS=n a primary, n
// processes that serve the API, and one that does the work nobody waits for.
import { type Environment, readEnvironment } from './config.ts';
import { begin, end, stopAtEnd } from './processes/ending.ts';
import type { Ground } from './processes/ground.ts';
import { checkPort } from './processes/listening.ts';
import { startFamily } from './processes/primary.ts';

async function main(): Promise<void> {
  const env = readEnvironment(process.env);
  const port = await checkPort(env);
  await (env.WORKERS === 0 ? beAll(env, port) : bePrimary(env, port));
}

/** Its code is loaded while the database starts. */
async function prepareGround(env: Environment, port: number): Promise<Ground> {
  return (await import('./processes/ground.ts')).prepareGround(env, port);
}

/** One process. */
async function beAll(env: Environment, port: number): Promise<void> {
  const [{ openDeps, take, announce }, ground] = await Promise.all([
    import('./processes/roles.ts'),
    prepareGround(env, port),
  ]);
  const deps = await openDeps(env, ground);
  await take('all', deps, ground);
  await announce(deps, ground);
}

/** It serves nothing itself. The children end first, then what they stand on. */
async function bePrimary(env: Environment, port: number): Promise<void> {
  const preparing = prepareGround(env, port);
  const family = startFamily(env, preparing);
  await preparing;
  stopAtEnd('processes', family.stop);
  await family.ready;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void end(0));
}

begin(main);
