// Law: what is done, and nobody may ask for any more, goes away; what somebody may still ask for, and what
// is still under way, stays.
import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { rows } from '../../src/db/db.ts';
import type { Deps } from '../../src/deps.ts';
import { firstIdAt, newId } from '../../src/ids.ts';
import { deleteExpired } from '../../src/outbox/retention.ts';
import { startWorker } from '../../src/worker.ts';
import { useDatabase } from '../support/database.ts';
import { waitFor } from '../support/wait-for.ts';

const DAY_MS = 86_400_000;

const { db } = useDatabase();
const deps = {
  db,
  log: { error: () => {} },
  realNow: () => new Date(),
  breaker: { stateOf: async () => ({ isOpen: false, outageId: null }) },
} as unknown as Deps;

const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);

const left = async (table: string, column: string) =>
  (
    await rows<{ what: string }>(
      db,
      sql`select ${sql.identifier(column)} as what from ${sql.identifier(table)} order by 1`,
    )
  ).map(({ what }) => what);

beforeEach(async () => {
  for (const table of ['idempotency_key', 'job', 'event', 'spent_token']) {
    await db.execute(sql`delete from ${sql.identifier(table)}`);
  }
});

test('ids of a time sort behind the first one of it', () => {
  const now = new Date();
  const id = newId('event');
  expect(id > firstIdAt('event', now)).toBe(true);
  expect(id < firstIdAt('event', new Date(now.getTime() + 1_000))).toBe(true);
  expect(firstIdAt('event', daysAgo(1)) < firstIdAt('event', now)).toBe(true);
});

describe('keys and tokens', () => {
  const key = (name: string, days: number, status: number | null, leaseDays: number | null) =>
    db.execute(sql`
      insert into idempotency_key (client, key, request_hash, status, lease_until, created_at)
      values ('c', ${name}, '\\x00', ${status}::int,
        clock_timestamp() - make_interval(days => ${leaseDays}::int), ${daysAgo(days).toISOString()})`);

  test('an idempotency key is there for 7 days, and after 8 it is not', async () => {
    await key('old', 9, 200, null);
    await key('week', 7, 200, null);
    await deleteExpired(deps);
    expect(await left('idempotency_key', 'key')).toEqual(['week']);
  });

  test('a key whose work was taken over lately stays, however old it is', async () => {
    await key('running', 20, null, 0);
    await key('forgotten', 20, null, 19);
    await deleteExpired(deps);
    expect(await left('idempotency_key', 'key')).toEqual(['running']);
  });

  test('a spent token goes when nobody would take it any more', async () => {
    await db.execute(sql`
      insert into spent_token (hash, kind, expires_at) values
        ('\\x01', 'past', clock_timestamp() - interval '1 second'),
        ('\\x02', 'valid', clock_timestamp() + interval '1 hour')`);
    await deleteExpired(deps);
    expect(await left('spent_token', 'kind')).toEqual(['valid']);
  });

  test('many go in small batches, one after the other, without waiting for a locked one', async () => {
    await db.execute(sql`
      insert into idempotency_key (client, key, request_hash, status, created_at)
      select 'c', 'k' || n, '\\x00', 200, clock_timestamp() - interval '9 days'
        - make_interval(secs => n) from generate_series(1, 2500) n`);
    await db.transaction(async (tx) => {
      await tx.execute(sql`select 1 from idempotency_key where key = 'k2000' for update`);
      expect(await deleteExpired(deps)).toBe(1_000);
      expect(await left('idempotency_key', 'key')).toHaveLength(1_500);
      expect(await deleteExpired(deps)).toBe(1_000);
      expect(await deleteExpired(deps)).toBe(0);
    });
    expect(await left('idempotency_key', 'key')).toEqual(['k2000']);
  });

  test('the worker goes on until nothing is left', async () => {
    await db.execute(sql`
      insert into idempotency_key (client, key, request_hash, status, created_at)
      select 'c', 'k' || n, '\\x00', 200, clock_timestamp() - interval '9 days'
      from generate_series(1, 2500) n`);
    const worker = startWorker(deps);
    await waitFor(async () => (await left('idempotency_key', 'key')).length === 0);
    await worker.stop();
  });
});

describe('jobs and events', () => {
  const job = async (subject: string, kind: string, made: number, done: number | null) => {
    const doneAt = done === null ? null : daysAgo(done).toISOString();
    await db.execute(sql`
      insert into job (id, kind, subject_id, payload, created_at, done_at)
      values (${`${firstIdAt('job', daysAgo(made))}_${subject}`}, ${kind}, ${subject}, '{}',
        ${daysAgo(made).toISOString()}, ${doneAt}::timestamptz)`);
  };
  const event = (data: string, type: string, days: number) =>
    db.execute(sql`
      insert into event (id, type, citizen_id, data, occurred_at)
      values (${firstIdAt('event', daysAgo(days)).replace(/0$/, data)}, ${type}, 'cit_1',
        ${JSON.stringify(data)}::jsonb, ${daysAgo(days).toISOString()})`);

  test('a job of any kind goes 40 days after it was done, and never before it is', async () => {
    await job('delivered', 'deliverWebhook', 50, 41);
    await job('sent', 'sendMoneyBack', 50, 49);
    await job('lately', 'sendMoneyBack', 50, 39);
    await job('live', 'sendMoneyBack', 400, null);
    await deleteExpired(deps);
    expect(await left('job', 'subject_id')).toEqual(['lately', 'live']);
  });

  test('an event, which is a citizen’s notice, goes after three years', async () => {
    await event('a', 'settlement.settled', 3 * 366 + 1);
    await event('b', 'settlement.settled', 3 * 366 - 1);
    // It says since when the line is suspended.
    await event('c', 'line.suspended', 2_000);
    await deleteExpired(deps);
    expect(await left('event', 'data')).toEqual(['b', 'c']);
  });

  test('an event that is still to be delivered stays', async () => {
    await event('a', 'settlement.settled', 2_000);
    await event('b', 'settlement.settled', 1_900);
    await job('b', 'deliverWebhook', 1_900, null);
    await deleteExpired(deps);
    expect(await left('event', 'data')).toEqual(['b']);
  });
});
