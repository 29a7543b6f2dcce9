// Law: statements without drizzle's builders say and read exactly what drizzle's would.
import { eq, type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allOf, atEnd, rows, transact } from '../../src/db/db.ts';
import { citizen, creditLine, hospital, idempotencyKey, visit } from '../../src/db/schema.ts';
import { insertOf, readRows, readRowsBeside, together } from '../../src/db/statements.ts';
import { textOf } from '../../src/db/text-of.ts';
import { useDatabase } from '../support/database.ts';

const { db } = useDatabase();
const dialect = new PgDialect({ casing: 'snake_case' });

const value = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.bigInt(),
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
const fragment: fc.Arbitrary<SQL> = fc.letrec<{ sql: SQL }>((tie) => ({
  sql: fc.oneof(
    { maxDepth: 4 },
    value.map((v) => sql`a = ${v}`),
    fc.constantFrom(sql`true`, sql.raw('"x" = 1'), sql`${undefined}`),
    fc.tuple(tie('sql'), value, tie('sql')).map(([a, v, b]) => sql`(${a} and ${v} or ${b})`),
    fc.array(tie('sql'), { maxLength: 3 }).map((all) => sql.join(all, sql.raw(', '))),
  ),
})).sql;

describe('a raw statement', () => {
  it('becomes the text and the parameters that drizzle makes of it', () => {
    fc.assert(
      fc.property(fragment, (statement) => {
        const built = dialect.sqlToQuery(statement);
        expect(textOf(statement)).toEqual({ text: built.sql, params: built.params });
      }),
      { numRuns: 500 },
    );
  });

  it('leaves to drizzle what only drizzle knows', () => {
    const statement = sql`select ${hospital.code} from ${hospital} where ${eq(hospital.code, 'H1')}`;
    const built = dialect.sqlToQuery(statement);
    expect(textOf(statement)).toEqual({ text: built.sql, params: built.params });
  });
});

const key = (name: string) => ({
  client: 'test',
  key: name,
  requestHash: Buffer.from([0, 1, 255]),
  status: 201,
  contentType: 'application/json',
  body: '{"a": 1}',
  leaseUntil: new Date('2026-02-03T04:05:06.789Z'),
});

describe('whole rows', () => {
  it('are read as drizzle reads them, of every kind of column', async () => {
    const people = [citizen, creditLine, visit, hospital] as const;
    for (const table of people) {
      expect(await readRows(db, table, sql`order by 1`)).toEqual(await db.select().from(table));
    }
    await rows(db, insertOf(idempotencyKey, key('read')));
    const where = eq(idempotencyKey.key, 'read');
    const [byDrizzle] = await db.select().from(idempotencyKey).where(where);
    const [row] = await readRows(db, idempotencyKey, sql`where key = ${'read'}`);
    expect(row).toEqual(byDrizzle);
    expect(row).toMatchObject(key('read'));
    expect(row?.createdAt).toBeInstanceOf(Date);
  });

  it('come with what was asked beside them', async () => {
    const [found] = await readRowsBeside<typeof hospital, { n: number }>(
      db,
      hospital,
      sql`jsonb_build_object('n', 7)`,
      sql`order by code limit 1`,
    );
    expect(found?.beside).toEqual({ n: 7 });
    expect(found?.row.code).toMatch(/^H\d{11}$/);
  });
});

describe('writes that go together', () => {
  it('are all made, or none when one of them fails', async () => {
    await together(db, {
      one: insertOf(idempotencyKey, key('one')),
      none: null,
      two: insertOf(idempotencyKey, key('two')),
    });
    expect(await keysLike('one')).toBe(1);
    expect(await keysLike('two')).toBe(1);
    const clash = together(db, {
      three: insertOf(idempotencyKey, key('three')),
      again: insertOf(idempotencyKey, key('one')),
    });
    await expect(clash).rejects.toMatchObject({ code: '23505' });
    expect(await keysLike('three')).toBe(0);
  });

  it('are not made where what they follow from made nothing', async () => {
    await together(db, {
      first: sql`${insertOf(idempotencyKey, key('one'))} on conflict do nothing returning 1`,
      second: insertOf(idempotencyKey, key('follows'), sql`first`),
    });
    expect(await keysLike('follows')).toBe(0);
  });
});

describe('a statement that goes with the commit', () => {
  it('is made with everything else', async () => {
    const done = await transact(db, async (tx) => {
      atEnd(tx, insertOf(idempotencyKey, key('last')));
      await rows(tx, insertOf(idempotencyKey, key('before')));
      return 'done';
    });
    expect(done).toBe('done');
    expect([await keysLike('before'), await keysLike('last')]).toEqual([1, 1]);
  });

  it('takes everything back when it fails, and its error is what the caller gets', async () => {
    const failing = transact(db, async (tx) => {
      await rows(tx, insertOf(idempotencyKey, key('lost')));
      atEnd(tx, insertOf(idempotencyKey, key('one')));
      return 'done';
    });
    await expect(failing).rejects.toMatchObject({ code: '23505' });
    expect(await keysLike('lost')).toBe(0);
  });

  it('is not made when the work is refused', async () => {
    const refused = transact(db, async (tx) => {
      atEnd(tx, insertOf(idempotencyKey, key('never')));
      throw new Error('refused');
    });
    await expect(refused).rejects.toThrow('refused');
    expect(await keysLike('never')).toBe(0);
  });

  it('needs a transaction that would send it', async () => {
    const lost = db.transaction(async (tx) => atEnd(tx, sql`select 1`));
    await expect(lost).rejects.toThrow('atEnd');
  });
});

describe('work of several steps in one transaction', () => {
  it('is over before the transaction ends, also where some of it failed', async () => {
    const steps: string[] = [];
    const failing = transact(db, (tx) =>
      allOf<[never, number]>(
        rows(tx, sql`select 1`).then(() => {
          throw new Error('first');
        }),
        rows(tx, sql`select 1`)
          .then(() => rows(tx, insertOf(idempotencyKey, key('late'))))
          .then(() => rows(tx, sql`select pg_sleep(0)`))
          .then(() => steps.push('over')),
      ),
    );
    await expect(failing).rejects.toThrow('first');
    expect(steps).toEqual(['over']);
    expect(await keysLike('late')).toBe(0);
  });
});

async function keysLike(name: string): Promise<number> {
  return (await rows(db, sql`select 1 from idempotency_key where key = ${name}`)).length;
}
