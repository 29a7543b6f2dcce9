// A backup is one when it was restored: by pg_dump, and to a moment between two visits. After each the
// books verify and are those of the moment.
import { spawnSync } from 'node:child_process';
import { appendFileSync, chownSync, cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { openDataFolder } from '../../src/db/data-folder.ts';
import { databaseUrl } from '../support/database-url.ts';
import { waitFor } from '../support/wait-for.ts';
import { booksOf, makeFolder, playMorning, startServer, withService } from './support.ts';

let folder: ReturnType<typeof makeFolder>;

beforeEach(() => {
  folder = makeFolder('egret-backup-');
});

afterEach(() => folder.remove());

test('a dump restored into an empty database is the same books, and the service goes on', async () => {
  const server = await startServer(folder.dir, 'postgres-15');
  try {
    await withService(folder.dir, { DATABASE_URL: server.url }, playMorning);
    const before = await booksOf(server.url);
    const dump = path.join(folder.dir, 'city.dump');
    run('pg_dump', ['--format=custom', `--file=${dump}`, `--dbname=${libpq(server.url)}`]);
    await asAdmin(server.url, (sql) => sql.unsafe('create database restored'));
    const restored = databaseUrl(server.url, 'restored');
    run('pg_restore', ['--exit-on-error', '--no-owner', `--dbname=${libpq(restored)}`, dump]);
    expect(before.broken).toEqual([]);
    expect(await booksOf(restored)).toEqual(before);
    await withService(folder.dir, { DATABASE_URL: restored }, playMorning);
    expect((await booksOf(restored)).counts?.visits).toBeGreaterThan(before.counts?.visits ?? 0);
  } finally {
    await server.stop();
  }
});

test('a base backup and its log are the books of any moment since', async () => {
  const archive = path.join(folder.dir, 'archive');
  const server = await startServer(folder.dir);
  let isStopped = false;
  try {
    await archiveTo(server.url, archive);
    await server.stop();
    const again = await startServer(folder.dir);
    try {
      const settings = { DATABASE_URL: again.url };
      await withService(folder.dir, settings, async (apiUrl) => {
        await playMorning(apiUrl);
        await copyCluster(again.url, folder.dir);
        await playMorning(apiUrl);
      });
      const then = await booksOf(again.url);
      const [moment] = await asAdmin(again.url, (sql) => sql`select clock_timestamp()::text as at`);
      await withService(folder.dir, settings, playMorning);
      expect((await booksOf(again.url)).counts?.visits).toBeGreaterThan(then.counts?.visits ?? 0);
      await asAdmin(again.url, (sql) => sql`select pg_switch_wal()`);
      await untilArchived(again.url);
      recoverTo(folder.dir, archive, String(moment?.at));
      await again.stop();
      isStopped = true;
      const restored = await startServer(path.join(folder.dir, 'restored'));
      try {
        await waitFor(
          async () => {
            const [row] = await asAdmin(
              restored.url,
              (sql) => sql`select pg_is_in_recovery() as recovering`,
            );
            return row?.recovering === false;
          },
          { timeoutMs: 60_000, what: 'the recovery' },
        );
        expect(then.broken).toEqual([]);
        expect(await booksOf(restored.url)).toEqual(then);
      } finally {
        await restored.stop();
      }
    } finally {
      if (!isStopped) await again.stop();
    }
  } finally {
    await server.stop();
  }
});

/** Writes every finished piece of the log to a folder; holds from the next start on. */
async function archiveTo(url: string, archive: string): Promise<void> {
  const { user } = openDataFolder(path.join(folder.dir, 'database'));
  mkdirSync(archive);
  if (user) chownSync(archive, user.uid, user.gid);
  await asAdmin(url, async (sql) => {
    await sql.unsafe('alter system set archive_mode = on');
    await sql.unsafe(`alter system set archive_command = 'cp %p "${archive}/%f"'`);
    return [];
  });
}

/** The low-level base backup of PostgreSQL's manual: begin, copy the files of a living server, end. */
async function copyCluster(url: string, dir: string): Promise<void> {
  const from = openDataFolder(path.join(dir, 'database'));
  const to = openDataFolder(path.join(dir, 'restored', 'database'));
  const sql = connect(url, { max: 1, max_lifetime: null });
  try {
    await sql`select pg_backup_start('base', true)`;
    cpSync(from.cluster, to.cluster, {
      recursive: true,
      filter: (source) => !/postmaster\.(pid|opts)$|pg_wal\/.+/.test(source),
    });
    const [label] = await sql`select labelfile from pg_backup_stop()`;
    writeFileSync(path.join(to.data, 'backup_label'), String(label?.labelfile));
  } finally {
    await sql.end();
  }
}

function recoverTo(dir: string, archive: string, moment: string): void {
  const { cluster, data, user } = openDataFolder(path.join(dir, 'restored', 'database'));
  writeFileSync(path.join(data, 'recovery.signal'), '');
  appendFileSync(
    path.join(data, 'postgresql.auto.conf'),
    `restore_command = 'cp "${archive}/%f" %p'
recovery_target_time = '${moment}'
recovery_target_action = 'promote'
archive_mode = 'off'
`,
  );
  if (user) run('chown', ['-R', `${user.uid}:${user.gid}`, cluster]);
  run('chmod', ['-R', 'go=', data]);
}

async function untilArchived(url: string): Promise<void> {
  const [wanted] = await asAdmin(
    url,
    (sql) => sql`select pg_walfile_name(pg_current_wal_lsn()) as name`,
  );
  await waitFor(
    async () => {
      const [row] = await asAdmin(
        url,
        (sql) => sql`select last_archived_wal as name from pg_stat_archiver`,
      );
      return row?.name && String(row.name) >= previous(String(wanted?.name));
    },
    { timeoutMs: 60_000, what: 'the log to be archived' },
  );
}

/** The piece before this one is the last that is finished. */
function previous(name: string): string {
  const number = Number.parseInt(name.slice(-8), 16) - 1;
  return name.slice(0, -8) + number.toString(16).toUpperCase().padStart(8, '0');
}

async function asAdmin(
  url: string,
  work: (sql: postgres.Sql) => PromiseLike<readonly Record<string, unknown>[]>,
): Promise<readonly Record<string, unknown>[]> {
  const sql = connect(url, { max: 1 });
  try {
    return await work(sql as unknown as postgres.Sql);
  } finally {
    await sql.end();
  }
}

/** Without our own parameter for the socket's folder in the query: libpq has its own way. */
function libpq(url: string): string {
  const plain = new URL(url);
  plain.search = '';
  return plain.href;
}

function run(command: string, args: string[]): void {
  const places = ['/usr/lib/postgresql/15/bin', '/usr/bin', '/bin'];
  const place = places.find((dir) => existsSync(path.join(dir, command)));
  if (!place) throw new Error(`${command} is missing: apt-get install postgresql-client-15`);
  const done = spawnSync(path.join(place, command), args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} failed: ${done.stderr}`);
}
