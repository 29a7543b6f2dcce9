// Law: no statement needs a session. The service runs behind PgBouncer in transaction mode (Debian's 1.18,
// which knows no prepared statements) in a schema of its own, migrated past the pooler.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { end, startService } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';
import { booksOf, freePort, makeFolder, playMorning, startServer, withService } from './support.ts';

const PGBOUNCER = '/usr/sbin/pgbouncer';
const NOBODY = 65_534;
/** Fewer than the service's own pool of 20: transactions must share them. */
const SERVER_CONNECTIONS = 6;

test('a morning behind a transaction pooler, in a schema that the role names', async () => {
  if (!existsSync(PGBOUNCER)) throw new Error('pgbouncer is missing: apt-get install pgbouncer');
  const folder = makeFolder('egret-pooler-');
  const server = await startServer(folder.dir);
  const direct = await roleWithSchema(server.url, 'xm');
  const pooler = await startPooler(folder.dir, direct);
  try {
    const settings = {
      DATABASE_URL: pooler.url,
      DIRECT_DATABASE_URL: direct,
      DATABASE_SCHEMA: 'xm',
      DATABASE_PREPARED: 'off',
    };
    await withService(folder.dir, settings, async (apiUrl) => {
      await playMorning(apiUrl);
      expect(await connectionsOf(server.url)).toBeLessThanOrEqual(SERVER_CONNECTIONS);
    });
    const wrong = startService(folder.dir, { ...settings, DATABASE_SCHEMA: 'qz' });
    await once(wrong.child, 'exit');
    expect(wrong.output()).toContain('alter role … set search_path = qz');
    const { broken, counts } = await booksOf(direct, 'xm');
    expect(broken).toEqual([]);
    expect(counts?.visits).toBeGreaterThanOrEqual(40);
  } finally {
    await end(pooler.child, 'SIGKILL');
    await server.stop();
    folder.remove();
  }
});

/** A role whose search path is the city's schema: a pooler refuses it as a start-up parameter. */
async function roleWithSchema(adminUrl: string, schema: string): Promise<string> {
  const admin = connect(adminUrl, { max: 1 });
  try {
    await admin.unsafe(`create role city login password 'city' nosuperuser`);
    await admin.unsafe(`alter role city set search_path = ${schema}`);
    await admin.unsafe('grant create on database egret to city');
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.username = 'city';
  url.password = 'city';
  url.search = '';
  return url.href;
}

async function startPooler(
  dir: string,
  direct: string,
): Promise<{ url: string; child: ChildProcess }> {
  const port = await freePort();
  const { port: serverPort } = new URL(direct);
  const file = path.join(dir, 'pgbouncer.ini');
  writeFileSync(
    file,
    `[databases]
egret = host=127.0.0.1 port=${serverPort} user=city password=city
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${SERVER_CONNECTIONS}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
`,
  );
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(file, NOBODY, NOBODY);
  const child = spawn(PGBOUNCER, [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  let output = '';
  child.stderr.on('data', (chunk) => {
    output += chunk;
  });
  await waitFor(
    async () => {
      if (child.exitCode !== null) throw new Error(`pgbouncer ended: ${output}`);
      const socket = connectTcp(port, '127.0.0.1');
      const isOpen = await Promise.race([
        once(socket, 'connect').then(() => true),
        once(socket, 'error').then(() => false),
      ]).catch(() => false);
      socket.destroy();
      return isOpen;
    },
    { timeoutMs: 10_000, what: 'the pooler' },
  );
  const url = new URL(direct);
  url.port = String(port);
  return { url: url.href, child };
}

async function connectionsOf(adminUrl: string): Promise<number> {
  const admin = connect(adminUrl, { max: 1 });
  try {
    const [row] = await admin`
      select count(*)::int as n from pg_stat_activity where usename = 'city'`;
    return Number(row?.n);
  } finally {
    await admin.end();
  }
}
