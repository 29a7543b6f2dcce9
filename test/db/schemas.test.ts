// Law: one schema is one city. Migrations name no schema, and two cities share one database.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { businessNow, type Db, openDatabase, rows } from '../../src/db/db.ts';
import { migrateDatabase } from '../../src/db/migrate.ts';
import { nameDatabase } from '../support/database.ts';

const database = nameDatabase();
const open = (schema: string) =>
  openDatabase({ url: database.url, schema, poolSize: 2, usePrepared: true });
const cities: Db[] = [];

beforeAll(async () => {
  await database.createEmpty();
  // Both at once, and one of them twice: the migrations' lock puts them in order.
  await Promise.all(
    ['xiamen', 'public', 'xiamen'].map((schema) => migrateDatabase(database.url, schema)),
  );
  cities.push(open('public'), open('xiamen'));
});

afterAll(async () => {
  for (const city of cities) await city.$client.end();
  await database.drop();
});

test('migrates two schemas of one database to the same tables', async () => {
  const [one, two] = await Promise.all(
    ['public', 'xiamen'].map((schema) =>
      rows<{ name: string }>(
        cities[0]!,
        sql`select table_name as name from information_schema.tables
          where table_schema = ${schema} order by 1`,
      ),
    ),
  );
  expect(one!.length).toBeGreaterThan(30);
  expect(two).toEqual(one);
});

test('moves the clock of one city only', async () => {
  const [first, second] = cities;
  await second!.execute(sql`update business_clock set offset_seconds = 86400`);
  const [here, there] = [await businessNow(first!), await businessNow(second!)];
  expect(there.getTime() - here.getTime()).toBeGreaterThan(86_000_000);
});

test('keeps the laws in a schema that is not public', async () => {
  const city = cities[1]!;
  await city.execute(sql`insert into lender (code, name) values ('TSB', '测试银行')`);
  const orphan = city.execute(sql`
    insert into journal_entry
      (id, fact, subject_id, leg_count, occurred_at, recorded_at, business_date)
    values ('ent_1', 'test', 's', 2, now(), now(), current_date)`);
  await expect(orphan).rejects.toMatchObject({
    cause: { constraint_name: 'entry_has_all_legs' },
  });
});
