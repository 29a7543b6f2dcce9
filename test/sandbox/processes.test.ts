// Law: the sandbox's other parties are there as long as somebody needs them, and not longer.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SandboxProcesses, startSandboxProcesses } from '../../src/sandbox/processes.ts';
import { waitFor } from '../support/wait-for.ts';

let storeDir: string;
const started: SandboxProcesses[] = [];

beforeEach(() => {
  storeDir = mkdtempSync(path.join(tmpdir(), 'egret-processes-'));
  chmodSync(storeDir, 0o755);
});

afterEach(async () => {
  for (const processes of started.splice(0)) await processes.stop();
  rmSync(storeDir, { recursive: true, force: true });
});

async function start(): Promise<SandboxProcesses> {
  const processes = await startSandboxProcesses({
    storeDir,
    insurerPort: 0,
    insurerKeys: { accessKey: 'ak', secretKey: 'sk' },
    counterpartiesKey: 'key',
  });
  started.push(processes);
  return processes;
}

const answers = (url: string) =>
  fetch(url).then(
    () => true,
    () => false,
  );

/** Children of ours that work on this test's store. */
function childrenOfStore(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(storeDir);
      } catch {
        return false;
      }
    });
}

test('starts the insurer and the counterparties, and ends both', async () => {
  const processes = await start();
  expect(await answers(processes.insurer!.url)).toBe(true);
  expect(await answers(processes.insurer!.controlUrl)).toBe(true);
  expect(await answers(processes.counterpartiesUrl)).toBe(true);
  await processes.stop();
  expect(await answers(processes.insurer!.url)).toBe(false);
  expect(await answers(processes.counterpartiesUrl)).toBe(false);
});

test.runIf(process.platform === 'linux')(
  'starts a party that was killed again, on the same port',
  async () => {
    const processes = await start();
    const before = childrenOfStore();
    expect(before).toHaveLength(2);
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await waitFor(() => {
      const now = childrenOfStore();
      return now.length === 2 && now.every((pid) => !before.includes(pid));
    });
    await waitFor(() => answers(processes.insurer!.url));
    await waitFor(() => answers(processes.counterpartiesUrl));
  },
);
