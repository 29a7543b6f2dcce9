// A real PostgreSQL of our own in a data folder, for machines that have none. It stops when we stop
// (also after SIGKILL), keeps what it acknowledged, and is started again if it dies under us.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { isProcessAlive } from '../process-lock.ts';
import { connect, socketFile } from './connect.ts';
import {
  type DataFolder,
  openDataFolder,
  type Postmaster,
  processesInside,
  readOwner,
  removeStalePidFile,
  runningPostmaster,
  withStartLock,
  writeOwner,
} from './data-folder.ts';
import { findBinaries, type PostgresBinaries } from './postgres-binaries.ts';

export interface EmbeddedOptions {
  /** Our data folder; the database lies in its sub-folder `postgres`. */
  dataDir: string;
  /** False only for tests: no fsync. */
  durable: boolean;
  /** Default: the port of the last start, else a free one. */
  port?: number;
  /** npm package with the binaries; default: the one of this platform. */
  binaries?: string;
}

export interface EmbeddedDatabase {
  /** Connection string, with password. It stays right when the server is started again. */
  url: string;
  stop(): Promise<void>;
}

interface Server extends Postmaster {
  /** Null when another living Egret process owns the server. */
  child: ChildProcess | null;
}

const USER = 'egret';
const DATABASE = 'egret';
const POLL_MS = 10;
/** Crash recovery on a slow disk takes seconds; a minute means that something is wrong. */
const READY_TIMEOUT_MS = 60_000;
/** A fast shutdown writes a checkpoint; after this long the server is cut off instead. */
const STOP_TIMEOUT_MS = 10_000;
const WATCH_MS = 250;
const MAX_START_TRIES = 5;

const COMMON_SETTINGS = [
  ...['listen_addresses=127.0.0.1', 'max_connections=300', 'timezone=UTC'],
  // Statements of a payment are short: compiling one, or telling `ps` of it, costs more than it gives.
  ...['jit=off', 'update_process_title=off'],
];
/** What an operating system allows as the name of a socket, less its NUL. */
const MAX_SOCKET_PATH = 107;
const NOT_DURABLE = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/** Starts the database in `dataDir`, or joins the one that another Egret process runs there. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const folder = openDataFolder(options.dataDir);
  const binaries = findBinaries(folder.user, options.binaries);
  const stopping = new AbortController();
  let server = await withStartLock(folder, () => joinOrStart(folder, binaries, options));
  await createDatabase(urlOf(folder, server.port, 'postgres'));

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await delay(WATCH_MS, undefined, { ref: false, signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted || isRunning(server)) continue;
      const again = { ...options, port: server.port };
      server = await withStartLock(folder, () => joinOrStart(folder, binaries, again)).catch(
        () => server,
      );
    }
  })();
  const stopAtExit = () => {
    if (server.child) process.kill(server.pid, 'SIGINT');
  };
  process.once('exit', stopAtExit);

  return {
    url: urlOf(folder, server.port, DATABASE),
    async stop() {
      stopping.abort();
      process.off('exit', stopAtExit);
      await watching;
      if (server.child) await stopPostmaster(server.pid);
    },
  };
}

function isRunning(server: Server): boolean {
  if (server.child) return server.child.exitCode === null && server.child.signalCode === null;
  return isProcessAlive(server.pid);
}

/** Under the start lock: the server of a living owner is joined, a dead owner's one is replaced. */
async function joinOrStart(
  folder: DataFolder,
  binaries: PostgresBinaries,
  options: EmbeddedOptions,
): Promise<Server> {
  const { owner, lastPort } = readOwner(folder);
  const running = runningPostmaster(folder);
  if (running?.isReady && owner) return { ...running, child: null };
  if (running) await stopPostmaster(running.pid);
  for (const orphan of processesInside(folder)) await endOrphan(orphan);
  removeStalePidFile(folder);
  if (!existsSync(folder.cluster)) createCluster(folder, binaries, options.durable);
  for (let tries = 1; ; tries += 1) {
    const port = await freePort(options.port ?? (tries === 1 ? lastPort : null));
    try {
      return await startPostmaster(folder, binaries, options, port);
    } catch (error) {
      // Backends that outlive a killed server, or a port taken meanwhile.
      if (tries >= MAX_START_TRIES) throw error;
      await delay(tries * 200);
    }
  }
}

