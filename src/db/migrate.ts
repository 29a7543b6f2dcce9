// Brings one city's schema up to date. Safe to run from several processes at once.

import { fileURLToPath } from 'node:url';
import { sql } from 'drizzle-orm';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import { openDatabase } from './db.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any fixed number: the advisory lock that lets one process migrate at a time. */
const MIGRATION_LOCK = 20_260_108;

/** Applies all migrations to `schema` of the database at `url` (a direct one, not a pooler). */
export async function migrateDatabase(url: string, schema: string): Promise<void> {
  const db = openDatabase({ url, schema, poolSize: 1, usePrepared: false });
  try {
    await db.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`);
    await db.execute(sql`create schema if not exists ${sql.identifier(schema)}`);
    await migrate(db, {
      migrationsFolder: FOLDER,
      migrationsSchema: schema,
      migrationsTable: 'migration',
    });
  } finally {
    await db.$client.end();
  }
}
