// The drain of the queue: it yields to the counter but never stands still, and stops when told no.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { convertDue } from '../../src/conversion/convert-due.ts';
import { rows } from '../../src/db/db.ts';
import { beginIntent } from '../../src/settlement/intent-store.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

async function queue(count: number): Promise<void> {
  const patients = await Promise.all(Array.from({ length: count }, () => newPatient(app)));
  const visits = await Promise.all(patients.map(({ person }) => chargedVisit(scene, person)));
  await app.fault({ mode: 'refuseConnection' });
  for (const visit of visits) {
    const reply = await settle(scene, visit.id);
    expect(reply.body.insurance.status).toBe('awaitingInsurance');
  }
  await app.fault({ mode: 'none' });
}

/** Looks until nothing waits, as the worker does; whatever is due later is made due now. */
async function drain(): Promise<number> {
  for (let looks = 1; looks < 200; looks += 1) {
    await convertDue(app.deps);
    await app.db.execute(sql`
      update insurance_route set trial_at = clock_timestamp() where status = 'offline'`);
    await app.db.execute(sql`
      update conversion set next_attempt_at = clock_timestamp() where status = 'queued'`);
    const [left] = await rows<{ n: number }>(
      app.db,
      sql`select count(*)::int as n from conversion where status in ('queued', 'claiming')`,
    );
    if (left?.n === 0) return looks;
  }
  throw new Error('conversions still wait');
}

/** The most conversions that were under way at the same moment. */
async function mostAtOnce(since: string): Promise<number> {
  const [most] = await rows<{ n: number }>(
    app.db,
    sql`
    select max(n)::int as n from (
      select count(*) as n from intent a join intent b
        on a.created_at >= b.created_at and a.created_at < b.finished_at
      where a.kind = 'convert' and b.kind = 'convert'
        and a.created_at >= ${since}::timestamptz and b.created_at >= ${since}::timestamptz
      group by a.id) at_once`,
  );
  return most?.n ?? 0;
}

async function now(): Promise<string> {
  const [row] = await rows<{ now: string }>(app.db, sql`select clock_timestamp() as now`);
  return row?.now ?? '';
}

describe('the drain', () => {
  it('keeps several conversions under way when nobody is at a counter', async () => {
    await queue(8);
    const since = await now();
    await drain();
    expect(await mostAtOnce(since)).toBeGreaterThan(1);
    await expectLaws(app);
  });

  it('goes on one by one while somebody is at a counter all the time', async () => {
    await queue(6);
    const { id } = await chargedVisit(scene, (await newPatient(app)).person);
    const standing = { kind: 'settle', visitId: id, settlementId: null, key: null } as const;
    await app.db.transaction((tx) =>
      beginIntent(tx, app.deps.keyring, { ...standing, order: {}, leaseSeconds: 600 }),
    );
    const since = await now();
    await drain();
    expect(await mostAtOnce(since)).toBe(1);
    await app.db.execute(sql`
      update intent set status = 'undone', finished_at = clock_timestamp()
      where visit_id = ${id} and status = 'running'`);
    await expectLaws(app);
  });
});
