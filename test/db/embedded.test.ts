// Law: what the embedded database acknowledged survives SIGKILL, and nothing survives a stop.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { openDataFolder, runningPostmaster } from '../../src/db/data-folder.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { waitFor } from '../support/wait-for.ts';

const CHILD = path.join(import.meta.dirname, '../support/embedded-child.ts');
let dataDir: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'egret-embedded-'));
  chmodSync(dataDir, 0o755);
});

afterEach(async () => {
  for (const child of children.splice(0)) await kill(child);
  const real = openDataFolder(dataDir).home;
  await gone();
  for (const dir of [real, dataDir]) rmSync(dir, { recursive: true, force: true });
});

async function startChild(): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(CHILD, [dataDir], { execArgv: ['--import', 'tsx'] });
  children.push(child);
  const [{ url }] = (await once(child, 'message')) as [{ url: string }];
  return { child, url };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const postmaster = () => runningPostmaster(openDataFolder(dataDir));

/** Waits until no server runs on the folder. */
async function gone(): Promise<void> {
  while (postmaster()) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = connect(url, { max: 1 });
  try {
    return await client.unsafe(text);
  } finally {
    await client.end();
  }
}

describe('the embedded database', { timeout: 120_000 }, () => {
  test('keeps every acknowledged row over SIGKILL of its process', async () => {
    const first = await startChild();
    await query(first.url, 'create table kept (n int primary key)');
    const client = connect(first.url, { max: 1, max_lifetime: null });
    let acknowledged = 0;
    const writing = (async () => {
      for (let n = 1; ; n += 1) {
        await client`insert into kept values (${n})`;
        acknowledged = n;
        if (n === 200) void kill(first.child);
      }
    })();
    await expect(writing).rejects.toThrow();
    await client.end({ timeout: 1 }).catch(() => {});
    const second = await startChild();
    const [row] = await query(second.url, 'select count(*)::int as n, max(n) as top from kept');
    expect(acknowledged).toBeGreaterThanOrEqual(200);
    expect(row!.n).toBeGreaterThanOrEqual(acknowledged);
    expect(row!.n).toBe(row!.top);
  });

  test('starts again when the database itself is killed, under the same address', async () => {
    const database = await startEmbedded({ dataDir, durable: true });
    await query(database.url, 'create table kept as select 1 as n');
    const before = postmaster();
    process.kill(before!.pid, 'SIGKILL');
    // A first start may meet backends that outlive their server; the next one takes connections.
    const kept = await waitFor(() => query(database.url, 'select n from kept').catch(() => null), {
      timeoutMs: 60_000,
    });
    expect(kept).toEqual([{ n: 1 }]);
    expect(postmaster()!.pid).not.toBe(before!.pid);
    await database.stop();
    expect(postmaster()).toBeNull();
  });

  test('is shared by two starters at the same moment and outlives the first to end', async () => {
    const both = await Promise.all([startChild(), startChild()]);
    expect(both[0].url).toBe(both[1].url);
    await query(both[0].url, 'create table shared as select 7 as n');
    const readLater = async (url: string): Promise<unknown> => {
      for (;;) {
        try {
          return await query(url, 'select n from shared');
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    };
    await kill(both[0].child);
    expect(await readLater(both[1].url)).toEqual([{ n: 7 }]);
    both[1].child.disconnect();
    await once(both[1].child, 'exit');
    await gone();
  });

  test('is reached by its socket, and by TCP where the folder makes the socket’s name too long', async () => {
    const cameBy = 'select inet_client_addr() is null as by_socket';
    const short = await startEmbedded({ dataDir, durable: false });
    expect(await query(short.url, cameBy)).toEqual([{ by_socket: true }]);
    await short.stop();
    const long = path.join(dataDir, 'l'.repeat(100));
    mkdirSync(long);
    const database = await startEmbedded({ dataDir: long, durable: false });
    expect(await query(database.url, cameBy)).toEqual([{ by_socket: false }]);
    await database.stop();
  });

  test('refuses a wrong password', async () => {
    const { url } = await startChild();
    const wrong = new URL(url);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
  });

  test.runIf(process.getuid?.() === 0)('works where its user cannot enter the folder', async () => {
    chmodSync(dataDir, 0o700);
    const database = await startEmbedded({ dataDir, durable: false });
    expect(await query(database.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    expect(lstatSync(path.join(dataDir, 'postgres')).isSymbolicLink()).toBe(true);
    await database.stop();
    const again = await startEmbedded({ dataDir, durable: false });
    await again.stop();
    expect(existsSync(path.join(dataDir, 'postgres', 'cluster', 'data', 'PG_VERSION'))).toBe(true);
  });
});