function createCluster(folder: DataFolder, binaries: PostgresBinaries, durable: boolean): void {
  const { home, cluster, user } = folder;
  for (const left of readdirSync(home).filter((name) => name.startsWith('cluster.init-'))) {
    const maker = Number(left.slice('cluster.init-'.length));
    if (!isProcessAlive(maker)) rmSync(path.join(home, left), { recursive: true, force: true });
  }
  // Made aside and renamed: a killed initdb leaves no half cluster under the real name.
  const making = `${cluster}.init-${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { mode: 0o700 });
  const passwordFile = path.join(making, 'password');
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  if (user) for (const made of [making, passwordFile]) chownSync(made, user.uid, user.gid);
  const locale =
    binaries.majorVersion >= 17
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--locale=C'];
  const done = spawnSync(
    path.join(binaries.binDir, 'initdb'),
    [
      ...['-D', path.join(making, 'data'), '-U', USER, `--pwfile=${passwordFile}`],
      ...['--auth=scram-sha-256', '--encoding=UTF8', ...locale],
      ...(durable ? [] : ['--no-sync']),
    ],
    { cwd: '/', ...(user ?? {}) },
  );
  if (done.status !== 0) throw new Error(`initdb failed: ${done.error ?? done.stderr}`);
  renameSync(making, cluster);
}

async function startPostmaster(
  folder: DataFolder,
  binaries: PostgresBinaries,
  options: EmbeddedOptions,
  port: number,
): Promise<Server> {
  const sockets = `unix_socket_directories=${socketFolder(folder, port) ?? ''}`;
  const settings = [...COMMON_SETTINGS, sockets, ...(options.durable ? [] : NOT_DURABLE)];
  const [command = '', ...args] = [
    ...binaries.prefix,
    path.join(binaries.binDir, 'postgres'),
    '-D',
    folder.data,
    '-p',
    `${port}`,
    ...settings.flatMap((setting) => ['-c', setting]),
  ];
  const logFile = path.join(folder.home, 'postgres.log');
  const log = openSync(logFile, 'w', 0o600);
  const isPrefixed = binaries.prefix.length > 0;
  const child = spawn(command, args, {
    // A process group of its own: Ctrl-C must reach us first, so that we finish what we hold.
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log],
    ...(folder.user && !isPrefixed ? folder.user : {}),
  });
  closeSync(log);
  child.unref();
  const failed = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    // Long after a good start the folder may be gone already.
    const logged = () =>
      existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-2000) : 'ended';
    child.once('exit', () => resolve(logged()));
  });
  const reason = await Promise.race([failed, untilReady(folder, child)]);
  if (reason !== null) throw new Error(`PostgreSQL did not start: ${reason}`);
  writeOwner(folder, port);
  return { pid: child.pid ?? 0, port, isReady: true, child };
}

/** Null once the server takes connections. Its pid file tells, its log text does not. */
async function untilReady(folder: DataFolder, child: ChildProcess): Promise<string | null> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (performance.now() < deadline && child.exitCode === null && child.pid) {
    const running = runningPostmaster(folder);
    if (running?.isReady && running.pid === child.pid) return null;
    await delay(POLL_MS);
  }
  return 'not ready in time';
}

/** A backend whose server was killed: nobody gets its answer any more. */
function endOrphan(pid: number): Promise<void> {
  return endProcess(pid, ['SIGQUIT', 'SIGKILL']);
}

/** Fast shutdown; then an immediate one; then none of its choice. */
function stopPostmaster(pid: number): Promise<void> {
  return endProcess(pid, ['SIGINT', 'SIGQUIT', 'SIGKILL']);
}

async function endProcess(pid: number, signals: NodeJS.Signals[]): Promise<void> {
  for (const signal of signals) {
    if (!isProcessAlive(pid)) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended between our look and our signal.
    }
    const deadline = performance.now() + STOP_TIMEOUT_MS;
    while (isProcessAlive(pid) && performance.now() < deadline) await delay(POLL_MS);
  }
}

/** `wanted` if nobody listens there, else any free port. */
async function freePort(wanted: number | null): Promise<number> {
  for (const port of [wanted ?? 0, 0]) {
    const taken = await new Promise<number | null>((resolve) => {
      const probe = createServer();
      probe.once('error', () => resolve(null));
      probe.listen(port, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? null) : null));
      });
    });
    if (taken !== null) return taken;
  }
  throw new Error('no free port on 127.0.0.1');
}

/** The server's socket lies in its own folder, if its name is not too long for one. */
function socketFolder(folder: DataFolder, port: number): string | null {
  const isFit = Buffer.byteLength(socketFile(folder.home, port)) <= MAX_SOCKET_PATH;
  return isFit ? folder.home : null;
}

/** As libpq reads it: `host` in the query is the folder of the socket, and goes before the address. */
function urlOf(folder: DataFolder, port: number, database: string): string {
  const password = readFileSync(folder.passwordFile, 'utf8').trim();
  const url = new URL(`postgres://${USER}:${password}@127.0.0.1:${port}/${database}`);
  const sockets = socketFolder(folder, port);
  if (sockets) url.searchParams.set('host', sockets);
  return url.href;
}

async function createDatabase(url: string): Promise<void> {
  const client = connect(url, { max: 1 });
  try {
    const found = await client`select 1 from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await client.unsafe(`create database ${DATABASE}`);
  } catch (error) {
    // 42P04, 23505: another starter made it meanwhile.
    const code = error instanceof postgres.PostgresError ? error.code : '';
    if (!['42P04', '23505'].includes(code)) throw error;
  } finally {
    await client.end();
  }
}
