// Role: a whole sandbox for measuring, as in production: a PostgreSQL that syncs, the service and the
// insurer as processes of their own, people with real tokens.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type postgres from 'postgres';
import { connect } from '../../src/db/connect.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { hospitals, institutions } from '../../src/sandbox/city/hospitals.ts';
import { DemoClient } from '../../src/sandbox/demo/client.ts';
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import { type DemoPerson, inventPerson, welcome } from '../../src/sandbox/demo/people.ts';
import { emptyTally } from '../../src/sandbox/demo/tally.ts';
import { sandboxSecrets } from '../../src/sandbox/secrets.ts';
import { end, ready, startService } from '../support/service.ts';

export interface City {
  url: string;
  client: DemoClient;
  sql: postgres.Sql;
  databaseUrl: string;
  insurer: { url: string; accessKey: string; secretKey: string };
  /** Citizens that insurer and banks know, enrolled; the same for the same seed. */
  people(count: number): Promise<DemoPerson[]>;
  stop(): Promise<void>;
}

export interface CityOptions {
  seed: number;
  /** Of the service, e.g. NODE_OPTIONS for a profile. */
  env?: Record<string, string>;
  /** Tells an insurer that the sandbox does not know of about each person, before it enrols. */
  know?: (person: DemoPerson) => Promise<void>;
}

/** So many hospitals take part, each with one terminal. */
export const HOSPITALS = 8;
const ENROLLING = 8;

export async function startCity(options: CityOptions): Promise<City> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-bench-'));
  // The database may run as another user.
  chmodSync(dataDir, 0o755);
  const ends: (() => unknown)[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const stop = async () => {
    for (const each of ends.reverse()) await each();
  };
  try {
    return { ...(await startParts(options, dataDir, ends)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: CityOptions, dataDir: string, ends: (() => unknown)[]) {
  const database = await startEmbedded({ dataDir, durable: true });
  ends.push(() => database.stop());
  const insurerPort = await freePort();
  const service = startService(dataDir, {
    DATABASE_URL: database.url,
    SANDBOX_INSURER_PORT: String(insurerPort),
    RATE_LIMIT_PER_SECOND: '100000',
    LOG_LEVEL: 'error',
    ...options.env,
  });
  ends.push(() => end(service.child, 'SIGTERM'));
  const url = await ready(service);
  const client = new DemoClient(url);
  ends.push(() => client.close());
  const sql = connect(database.url, { max: 2 });
  ends.push(() => sql.end());
  const { insurerAccessKey: accessKey, insurerSecretKey: secretKey } = sandboxSecrets(dataDir);
  let known = 0;
  return {
    url,
    client,
    sql,
    databaseUrl: database.url,
    insurer: { url: `http://127.0.0.1:${insurerPort}`, accessKey, secretKey },
    async people(count: number) {
      const wanted = Array.from({ length: count }, (_, i) => creditworthy(known + i, options.seed));
      known += count;
      const tally = emptyTally();
      await concurrently(wanted, ENROLLING, async (person) => {
        await options.know?.(person);
        await welcome(client, tally, person);
      });
      return wanted;
    },
  };
}

/** Everybody may owe the most that the policy grants, so that credit is not what is measured. */
function creditworthy(index: number, seed: number): DemoPerson {
  return { ...inventPerson(index % 900, seed + Math.floor(index / 900)), score: 700 };
}

/** A terminal's token lives for a quarter of an hour. */
const RENEW_MS = 5 * 60_000;

/** Tokens of the first `count` institutions, one terminal each, renewed before they expire. */
export interface Terminals {
  /** Goes round the hospitals. */
  tokenOf(number: number): Promise<string>;
}

export function terminalsIn(city: City, count = HOSPITALS): Terminals {
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let tokens: Promise<string[]> = Promise.resolve([]);
  return {
    async tokenOf(number) {
      if (performance.now() - fetchedAt > RENEW_MS) {
        fetchedAt = performance.now();
        tokens = freshTokens(city, count);
      }
      return (await tokens)[number % count] ?? '';
    },
  };
}

/** A client keeps the tokens it has got, so another one asks. */
async function freshTokens(city: City, count: number): Promise<string[]> {
  const client = new DemoClient(city.url);
  try {
    return await Promise.all(institutions.slice(0, count).map(({ code }) => client.terminal(code)));
  } finally {
    await client.close();
  }
}

/** Tokens of the hospitals that take part, fetched beforehand. */
export async function terminalsOf(city: City): Promise<{ code: string; token: string }[]> {
  return Promise.all(
    hospitals.slice(0, HOSPITALS).map(async ({ code }) => ({
      code,
      token: await city.client.terminal(code),
    })),
  );
}

export async function setFault(city: City, fault: { mode: string }): Promise<void> {
  await city.client.put('/sandbox/insurer/fault', { body: fault, expect: [200] });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
