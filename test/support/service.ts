// The service as a newcomer starts it: a process of its own, watched by what it prints.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { waitFor } from './wait-for.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const READY_MS = 60_000;

export interface Service {
  child: ChildProcess;
  /** What it has printed so far. */
  output(): string;
}

/** Spawns `src/main.ts` in sandbox mode on a free port; nothing else is inherited. */
export function startService(dataDir: string, settings: Record<string, string> = {}): Service {
  return spawnScript('src/main.ts', {
    EGRET_MODE: 'sandbox',
    EGRET_DATA_DIR: dataDir,
    HOST: '127.0.0.1',
    PORT: '0',
    ...settings,
  });
}

/** Spawns one of the project's scripts with just these settings. */
export function spawnScript(script: string, settings: Record<string, string>): Service {
  const child = spawn(process.execPath, ['--import', 'tsx', script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
    });
  }
  return { child, output: () => text };
}

/** The API's base URL, once the service has printed all it prints at its start. */
export async function ready(service: Service): Promise<string> {
  return waitFor(
    () => {
      if (service.child.exitCode !== null) throw new Error(`ended: ${service.output()}`);
      const isPrinted = service.output().includes('Try 试一试');
      return isPrinted ? /API +(http:\S+)/.exec(service.output())?.[1] : null;
    },
    { timeoutMs: READY_MS, what: 'the service to get ready' },
  );
}

/** Sends the signal and waits for the end; returns the exit code, null when killed. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
  return child.exitCode;
}
