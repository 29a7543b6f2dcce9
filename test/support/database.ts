// A fresh migrated and seeded database for one test file, dropped when the file is done.

import { afterAll, beforeAll, inject } from 'vitest';
import { connect } from '../../src/db/connect.ts';
import { type Db, openDatabase } from '../../src/db/db.ts';
import { databaseUrl, TEMPLATE } from './database-url.ts';

export interface TestDatabase {
  /** Usable from the first hook on: the pool connects when it is first asked. */
  db: Db;
  url: string;
}

/** Call it at the top of a file or of a describe: `const { db } = useDatabase()`. */
export function useDatabase(options: { poolSize?: number } = {}): TestDatabase {
  const clone = nameDatabase();
  const poolSize = options.poolSize ?? 10;
  const db = openDatabase({ url: clone.url, schema: 'public', poolSize, usePrepared: true });
  beforeAll(clone.create);
  afterAll(async () => {
    await db.$client.end({ timeout: 5 });
    await clone.drop();
  });
  return { db, url: clone.url };
}

/** A database that the caller creates (a clone of the template, or empty) and drops. */
export function nameDatabase(): {
  url: string;
  create(): Promise<void>;
  createEmpty(): Promise<void>;
  drop(): Promise<void>;
} {
  const serverUrl = inject('serverUrl');
  const name = `t_${crypto.randomUUID().replaceAll('-', '')}`;
  const asAdmin = async (statement: string) => {
    const admin = connect(serverUrl, { max: 1 });
    await admin.unsafe(statement).finally(() => admin.end());
  };
  return {
    url: databaseUrl(serverUrl, name),
    create: () => asAdmin(`create database ${name} template ${TEMPLATE} strategy wal_log`),
    createEmpty: () => asAdmin(`create database ${name}`),
    drop: () => asAdmin(`drop database if exists ${name} with (force)`),
  };
}
