// The sandbox bank in this process and the little of Deps that repayments need.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll } from 'vitest';
import { makeHttpLenderBank } from '../../src/credit/http-lender-bank.ts';
import { makeHttpScoreProvider } from '../../src/credit/http-score-provider.ts';
import type { Db } from '../../src/db/db.ts';
import type { Deps } from '../../src/deps.ts';
import { makeMetrics } from '../../src/http/metrics.ts';
import { type Keyring, makeKeyring } from '../../src/identity/keyring.ts';
import type { Transfer } from '../../src/sandbox/counterparties/books.ts';
import {
  type Counterparties,
  startCounterparties,
} from '../../src/sandbox/counterparties/server.ts';

const KEY = 'test-key';
const secret = Buffer.alloc(32, 7).toString('base64');
export const keyring: Keyring = makeKeyring(`k1:${secret}`, secret);

/** The counterparties on a free port, with their books in a folder of this test file. */
export function useCounterparties() {
  const storeDir = mkdtempSync(path.join(tmpdir(), 'egret-counterparties-'));
  let running: Counterparties | undefined;
  const url = () => `http://127.0.0.1:${running?.port}`;
  const call = async (method: string, target: string, body?: unknown) => {
    const reply = await fetch(url() + target, {
      method,
      headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
  };
  const start = async (port = 0) => {
    running = await startCounterparties({ port, storeDir, key: KEY });
  };
  beforeAll(() => start());
  afterAll(async () => {
    await running?.stop();
    rmSync(storeDir, { recursive: true, force: true });
  });
  return {
    call,
    bank: () => makeHttpLenderBank({ url: url(), apiKey: KEY }),
    scores: () => makeHttpScoreProvider({ url: url(), apiKey: KEY }),
    fault: (mode: string, on?: string[]) => call('PUT', '/faults', { mode, ...(on ? { on } : {}) }),
    debits: async (lender = 'LWB'): Promise<Transfer[]> => {
      const { body } = await call('GET', `/lenders/${lender}/books`);
      return (body.data as Transfer[]).filter((transfer) => transfer.kind === 'debit');
    },
    async restart() {
      const port = running?.port;
      await running?.stop();
      await start(port);
    },
    stop: () => running?.stop(),
    start,
  };
}

/** What repayments ask of Deps. */
export function depsOf(db: Db, parts: Partial<Deps>): Deps {
  const known = { db, keyring, metrics: makeMetrics(), realNow: () => new Date() };
  return { ...known, ...parts } as Deps;
}

/** The key of a request, as http/mount.ts makes it. */
export const keyOf = (key: string) => ({ client: 'test', key, hash: Buffer.from(key) });

/** Makes real time pass for rows that wait for it. */
export async function letTimePass(db: Db): Promise<void> {
  await db.execute(sql`update repayment set created_at = created_at - interval '1 minute'`);
  await db.execute(sql`update idempotency_key set lease_until = lease_until - interval '1 minute'`);
}
