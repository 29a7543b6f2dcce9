// The start and the end of the service. Start: database, migrations, sandbox, API, worker. End: no
// new requests, what is held is finished, nothing is left running.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { sql } from 'drizzle-orm';
import { buildDeps, createApp } from './app.ts';
import { ConfigError, type Environment, readEnvironment } from './config.ts';
import { type Db, rows } from './db/db.ts';
import { type EmbeddedDatabase, startEmbedded } from './db/embedded.ts';
import { migrateDatabase } from './db/migrate.ts';
import { announceSandbox, prepareSandbox, type Sandbox, seedSandbox } from './sandbox/start.ts';
import { startWorker, type Worker } from './worker.ts';

/** What is finished within this time is finished; then connections are cut. */
const DRAIN_MS = 10_000;
const IDLE_CHECK_MS = 50;
/** `npm` passes on the Ctrl-C that the terminal already sent: not a second wish. */
const REPEAT_MS = 1_000;

/** Things to end, in order of their start. Ended in reverse. */
const running: { name: string; stop: (isHurried: boolean) => Promise<void> }[] = [];

class StartError extends Error {}

async function main(): Promise<void> {
  const env = readEnvironment(process.env);
  const port = await checkPort(env);
  const publicUrl = env.PUBLIC_URL ?? `http://127.0.0.1:${port}`;
  const [databaseUrl, sandbox] = await Promise.all([startDatabase(env), startSandbox(env)]);
  const deps = await buildDeps(env, { publicUrl, databaseUrl, ...partiesOf(env, sandbox) });
  running.push({ name: 'pool', stop: () => deps.db.$client.end({ timeout: 5 }) });
  await checkSchema(deps.db, env.DATABASE_SCHEMA);
  if (sandbox) await seedSandbox(deps.db);
  const server = createServer(createApp(deps, sandbox?.links));
  await listen(server, port, env.HOST);
  const worker = startWorker(deps);
  running.push({ name: 'traffic', stop: (isHurried) => drain(server, worker, isHurried) });
  deps.log.info({ port, mode: env.EGRET_MODE }, 'ready');
  const host = ['0.0.0.0', '::'].includes(env.HOST) ? '127.0.0.1' : env.HOST;
  const localUrl = `http://${host}:${port}`;
  if (sandbox) process.stdout.write(`${await announceSandbox(deps, sandbox, localUrl)}\n`);
}

/** The migrated database's URL: the configured one, else our own server's. */
async function startDatabase(env: Environment): Promise<string> {
  const url = env.DATABASE_URL ?? (await startOwnDatabase(env));
  await migrateDatabase(env.DIRECT_DATABASE_URL ?? url, env.DATABASE_SCHEMA);
  return url;
}

/** Behind a pooler the role names the schema; with another one we would write another city's books. */
async function checkSchema(db: Db, wanted: string): Promise<void> {
  const [row] = await rows<{ schema: string | null }>(db, sql`select current_schema() as schema`);
  if (row?.schema === wanted) return;
  throw new StartError(
    `DATABASE_SCHEMA is ${wanted}, but this role's is ${row?.schema}: alter role … set search_path = ${wanted}`,
  );
}

async function startOwnDatabase(env: Environment): Promise<string> {
  const database: EmbeddedDatabase = await startEmbedded({
    dataDir: env.EGRET_DATA_DIR,
    durable: true,
  });
  running.push({ name: 'database', stop: () => database.stop() });
  return database.url;
}

async function startSandbox(env: Environment): Promise<Sandbox | null> {
  if (env.EGRET_MODE !== 'sandbox') return null;
  const sandbox = await prepareSandbox(env);
  running.push({ name: 'sandbox', stop: () => sandbox.stop() });
  return sandbox;
}

/** Production names every party in the environment; readEnvironment made sure. */
function partiesOf(env: Environment, sandbox: Sandbox | null) {
  if (sandbox) return sandbox.parties;
  return {
    dataKeys: env.DATA_KEYS ?? '',
    indexKey: env.INDEX_KEY ?? '',
    insurance: {
      url: env.INSURANCE_URL ?? '',
      accessKey: env.INSURANCE_ACCESS_KEY ?? '',
      secretKey: env.INSURANCE_SECRET_KEY ?? '',
    },
    lender: { url: env.LENDER_URL ?? '', apiKey: env.LENDER_API_KEY ?? '' },
    score: { url: env.SCORE_URL ?? '', apiKey: env.SCORE_API_KEY ?? '' },
    kinship: env.KINSHIP_URL ? { url: env.KINSHIP_URL, apiKey: env.KINSHIP_API_KEY ?? '' } : null,
  };
}

/** Looks before anything is started, so that a busy port is told at once. */
async function checkPort({ PORT, HOST }: Environment): Promise<number> {
  const probe = createServer();
  const port = await listen(probe, PORT, HOST);
  probe.close();
  await once(probe, 'close');
  return port;
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new StartError(
        `PORT ${port} is in use: set PORT to another one, or stop what is there`,
      );
    }
    throw new StartError(`cannot listen on HOST ${host}, PORT ${port}: ${code}`);
  }
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** No new requests or jobs; those in flight are finished, within the time. */
async function drain(server: Server, worker: Worker, isHurried: boolean): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that was busy goes idle once its answer is out.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const patience = AbortSignal.any([hurry.signal, AbortSignal.timeout(isHurried ? 0 : DRAIN_MS)]);
  const late = once(patience, 'abort').then(() => server.closeAllConnections());
  await Promise.all([Promise.race([closed, late]), Promise.race([worker.stop(), late])]);
  clearInterval(idle);
}

const hurry = new AbortController();
let endingSince: number | null = null;

async function end(exitCode: number): Promise<void> {
  if (endingSince !== null) {
    if (performance.now() - endingSince > REPEAT_MS) hurry.abort();
    return;
  }
  endingSince = performance.now();
  for (const part of running.reverse()) {
    await part.stop(hurry.signal.aborted).catch((error: unknown) => {
      console.error(`stopping ${part.name}: ${error}`);
    });
  }
  process.exit(exitCode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => void end(0));
}

main().catch((error: unknown) => {
  // Ended while it was still starting: what fails now fails because of that.
  if (endingSince !== null) return;
  const isExpected = error instanceof ConfigError || error instanceof StartError;
  console.error(isExpected ? `Egret cannot start: ${error.message}` : error);
  void end(1);
});
