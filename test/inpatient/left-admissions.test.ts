// Law: nobody stays in hospital at the insurer. An admission that was made for a claim which then came
// to nothing is undone, also where the patient had been discharged first.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { policy } from '../../src/db/schema.ts';
import { defaultStayPolicy } from '../../src/inpatient/stay-policy.ts';
import { releaseRegistration } from '../../src/settlement/release-registration.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { ask, drain, giveUp, settlementOf } from '../conversion/support.ts';
import { convertOnce } from '../settlement/parties.ts';
import { expectLaws, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { insurerOf, said } from '../visit/support.ts';
import { chargedStay, discharge, executed } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(async () => {
  await app.fault({ mode: 'none' });
  await insurerOf(app).setRules({});
  await expectLaws(app);
});

const openJobs = (visitId: string) =>
  rows<{ kind: string }>(
    app.db,
    sql`select kind from job where subject_id = ${visitId} and done_at is null`,
  );

/** Works until nothing is to be done about a visit any more. */
const workOff = (visitId: string) =>
  waitFor(async () => {
    await app.db.execute(
      sql`update job set next_attempt_at = clock_timestamp() where done_at is null`,
    );
    await runWorkerOnce(app.deps);
    return (await openJobs(visitId)).length === 0;
  });

/** Registrations of a visit's patient that were made, and those undone. */
async function admissions({ visitNumber }: ReplyBody) {
  const made = await executed(scene, '2401', visitNumber);
  const { psn_no: psnNo } = made[0].mdtrtinfo;
  const undone = await executed(scene, '2404', psnNo);
  return { made: made.length, undone: undone.length };
}

/** A stay that was settled without the insurer; all is done about it. */
async function selfPaidStay() {
  const stay = await chargedStay(scene);
  const { body } = await settle(scene, stay.visit.id, { insurance: 'skip' });
  expect(body.insurance.status).toBe('skipped');
  await workOff(stay.visit.id);
  const before = await admissions(stay.visit);
  expect(before.undone).toBe(before.made);
  const asked = await ask(app, body.id, stay.token);
  expect(asked.status, asked.text).toBe(202);
  return { ...stay, before, settlementId: body.id, conversionId: asked.body.id };
}

it('undoes the admission of a conversion that the insurer refused', async () => {
  const { visit, before, settlementId } = await selfPaidStay();
  await app.fault({ mode: 'reject', on: ['2304'], reason: '费用明细不符合医保支付规则' });
  await drain(app);
  await app.fault({ mode: 'none' });
  expect((await settlementOf(scene, settlementId)).insurance.status).toBe('rejected');
  await workOff(visit.id);
  const made = before.made + 1;
  expect(await admissions(visit)).toEqual({ made, undone: made });
});

it('undoes the admission of a conversion that the patient gave up', async () => {
  const { visit, token, before, settlementId, conversionId } = await selfPaidStay();
  await app.fault({ mode: 'error500', on: ['2301'] });
  await convertOnce(app, [conversionId]);
  await app.fault({ mode: 'none' });
  const ended = await giveUp(app, settlementId, token);
  expect(ended.status, ended.text).toBe(200);
  await workOff(visit.id);
  const made = before.made + 1;
  expect(await admissions(visit)).toEqual({ made, undone: made });
});

it('undoes the admission of a refund that the insurer refused', async () => {
  const { visit } = await chargedStay(scene);
  const { body } = await settle(scene, visit.id);
  expect(body.insurance.status).toBe('claimed');
  await workOff(visit.id);
  await app.fault({ mode: 'reject', on: ['2303'], reason: '费用明细不符合医保支付规则' });
  const refused = await app.call('POST', `/v1/settlements/${body.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退' },
  });
  expect(said(refused)).toEqual([409, 'insurance/rejected']);
  await app.fault({ mode: 'none' });
  await workOff(visit.id);
  expect(await admissions(visit)).toEqual({ made: 2, undone: 1 });
});

/** A cancelled visit whose patient the insurer has discharged before it refused the settlement. */
async function cancelledAfterDischarge(): Promise<ReplyBody> {
  await insurerOf(app).setRules({ dischargeBeforeSettlement: true });
  await app.db
    .insert(policy)
    .values({
      kind: 'inpatient',
      name: '3502',
      version: 1,
      validFrom: sql`business_now()`,
      data: { ...defaultStayPolicy, dischargeBeforeSettlement: true },
    })
    .onConflictDoNothing();
  const { visit } = await chargedStay(scene);
  await discharge(scene, visit.id);
  await app.fault({ mode: 'reject', on: ['2304'], reason: '费用明细不符合医保支付规则' });
  expect(said(await settle(scene, visit.id))).toEqual([409, 'insurance/rejected']);
  await app.fault({ mode: 'none' });
  const path = `/v1/visits/${visit.id}`;
  const cancelled = await app.call('DELETE', path, { token: scene.terminal });
  expect(cancelled.status, cancelled.text).toBe(200);
  return visit;
}

it('has a discharged patient back in hospital before a cancelled admission is undone', async () => {
  const visit = await cancelledAfterDischarge();
  await workOff(visit.id);
  expect(await admissions(visit)).toEqual({ made: 1, undone: 1 });
});

it('tells finance when the insurer never undoes the admission of a cancelled visit', async () => {
  const visit = await cancelledAfterDischarge();
  const job = { id: 'job_last', kind: 'releaseRegistration', subjectId: visit.id } as const;
  const outcome = await releaseRegistration(app.deps, { ...job, payload: {}, attempts: 301 });
  expect(outcome).toHaveProperty('gaveUp');
  const cases = await rows(
    app.db,
    sql`select kind from finance_case where subject_id = ${visit.id}`,
  );
  expect(cases).toEqual([{ kind: 'insurance/stay-not-closed' }]);
});
