// Law: `npm start` works on an empty folder, on a folder left by SIGKILL, and leaves nothing behind.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDataFolder, runningPostmaster } from '../../src/db/data-folder.ts';
import { end, ready, type Service, startService } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';

let dataDir: string;
const services: Service[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'egret-start-'));
  chmodSync(dataDir, 0o755);
});

afterEach(async () => {
  for (const { child } of services.splice(0)) await end(child, 'SIGKILL');
  await waitFor(() => leftOvers().length === 0 && !postmaster());
  rmSync(dataDir, { recursive: true, force: true });
});

function start(settings: Record<string, string> = {}): Service {
  const service = startService(dataDir, settings);
  services.push(service);
  return service;
}

const postmaster = () => runningPostmaster(openDataFolder(dataDir));

/** Processes that were started for this test's folder and still live. */
function leftOvers(): number[] {
  if (process.platform !== 'linux') return [];
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dataDir);
    } catch {
      return false;
    }
  });
}

const get = async (url: string) => (await fetch(url)).status;

describe('npm start', { timeout: 120_000 }, () => {
  test('gets ready, survives SIGKILL on another port, and ends with nothing left', async () => {
    const first = start();
    const firstUrl = await ready(first);
    expect(await get(`${firstUrl}/healthz`)).toBe(200);
    expect(await get(`${firstUrl}/readyz`)).toBe(200);
    await end(first.child, 'SIGKILL');

    const second = start();
    const secondUrl = await ready(second);
    expect(await get(`${secondUrl}/readyz`)).toBe(200);
    expect(await end(second.child, 'SIGINT')).toBe(0);
    expect(leftOvers()).toEqual([]);
    expect(postmaster()).toBeNull();
  });

  test('prints a curl that works when pasted', async () => {
    const service = start();
    await ready(service);
    const command = service.output().split('Try 试一试:')[1] ?? '';
    const shell = spawn('sh', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] });
    let reply = '';
    shell.stdout.on('data', (chunk) => {
      reply += chunk;
    });
    await once(shell, 'close');
    expect(JSON.parse(reply)).toMatchObject({ insured: { status: 'active' } });
    expect(await end(service.child, 'SIGTERM')).toBe(0);
  });

  test('runs twice on one folder, and the second goes on when the first is killed', async () => {
    const first = start();
    await ready(first);
    const second = start();
    const url = await ready(second);
    await end(first.child, 'SIGKILL');
    await waitFor(async () => (await get(`${url}/readyz`)) === 200);
    const person = { name: '林清和', idNumber: '350206199001010017' };
    await waitFor(async () => {
      const reply = await fetch(`${url}/sandbox/people`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(person),
      });
      return reply.status === 201;
    });
    expect(await end(second.child, 'SIGINT')).toBe(0);
    expect(leftOvers()).toEqual([]);
  });

  test('names a wrong setting and a busy port', async () => {
    const wrong = start({ DATABASE_POOL_SIZE: 'many' });
    await once(wrong.child, 'close');
    expect(wrong.child.exitCode).toBe(1);
    expect(wrong.output()).toContain('DATABASE_POOL_SIZE');

    const busy = createServer().listen(0, '127.0.0.1');
    await once(busy, 'listening');
    const { port } = busy.address() as AddressInfo;
    const refused = start({ PORT: String(port) });
    await once(refused.child, 'close');
    expect(refused.child.exitCode).toBe(1);
    expect(refused.output()).toContain(`PORT ${port} is in use`);
    busy.close();
  });
});
