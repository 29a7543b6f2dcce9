// Law: a job is written with its fact, runs at least once, and is never lost.
import { sql } from 'drizzle-orm';
import { beforeEach, expect, test } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import type { Deps } from '../../src/deps.ts';
import {
  backOffSeconds,
  enqueueJob,
  type JobHandlers,
  type JobOutcome,
  runDueJobs,
} from '../../src/outbox/jobs.ts';
import { useDatabase } from '../support/database.ts';

const { db } = useDatabase();
const logged: unknown[] = [];
const counted: string[] = [];
const deps = {
  db,
  log: { error: (fact: unknown) => logged.push(fact) },
  metrics: { countJob: (kind: string, outcome: string) => counted.push(`${kind} ${outcome}`) },
} as unknown as Deps;

interface JobRow {
  kind: string;
  attempts: number;
  is_done: boolean;
  last_error: string | null;
  wait: number;
}

const jobRows = () =>
  rows<JobRow>(
    db,
    sql`
    select kind, attempts, done_at is not null as is_done, last_error,
      extract(epoch from next_attempt_at - clock_timestamp())::float8 as wait
    from job order by created_at, id`,
  );

const enqueue = (subjectId: string, runAt?: Date) =>
  transact(db, (tx) =>
    enqueueJob(tx, {
      kind: 'confirmReversal',
      subjectId,
      payload: { by: 'test' },
      ...(runAt ? { runAt } : {}),
    }),
  );

const makeDue = () => db.execute(sql`update job set next_attempt_at = clock_timestamp()`);

beforeEach(async () => {
  await db.execute(sql`delete from job`);
  logged.length = 0;
  counted.length = 0;
});

test('runs a job once and marks it done', async () => {
  await enqueue('set_1');
  const seen: unknown[] = [];
  const handlers: JobHandlers = {
    confirmReversal: async (_deps, job) => {
      seen.push([job.subjectId, job.payload, job.attempts]);
      return 'done';
    },
  };
  expect(await runDueJobs(deps, handlers, 10)).toBe(1);
  expect(await runDueJobs(deps, handlers, 10)).toBe(0);
  expect(seen).toEqual([['set_1', { by: 'test' }, 1]]);
  expect(await jobRows()).toMatchObject([{ is_done: true, attempts: 1 }]);
});

test('is not there when its transaction rolled back', async () => {
  const lost = transact(db, async (tx) => {
    await enqueueJob(tx, { kind: 'confirmReversal', subjectId: 'set_2' });
    throw new Error('no');
  });
  await expect(lost).rejects.toThrow('no');
  expect(await jobRows()).toEqual([]);
});

test('keeps one live job for a subject, and takes a new one after it is done', async () => {
  await enqueue('set_3');
  await enqueue('set_3');
  expect(await jobRows()).toHaveLength(1);
  await runDueJobs(deps, { confirmReversal: async () => 'done' }, 10);
  await enqueue('set_3');
  expect((await jobRows()).map((job) => job.is_done)).toEqual([true, false]);
});

test('runs once more when it was asked for again while it ran', async () => {
  await enqueue('set_4');
  let runs = 0;
  const handlers: JobHandlers = {
    confirmReversal: async () => {
      runs += 1;
      if (runs === 1) await enqueue('set_4');
      return 'done';
    },
  };
  await runDueJobs(deps, handlers, 10);
  expect(await jobRows()).toMatchObject([{ is_done: false }]);
  await runDueJobs(deps, handlers, 10);
  expect(await jobRows()).toMatchObject([{ is_done: true }]);
  expect(runs).toBe(2);
});

test('counts, logs and tries again a job whose handler throws', async () => {
  await enqueue('set_5');
  const failing: JobHandlers = {
    confirmReversal: async () => {
      throw new Error('insurer said no');
    },
  };
  await runDueJobs(deps, failing, 10);
  const [job] = await jobRows();
  expect(job).toMatchObject({ is_done: false, attempts: 1, last_error: 'Error: insurer said no' });
  expect(job!.wait).toBeLessThanOrEqual(1);
  expect(logged).toHaveLength(1);
  await makeDue();
  await runDueJobs(deps, failing, 10);
  const [again] = await jobRows();
  expect(again!.wait).toBeGreaterThan(1);
  expect(again!.wait).toBeLessThanOrEqual(5);
});

test('waits as long as the handler asks', async () => {
  await enqueue('set_6');
  await runDueJobs(deps, { confirmReversal: async () => ({ retryAfterSeconds: 120 }) }, 10);
  const [job] = await jobRows();
  expect(job!.wait).toBeGreaterThan(60);
  expect(job).toMatchObject({ is_done: false, last_error: null });
});

test('counts each run by what it came to', async () => {
  const outcomes: JobOutcome[] = ['done', { retryAfterSeconds: 9 }, { gaveUp: 'HTTP 410' }];
  for (const outcome of outcomes) {
    await db.execute(sql`delete from job`);
    await enqueue('set_6');
    await runDueJobs(deps, { confirmReversal: async () => outcome }, 10);
  }
  await makeDue();
  await enqueue('set_7');
  await runDueJobs(deps, { confirmReversal: () => Promise.reject(new Error('no')) }, 10);
  const kinds = ['done', 'retry', 'failed', 'retry'];
  expect(counted).toEqual(kinds.map((outcome) => `confirmReversal ${outcome}`));
});

test('backs off 1, 5, 15, 60 and then 300 seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 99].map(backOffSeconds)).toEqual([1, 5, 15, 60, 300, 300, 300]);
});

test('leaves alone what is not due yet and what it has no handler for', async () => {
  await enqueue('set_7', new Date(Date.now() + 3_600_000));
  expect(await runDueJobs(deps, { confirmReversal: async () => 'done' }, 10)).toBe(0);
  await makeDue();
  expect(await runDueJobs(deps, { sendMoneyBack: async () => 'done' }, 10)).toBe(0);
  expect(await jobRows()).toMatchObject([{ is_done: false, attempts: 0 }]);
});

test('gives each job to one of ten racing workers', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, i) => enqueue(`race_${i}`)));
  const seen: string[] = [];
  const handlers: JobHandlers = {
    confirmReversal: async (_deps, job) => {
      seen.push(job.subjectId);
      return 'done';
    },
  };
  while ((await jobRows()).some((job) => !job.is_done)) {
    await Promise.all(Array.from({ length: 10 }, () => runDueJobs(deps, handlers, 5)));
  }
  expect(seen).toHaveLength(40);
  expect(new Set(seen).size).toBe(40);
});

test('takes over the job of a worker that died, once its lease has run out', async () => {
  await enqueue('set_8');
  const dead = runDueJobs(deps, { confirmReversal: () => new Promise(() => {}) }, 10);
  while ((await jobRows())[0]?.attempts !== 1) await Promise.race([dead, Promise.resolve()]);
  expect((await jobRows())[0]!.wait).toBeGreaterThan(30);
  expect(await runDueJobs(deps, { confirmReversal: async () => 'done' }, 10)).toBe(0);
  await makeDue();
  expect(await runDueJobs(deps, { confirmReversal: async () => 'done' }, 10)).toBe(1);
  expect(await jobRows()).toMatchObject([{ is_done: true, attempts: 2 }]);
});
