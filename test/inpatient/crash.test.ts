// The process dies while it admits or settles a stay: one admission, one live claim, whoever goes on.
import { sql } from 'drizzle-orm';
import { beforeAll, expect, it } from 'vitest';
import { admitInpatient } from '../../src/inpatient/admit-visit.ts';
import { syncStay } from '../../src/inpatient/sync-stay.ts';
import type { Job } from '../../src/outbox/jobs.ts';
import { resumeIntents } from '../../src/settlement/resume-intents.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { expectLaws, newPatient, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import { readVisit } from '../visit/support.ts';
import { admit, chargeDay, chargedStay, executed, expectOneLiveClaim } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const expire = () =>
  app.db.execute(
    sql`update intent set lease_until = now() - interval '1 second' where status = 'running'`,
  );
const jobOf = (visitId: string): Job => ({
  id: `job-of-${visitId}`,
  kind: 'admitInpatient',
  subjectId: visitId,
  payload: {},
  attempts: 1,
});

/** Runs `work` in a process that dies when the insurer has (or has not) executed a trade. */
async function dieAt(
  infno: string,
  isExecuted: boolean,
  work: () => Promise<unknown>,
): Promise<void> {
  const { insurer } = app.deps;
  const original = insurer.send.bind(insurer);
  const dead = new Promise<never>(() => {});
  let isReached = false;
  insurer.send = async (message, deadlineMs) => {
    if (message.infno !== infno) return original(message, deadlineMs);
    if (isExecuted) await original(message, deadlineMs);
    isReached = true;
    return dead;
  };
  void work().catch(() => {});
  await waitFor(() => isReached);
  insurer.send = original;
  await expire();
}

/** The stay whose opening died: nobody got its id. */
async function visitOf(person: TestPerson): Promise<ReplyBody> {
  const { body } = await app.call('GET', `/v1/visits?idNumber=${person.idNumber}`, {
    token: scene.terminal,
  });
  return body.data[0];
}

it.each([true, false])('admits once when it died at 2401 (executed: %s)', async (isExecuted) => {
  const { person } = await newPatient(app);
  await dieAt('2401', isExecuted, () => admit(scene, person));
  const visit = await visitOf(person);
  expect(visit.admission.insurer).toBe('waiting');
  expect(await admitInpatient(app.deps, jobOf(visit.id))).toBe('done');
  expect((await readVisit(scene, visit.id)).admission.insurer).toBe('admitted');
  expect(await executed(scene, '2401', visit.visitNumber)).toHaveLength(1);
  await chargeDay(scene, visit.id, 1);
  expect((await settle(scene, visit.id)).body.insurance.status).toBe('claimed');
  await expectOneLiveClaim(scene, visit, '300.00');
});

it('leaves a stay to whoever is at the counter with it, and comes back', async () => {
  const { person } = await newPatient(app);
  await dieAt('2401', false, () => admit(scene, person));
  const visit = await visitOf(person);
  await app.db.execute(
    sql`update intent set lease_until = now() + interval '1 minute' where visit_id = ${visit.id}`,
  );
  expect(await admitInpatient(app.deps, jobOf(visit.id))).toEqual({ retryAfterSeconds: 10 });
  await expire();
  expect(await admitInpatient(app.deps, jobOf(visit.id))).toBe('done');
});

it.each([true, false])('claims once when it died at 2304 (executed: %s)', async (isExecuted) => {
  const { visit } = await chargedStay(scene);
  await dieAt('2304', isExecuted, () => settle(scene, visit.id));
  await resumeIntents(app.deps);
  const settled = await readVisit(scene, visit.id);
  expect(settled.status).toBe('settled');
  const path = `/v1/settlements/${settled.settlementIds[0]}`;
  await waitFor(async () => {
    await runWorkerOnce(app.deps);
    const { body } = await app.call('GET', path, { token: scene.terminal });
    return body.insurance.status === 'converted';
  });
  const claim = await expectOneLiveClaim(scene, visit, '300.00');
  await waitFor(async () => {
    await runWorkerOnce(app.deps);
    return (await executed(scene, '2402', claim.mdtrtId)).length === 1;
  });
  await expectLaws(app);
});

it('closes nothing of a stay whose refund began after the first look at it', async () => {
  const { visit } = await chargedStay(scene);
  const settlement = (await settle(scene, visit.id)).body;
  expect(settlement.insurance.status).toBe('claimed');
  const begin = () =>
    app.db.execute(sql`
      insert into intent (id, kind, visit_id, settlement_id, status, request, lease_token, lease_until)
      select 'race', 'refund', visit_id, ${settlement.id}, 'running', request, 'race',
        now() + interval '1 minute' from intent where visit_id = ${visit.id} limit 1`);
  let hasBegun = false;
  const db = new Proxy(app.db, {
    get: (target, name) => {
      if (name !== 'transaction') return Reflect.get(target, name, target);
      return async (work: Parameters<typeof app.db.transaction>[0]) => {
        const done = await target.transaction(work);
        if (!hasBegun) await begin();
        hasBegun = true;
        return done;
      };
    },
  });
  const job = { ...jobOf(visit.id), kind: 'syncStay' as const };
  expect(await syncStay({ ...app.deps, db }, job)).toEqual({ retryAfterSeconds: 2 });
  expect(hasBegun).toBe(true);
  const { mdtrtId } = await expectOneLiveClaim(scene, visit, '300.00');
  expect(await executed(scene, '2402', mdtrtId)).toHaveLength(0);
  await app.db.execute(sql`delete from intent where id = 'race'`);
  expect(await syncStay(app.deps, job)).toBe('done');
  expect(await executed(scene, '2402', mdtrtId)).toHaveLength(1);
});
