// The sandbox's other parties run as processes of their own: the insurer, and the banks with the
// score provider and the kinship registry. A child ends when our IPC channel closes, so nothing
// survives us; one that ends by itself is started again on the same ports.
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  isAlive,
  markOf,
  type ProcessMark,
  readJson,
  releaseLock,
  takeLock,
  writeJson,
} from '../process-lock.ts';

export interface SandboxProcesses {
  /** Null when another insurer takes the sandbox insurer's place. */
  insurer: { url: string; controlUrl: string } | null;
  counterpartiesUrl: string;
  /** Ends the children and waits for them. */
  stop(): Promise<void>;
}

export interface SandboxProcessOptions {
  /** Where the children keep their own books. */
  storeDir: string;
  /** 0: any free port; null: no insurer. */
  insurerPort: number | null;
  insurerKeys: { accessKey: string; secretKey: string };
  counterpartiesKey: string;
  /** Told about every unexpected end. */
  onRestart?: (name: string) => void;
}

/** What a child says when it is ready. */
type Ports = Record<string, number>;

interface Supervised {
  ports: Ports;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;
/** A child that cannot start must not spin. */
const RESTART_DELAY_MS = 200;
const MAX_START_TRIES = 5;
const WATCH_MS = 100;

/** Starts the sandbox's other parties; resolves when all of them listen. */
export async function startSandboxProcesses(
  options: SandboxProcessOptions,
): Promise<SandboxProcesses> {
  const { accessKey, secretKey } = options.insurerKeys;
  const starting = [
    supervise('counterparties', options, (last) => ({
      COUNTERPARTIES_PORT: `${last?.port ?? 0}`,
      COUNTERPARTIES_STORE_DIR: path.join(options.storeDir, 'counterparties'),
      COUNTERPARTIES_KEY: options.counterpartiesKey,
    })),
    options.insurerPort === null
      ? null
      : supervise('insurer', options, (last) => ({
          INSURER_WIRE_PORT: `${last?.wirePort ?? options.insurerPort}`,
          INSURER_CONTROL_PORT: `${last?.controlPort ?? 0}`,
          INSURER_STORE_DIR: path.join(options.storeDir, 'insurer'),
          INSURER_ACCESS_KEY: accessKey,
          INSURER_SECRET_KEY: secretKey,
        })),
  ] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((s) => (s.status === 'fulfilled' ? s.value?.stop() : undefined)));
  };
  try {
    const [counterparties, insurer] = await Promise.all(starting);
    return {
      insurer: insurer && {
        url: localUrl(insurer.ports.wirePort),
        controlUrl: localUrl(insurer.ports.controlPort),
      },
      counterpartiesUrl: localUrl(counterparties.ports.port),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const localUrl = (port: number | undefined) => `http://127.0.0.1:${port}`;

/**
 * Keeps one party running until `stop`. Its store belongs to one child at a time, so a second Egret
 * process on the same data folder joins the first one's child, and takes over on the same ports
 * when the first one ends. `settings` gets the ports of the last start.
 */
async function supervise(
  name: string,
  options: SandboxProcessOptions,
  settings: (last: Ports | null) => Record<string, string>,
): Promise<Supervised> {
  mkdirSync(options.storeDir, { recursive: true });
  const lock = path.join(options.storeDir, `${name}.lock`);
  const published = path.join(options.storeDir, `${name}.json`);
  const stopping = new AbortController();
  let child: ChildProcess | null = null;
  let ready: Ports | null = null;

  const startOwn = async () => {
    const started = await startReady(name, settings(ready));
    child = started.child;
    ready = started.ports;
    writeJson(published, { ...markOf(process.pid), ports: ready });
  };
  const startOrJoin = async (): Promise<Ports> => {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (takeLock(lock)) await startOwn();
      else ready = joinable(published);
      if (ready) return ready;
      await delay(WATCH_MS);
    }
    throw new Error(`the sandbox ${name} of another process did not get ready`);
  };
  const isLost = () => (child ? !isRunning(child) : takeLock(lock));

  const ports = await startOrJoin();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await delay(WATCH_MS, undefined, { ref: false, signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted || !isLost()) continue;
      options.onRestart?.(name);
      await startOwn().catch(() => {});
    }
  })();
  return {
    ports,
    async stop() {
      stopping.abort();
      await watching;
      if (child) await stopChild(child);
      releaseLock(lock);
    },
  };
}

/** The ports that a living process published. */
function joinable(published: string): Ports | null {
  const found = readJson<ProcessMark & { ports: Ports }>(published);
  return found && isAlive(found) ? found.ports : null;
}

/** The old child of a killed process may still hold the port for a moment: try again. */
async function startReady(
  name: string,
  env: Record<string, string>,
): Promise<{ child: ChildProcess; ports: Ports }> {
  for (let tries = 1; ; tries += 1) {
    const child = startChild(name, env);
    try {
      return { child, ports: await untilReady(name, child) };
    } catch (error) {
      if (tries >= MAX_START_TRIES) throw error;
      await delay(RESTART_DELAY_MS);
    }
  }
}

const isRunning = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

function startChild(name: string, env: Record<string, string>): ChildProcess {
  const entry = fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url));
  if (!existsSync(entry)) throw new Error(`${entry} is missing`);
  return fork(entry, [], {
    execArgv: ['--import', 'tsx'],
    // A group of its own: Ctrl-C ends the service first, which then ends its children.
    detached: true,
    env: { ...process.env, ...env },
  });
}

function untilReady(name: string, child: ChildProcess): Promise<Ports> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the sandbox ${name} did not get ready`));
    }, READY_TIMEOUT_MS);
    child.once('message', (message) => {
      clearTimeout(timer);
      resolve(message as Ports);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the sandbox ${name} ended with code ${code} while starting`));
    });
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
