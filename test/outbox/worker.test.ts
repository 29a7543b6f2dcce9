// Law: one kind of background work never stops another, and stopping finishes what is held.
import { sql } from 'drizzle-orm';
import { expect, test } from 'vitest';
import { rows } from '../../src/db/db.ts';
import type { Deps } from '../../src/deps.ts';
import { type Chore, startWorker } from '../../src/worker.ts';
import { useDatabase } from '../support/database.ts';
import { waitFor } from '../support/wait-for.ts';

const { db } = useDatabase();
const logged: { chore?: string }[] = [];
const deps = {
  db,
  log: { error: (fact: { chore?: string }) => logged.push(fact) },
  realNow: () => new Date(),
  breaker: { stateOf: async () => ({ isOpen: false, outageId: null }) },
} as unknown as Deps;

const chore = (name: string, run: Chore['run']): Chore => ({ name, everyMs: 5, run });

test('does every chore again and again, also beside one that always fails', async () => {
  let runs = 0;
  const worker = startWorker(deps, [
    chore('broken', async () => {
      throw new Error('always');
    }),
    chore('good', async () => {
      runs += 1;
    }),
  ]);
  await waitFor(() => runs >= 3 && logged.some((fact) => fact.chore === 'broken'));
  await worker.stop();
});

test('finishes what it holds before it stops, and takes nothing new', async () => {
  let started = 0;
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const worker = startWorker(deps, [
    chore('slow', async () => {
      started += 1;
      await held;
    }),
  ]);
  await waitFor(() => started === 1);
  let isStopped = false;
  const stopping = worker.stop().then(() => {
    isStopped = true;
  });
  await db.execute(sql`select 1`);
  expect(isStopped).toBe(false);
  finish();
  await stopping;
  expect(started).toBe(1);
});

// Last: a pool fails once on each connection that was thrown out, whoever uses it next.
test('goes on after the database threw all connections out', async () => {
  let answers = 0;
  const worker = startWorker(deps, [
    chore('asking', async () => {
      await rows(db, sql`select 1`);
      answers += 1;
    }),
  ]);
  await waitFor(() => answers > 0);
  await db
    .execute(
      sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()`,
    )
    .catch(() => {});
  const before = answers;
  await waitFor(() => answers > before + 1);
  await worker.stop();
});
