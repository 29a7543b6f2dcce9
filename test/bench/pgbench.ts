// Role: pgbench as a yardstick: a script run by so many clients on the bench's own database, statements
// prepared, each client a number of its own. Debian: apt-get install postgresql (it brings pgbench).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** Where Debian and others put it, the newest version first. */
function findPgbench(): string {
  const versions = '/usr/lib/postgresql';
  const installed = existsSync(versions) ? readdirSync(versions).sort((a, b) => +b - +a) : [];
  const candidates = [
    ...installed.map((version) => path.join(versions, version, 'bin/pgbench')),
    ...['/usr/bin/pgbench', '/usr/local/bin/pgbench', '/opt/homebrew/bin/pgbench'],
  ];
  const found = candidates.find((file) => existsSync(file));
  if (!found) throw new Error('pgbench is missing: apt-get install postgresql');
  return found;
}

export interface PgbenchRun {
  /** In the script `:client_id` is 0…clients−1 and `:i` counts 1…each in every client. */
  script: string;
  clients: number;
  /** Transactions of each client. */
  each: number;
}

/** Transactions a second, connecting not counted. */
export function pgbench(databaseUrl: string, run: PgbenchRun): number {
  const url = new URL(databaseUrl);
  const folder = mkdtempSync(path.join(tmpdir(), 'egret-pgbench-'));
  const file = path.join(folder, 'script.sql');
  writeFileSync(file, `\\set i :i + 1\n${run.script}\n`);
  try {
    const done = spawnSync(
      findPgbench(),
      [
        ...['--no-vacuum', '--protocol=prepared', '--define=i=0', `--file=${file}`],
        ...[`--client=${run.clients}`, '--jobs=2', `--transactions=${run.each}`],
        ...['-h', url.searchParams.get('host') ?? url.hostname, '-p', url.port],
        ...['-U', url.username, url.pathname.slice(1)],
      ],
      { encoding: 'utf8', env: { ...process.env, PGPASSWORD: decodeURIComponent(url.password) } },
    );
    const rate = /tps = ([\d.]+) \(without/.exec(done.stdout)?.[1];
    const failed = /number of failed transactions: (\d+)/.exec(done.stdout)?.[1] ?? '0';
    if (done.status !== 0 || rate === undefined || failed !== '0') {
      throw new Error(`pgbench failed: ${done.stderr || done.stdout}`);
    }
    return Number(rate);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
