// A sandbox city on a database server of its own, for what an operator does with it.
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { expect } from 'vitest';
import { openDatabase, rows } from '../../src/db/db.ts';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.ts';
import { verifyBooks } from '../../src/ledger/verify.ts';
import { end, ready, type Service, spawnScript, startService } from '../support/service.ts';

/** A folder that the database's user can enter, and its removal. */
export function makeFolder(prefix: string): { dir: string; remove(): void } {
  const dir = mkdtempSync(path.join(tmpdir(), prefix));
  chmodSync(dir, 0o755);
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** The oldest version that is served: Debian's tools of today are of the same. */
export function startServer(dir: string, binaries?: string): Promise<EmbeddedDatabase> {
  const dataDir = path.join(dir, 'database');
  return startEmbedded({ dataDir, durable: true, ...(binaries ? { binaries } : {}) });
}

/** Starts the service on `url`, lets `work` use it, and stops it as an operator does. */
export async function withService(
  dir: string,
  settings: Record<string, string>,
  work: (apiUrl: string, service: Service) => Promise<void>,
): Promise<void> {
  const service = startService(path.join(dir, 'service'), settings);
  try {
    await work(await ready(service), service);
    expect(await end(service.child, 'SIGINT')).toBe(0);
  } finally {
    await end(service.child, 'SIGKILL');
  }
}

/** A hospital morning of 40 visits over HTTP; it checks the bills and every law itself. */
export async function playMorning(apiUrl: string): Promise<void> {
  const demo = spawnScript('src/sandbox/demo/main.ts', { EGRET_URL: apiUrl });
  await once(demo.child, 'close');
  expect(demo.child.exitCode, demo.output().slice(-2_000)).toBe(0);
}

/** What must be the same after a restore: every balance, and how many facts there are. */
export async function booksOf(url: string, schema = 'public') {
  const db = openDatabase({ url, schema, poolSize: 2, usePrepared: true });
  try {
    const verdict = await verifyBooks(db);
    const balances = await rows(
      db,
      sql`
      select owner_kind, owner, account, sum(amount)::text as balance, count(*)::int as legs
      from posting group by 1, 2, 3 order by 1, 2, 3`,
    );
    const [counts] = await rows<{ visits: number; entries: number; messages: number }>(
      db,
      sql`
      select (select count(*)::int from visit) as visits,
        (select count(*)::int from journal_entry) as entries,
        (select count(*)::int from insurance_message) as messages`,
    );
    const broken = verdict.laws.filter((law) => !law.holds);
    return { broken, balances, counts };
  } finally {
    await db.$client.end({ timeout: 5 });
  }
}

/** A TCP port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (!address || typeof address === 'string') throw new Error('no port');
  return address.port;
}
