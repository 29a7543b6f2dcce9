// Role: starts a whole sandbox of its own for the demo and removes every trace of it afterwards.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export interface RunningSandbox {
  url: string;
  stop(): Promise<void>;
}

/** First start makes a database cluster and migrates; slow disks need most of it. */
const READY_WITHIN_MS = 60_000;
/** The service finishes what it holds and stops its database; past this something hangs. */
const STOP_WITHIN_MS = 30_000;
const KEPT_OUTPUT = 4_000;

const projectFolder = fileURLToPath(new URL('../../../', import.meta.url));

/** Settings of the caller's own installation that must not leak into the demo's sandbox. */
const foreignSettings = [
  'DATABASE_URL',
  'DIRECT_DATABASE_URL',
  'DATABASE_SCHEMA',
  'INSURANCE_URL',
  'LENDER_URL',
  'SCORE_URL',
  'KINSHIP_URL',
  'PUBLIC_URL',
  'CITIZEN_ISSUER',
  'STAFF_ISSUER',
  'DATA_KEYS',
  'INDEX_KEY',
  'SANDBOX_INSURER_PORT',
];

/** Starts the service as a child with its own data folder and waits until it is ready. */
export async function startSandbox(): Promise<RunningSandbox> {
  const dataDir = await mkdtemp(join(tmpdir(), 'egret-demo-'));
  // The embedded database may run as another user, who must be able to reach its folder.
  await chmod(dataDir, 0o755);
  const port = await freePort();
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
    cwd: projectFolder,
    env: sandboxEnvironment(port, dataDir),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = keepTail(child);
  const stop = async () => {
    await endChild(child);
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await untilReady(url, child);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}\n${output()}`);
  }
  return { url, stop };
}

function sandboxEnvironment(port: number, dataDir: string): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !foreignSettings.includes(name));
  return {
    ...Object.fromEntries(inherited),
    EGRET_MODE: 'sandbox',
    EGRET_DATA_DIR: dataDir,
    PORT: String(port),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'warn',
  };
}

async function untilReady(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the sandbox ended with ${child.exitCode ?? child.signalCode}`);
    }
    const isReady = await fetch(`${url}/readyz`).then(
      (reply) => reply.ok,
      () => false,
    );
    if (isReady) return;
    await pause(200);
  }
  throw new Error(`the sandbox was not ready within ${READY_WITHIN_MS / 1000} s`);
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const gaveUp = new AbortController();
  const patience = pause(STOP_WITHIN_MS, 'late', { signal: gaveUp.signal }).catch(() => 'ended');
  if ((await Promise.race([ended, patience])) === 'late') {
    child.kill('SIGKILL');
    await ended;
  }
  gaveUp.abort();
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  const keep = (chunk: Buffer) => {
    tail = (tail + chunk.toString()).slice(-KEPT_OUTPUT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => tail;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
