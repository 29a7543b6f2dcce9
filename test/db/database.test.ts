// Law: each test file has a database of its own, migrated and seeded, on a real PostgreSQL.
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { businessNow, rows } from '../../src/db/db.ts';
import { useDatabase } from '../support/database.ts';

const { db } = useDatabase();

test('has the migrations and the demo city', async () => {
  const [counted] = await rows<{ hospitals: bigint }>(
    db,
    sql`select count(*) as hospitals from hospital`,
  );
  expect(Number(counted?.hospitals)).toBeGreaterThanOrEqual(2);
});

test('starts with business time equal to real time', async () => {
  const apart = Math.abs((await businessNow(db)).getTime() - Date.now());
  expect(apart).toBeLessThan(60_000);
});
