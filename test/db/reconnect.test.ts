// Law: a database that is killed costs what was under way, no more: every connection of the pool is of
// use again at once, also those that had a transaction open when the server died.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { openDataFolder, runningPostmaster } from '../../src/db/data-folder.ts';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.ts';
import { surviveLostWrites } from '../../src/db/survive-lost-writes.ts';
import { waitFor } from '../support/wait-for.ts';

const POOL = 8;

let dataDir: string;
let database: EmbeddedDatabase;
beforeAll(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'egret-reconnect-'));
  chmodSync(dataDir, 0o755);
  database = await startEmbedded({ dataDir, durable: false });
  surviveLostWrites({ warn: () => {} });
});
afterAll(async () => {
  await database.stop();
  const { home } = openDataFolder(dataDir);
  for (const dir of [home, dataDir]) rmSync(dir, { recursive: true, force: true });
});

it('gives every connection of the pool back after the server was killed in their transactions', async () => {
  const pool = connect(database.url, { max: POOL });
  const running = Array.from({ length: POOL }, () =>
    pool.begin(async (tx) => {
      await tx`select 1`;
      await tx`select pg_sleep(60)`;
    }),
  );
  const ended = Promise.allSettled(running);
  const folder = openDataFolder(dataDir);
  await waitFor(async () => {
    const [row] = await askOnce(`select count(*)::int as n from pg_stat_activity
      where wait_event = 'PgSleep'`);
    return row?.n === POOL;
  });
  const killed = runningPostmaster(folder);
  process.kill(killed?.pid ?? 0, 'SIGKILL');
  expect((await ended).map((one) => one.status)).toEqual(Array(POOL).fill('rejected'));
  await waitFor(() => {
    const now = runningPostmaster(folder);
    return now?.isReady && now.pid !== killed?.pid;
  });
  // As many at once as there are connections: each of them is asked.
  const answers = await Promise.all(
    Array.from({ length: POOL }, () => pool.begin((tx) => tx`select pg_sleep(0.05), 7 as n`)),
  );
  expect(answers.map(([row]) => row?.n)).toEqual(Array(POOL).fill(7));
  await pool.end({ timeout: 1 });
});

async function askOnce(statement: string) {
  const client = connect(database.url, { max: 1 });
  try {
    return await client.unsafe<{ n: number }[]>(statement);
  } finally {
    await client.end();
  }
}
