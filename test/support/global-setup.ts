// One PostgreSQL for the whole run, without fsync, in memory where there is room, with a migrated
// and seeded template database that every test file clones.
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { connect } from '../../src/db/connect.ts';
import { openDatabase } from '../../src/db/db.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { isProcessAlive } from '../../src/process-lock.ts';
import { databaseUrl, TEMPLATE } from './database-url.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser connection string of the run's server, database `postgres`. */
    serverUrl: string;
  }
}

const PREFIX = 'egret-test-';
/** Containers often give /dev/shm 64 MB; a run needs some hundreds. */
const ROOM_BYTES = 1_500_000_000;

/** Starts the server and provides its URL; returns what ends it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const parent = hasRoom('/dev/shm') ? '/dev/shm' : tmpdir();
  removeLeftOvers(parent);
  const dataDir = mkdtempSync(path.join(parent, `${PREFIX}${process.pid}-`));
  chmodSync(dataDir, 0o755);
  // Another version: the npm package that has it, e.g. POSTGRES_PACKAGE=postgres-15 npm test.
  const binaries = process.env.POSTGRES_PACKAGE;
  const server = await startEmbedded({
    ...{ dataDir, durable: false },
    ...(binaries ? { binaries } : {}),
  });
  const end = async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    const serverUrl = databaseUrl(server.url, 'postgres');
    await makeTemplate(serverUrl);
    project.provide('serverUrl', serverUrl);
    return end;
  } catch (error) {
    await end();
    throw error;
  }
}

async function makeTemplate(serverUrl: string): Promise<void> {
  const admin = connect(serverUrl, { max: 1 });
  try {
    await admin.unsafe(`create database ${TEMPLATE}`);
    await fillTemplate(databaseUrl(serverUrl, TEMPLATE));
    await admin.unsafe(`alter database ${TEMPLATE} is_template true allow_connections false`);
  } finally {
    await admin.end();
  }
}

async function fillTemplate(url: string): Promise<void> {
  await migrateDatabase(url, 'public');
  const db = openDatabase({ url, schema: 'public', poolSize: 2, usePrepared: true });
  const seed = await import('../../src/sandbox/city/seed.ts');
  await seed.seedCity(db);
  await db.$client.end();
}

function hasRoom(dir: string): boolean {
  if (!existsSync(dir)) return false;
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize > ROOM_BYTES;
}

/** Folders of runs that were killed. */
function removeLeftOvers(parent: string): void {
  for (const name of readdirSync(parent).filter((n) => n.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0]);
    if (!isProcessAlive(pid)) rmSync(path.join(parent, name), { recursive: true, force: true });
  }
}
