// Law: the SQL is PostgreSQL 15's. The hospital morning runs, with every law held, on 15 and on 18,
// as a role that is no superuser.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { databaseUrl } from '../support/database-url.ts';
import { end, ready, spawnScript, startService } from '../support/service.ts';

const ROOT = path.join(import.meta.dirname, '../..');

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'egret-versions-'));
  chmodSync(dataDir, 0o755);
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const versions = [
  { major: 15, binaries: 'postgres-15' },
  { major: 18, binaries: undefined },
];

describe.each(versions)('on PostgreSQL $major', ({ major, binaries }) => {
  test('the hospital morning runs and every law holds', async () => {
    const server = await startEmbedded({
      dataDir: path.join(dataDir, 'database'),
      durable: true,
      ...(binaries ? { binaries } : {}),
    });
    const url = await plainRole(server.url, major);
    const service = startService(path.join(dataDir, 'service'), { DATABASE_URL: url });
    try {
      const demo = spawnScript('src/sandbox/demo/main.ts', { EGRET_URL: await ready(service) });
      await once(demo.child, 'close');
      expect(demo.child.exitCode, demo.output().slice(-2_000)).toBe(0);
      expect(await end(service.child, 'SIGINT')).toBe(0);
    } finally {
      await end(service.child, 'SIGKILL');
      await server.stop();
    }
  });
});

/** The suites whose SQL is worth another server; the others hardly touch the database. */
const suites = ['settlement', 'ledger', 'credit', 'repayment', 'visit', 'conversion', 'outbox'];

test('the suites around money pass on PostgreSQL 15 as they do on 18', async () => {
  const vitest = path.join(ROOT, 'node_modules/vitest/vitest.mjs');
  const files = suites.map((suite) => `test/${suite}/`);
  const run = spawn(
    process.execPath,
    [vitest, 'run', '--config', 'test/vitest.config.ts', '--reporter=dot', ...files],
    {
      cwd: ROOT,
      env: { PATH: process.env.PATH, POSTGRES_PACKAGE: 'postgres-15', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [run.stdout, run.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  await once(run, 'close');
  console.log(
    `on PostgreSQL 15: ${output
      .split('\n')
      .filter((line) => /^ +Test/.test(line))
      .join(',')}`,
  );
  expect(run.exitCode, output.slice(-4_000)).toBe(0);
}, 1_800_000);

/** A database owned by a role without special rights; proves the server's version too. */
async function plainRole(adminUrl: string, major: number): Promise<string> {
  const admin = connect(adminUrl, { max: 1 });
  const [row] = await admin<{ v: string }[]>`show server_version_num`;
  expect(Math.floor(Number(Object.values(row ?? {})[0]) / 10_000)).toBe(major);
  await admin.unsafe(`create role plain login password 'plain' nosuperuser`);
  await admin.unsafe('create database city owner plain');
  await admin.end();
  const url = new URL(databaseUrl(adminUrl, 'city'));
  url.username = 'plain';
  url.password = 'plain';
  return url.href;
}
