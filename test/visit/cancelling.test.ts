// Cancelling: the hold is free at once, the insurer's registration by a job that never gives up.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { everything, insurerOf, readVisit, said } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

const cancel = (visitId: string) =>
  app.call('DELETE', `/v1/visits/${visitId}`, { token: scene.terminal });
const preview = (visitId: string) =>
  app.call('POST', `/v1/visits/${visitId}/settlement/preview`, {
    token: scene.terminal,
    body: {},
  });

/** What the insurer did with the registrations of a visit: 2201 done, 2202 done. */
async function registrations(visitNumber: string) {
  const done = (await insurerOf(app).messages()).filter(
    (m) =>
      m.fate === 'done' &&
      (m.input.data as { ipt_otp_no?: string } | undefined)?.ipt_otp_no === visitNumber,
  );
  const count = (infno: string) => done.filter((m) => m.infno === infno).length;
  return { made: count('2201'), undone: count('2202') };
}
const openJobs = (visitId: string) =>
  rows<{ attempts: number }>(
    app.db,
    sql`select attempts from job where subject_id = ${visitId} and done_at is null`,
  );
/** The back-off is over: the job is due now. */
const makeDue = () =>
  app.db.execute(sql`update job set next_attempt_at = clock_timestamp() where done_at is null`);

describe('cancelling an unsettled visit', () => {
  it('frees its hold at once and says so; again it changes nothing', async () => {
    const { person, token } = await newPatient(app);
    const visit = await openVisit(scene, person);
    const reply = await cancel(visit.id);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body).toMatchObject({ status: 'cancelled', hold: { status: 'voided' } });
    expect(await lineOf(app, token)).toMatchObject({ held: '0.00', available: '3000.00' });
    const before = await everything(app);
    expect((await cancel(visit.id)).body).toEqual(reply.body);
    expect(await everything(app)).toEqual(before);
    await expectLaws(app);
  });

  it('leaves its charges behind and nothing to settle', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await cancel(visit.id);
    expect(said(await settle(scene, visit.id))).toEqual([409, 'visit/wrong-state']);
    expect(said(await preview(visit.id))).toEqual([409, 'visit/wrong-state']);
    expect(await app.claims({ visitNumber: visit.visitNumber })).toEqual([]);
  });

  it('has the insurer’s registration and fees undone by the job', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    expect((await preview(visit.id)).body.insurance.status).toBe('claimed');
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 0 });
    await cancel(visit.id);
    await runWorkerOnce(app.deps);
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 1 });
    expect(await openJobs(visit.id)).toEqual([]);
  });

  it.each([
    { mode: 'refuseConnection' },
    { mode: 'error500', on: ['2205'] },
    { mode: 'error500', on: ['2202'] },
    { mode: 'answerLost', on: ['2202'] },
  ])('is tried again until the insurer has undone it: %o', async (fault) => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await preview(visit.id);
    await app.fault(fault);
    expect((await cancel(visit.id)).body.status).toBe('cancelled');
    await runWorkerOnce(app.deps);
    expect(await openJobs(visit.id)).toMatchObject([{ attempts: 1 }]);
    await app.fault({ mode: 'none' });
    await makeDue();
    await runWorkerOnce(app.deps);
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 1 });
    expect(await openJobs(visit.id)).toEqual([]);
  });

  it('undoes a registration although the visit was opened while the insurer was away', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const visit = await openVisit(scene, person);
    await app.fault({ mode: 'none' });
    await charge(scene, visit.id, [item(1, '10.00')]);
    expect((await preview(visit.id)).body.insurance.status).toBe('claimed');
    await cancel(visit.id);
    await runWorkerOnce(app.deps);
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 1 });
  });

  it('undoes the registration of a settlement that the insurer rejected', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'reject', on: ['2207'], reason: '追溯码未上传' });
    expect(said(await settle(scene, visit.id))).toEqual([409, 'insurance/rejected']);
    await app.fault({ mode: 'none' });
    expect((await cancel(visit.id)).body.status).toBe('cancelled');
    await runWorkerOnce(app.deps);
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 1 });
  });

  it('undoes a registration of which no answer came back', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'answerLost', on: ['2201'] });
    expect((await preview(visit.id)).body.insurance.status).toBe('awaitingInsurance');
    await app.fault({ mode: 'none' });
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 0 });
    await cancel(visit.id);
    await runWorkerOnce(app.deps);
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 1 });
  });

  it('leaves alone the registration of the next visit of the same number', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { visitNumber } = visit;
    await app.fault({ mode: 'answerLost', on: ['2201'] });
    await preview(visit.id);
    await app.fault({ mode: 'none' });
    await cancel(visit.id);
    const next = await chargedVisit(scene, person, { visitNumber });
    expect((await preview(next.id)).body.insurance.status).toBe('claimed');
    await runWorkerOnce(app.deps);
    expect(await registrations(visitNumber)).toEqual({ made: 2, undone: 1 });
    expect((await settle(scene, next.id)).body.insurance?.status).toBe('claimed');
  });

  it('undoes what a rejected settlement registered although nobody was known at the opening', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'none' });
    await app.fault({ mode: 'reject', on: ['2207'], reason: '追溯码未上传' });
    expect(said(await settle(scene, visit.id))).toEqual([409, 'insurance/rejected']);
    await app.fault({ mode: 'none' });
    await cancel(visit.id);
    await runWorkerOnce(app.deps);
    expect(await registrations(visit.visitNumber)).toEqual({ made: 1, undone: 1 });
  });

  it('asks the insurer nothing when it was never told of the visit', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    const undoing = async () => {
      const { length } = await insurerOf(app).messages({ infno: '2202' });
      return length + (await insurerOf(app).messages({ infno: '2205' })).length;
    };
    const before = await undoing();
    await cancel(visit.id);
    await runWorkerOnce(app.deps);
    expect(await undoing()).toBe(before);
    expect(await openJobs(visit.id)).toEqual([]);
  });
});

describe('cancelling is refused', () => {
  it('once anything of the visit is settled, with nothing changed', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    const batch = await charge(scene, visit.id, [item(1, '10.00')]);
    await charge(scene, visit.id, [item(2, '20.00')]);
    await settle(scene, visit.id, { batches: [batch], insurance: 'skip' });
    const before = await everything(app);
    expect(said(await cancel(visit.id))).toEqual([409, 'visit/already-settled']);
    await settle(scene, visit.id, { insurance: 'skip' });
    expect(await readVisit(scene, visit.id)).toMatchObject({ status: 'settled' });
    expect(said(await cancel(visit.id))).toEqual([409, 'visit/already-settled']);
    expect(before).not.toEqual(await everything(app));
  });

  it('while it settles, with Retry-After; charging, holding and patching, too', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'slow', on: ['2207'], delayMs: 2500 });
    const settling = settle(scene, visit.id);
    await waitFor(async () => (await readVisit(scene, visit.id)).status === 'settling');
    const { terminal: token } = scene;
    const path = `/v1/visits/${visit.id}`;
    const call = (method: string, target: string, body?: object) =>
      app.call(method, target, { token, ...(body ? { body } : {}) });
    const refused = await Promise.all([
      call('DELETE', path),
      call('PATCH', path, { medType: '11' }),
      call('PUT', `${path}/hold`, { amount: '1.00' }),
      call('DELETE', `${path}/hold`),
      call('POST', `${path}/charges`, { batch: 'late', items: [item(9, '1.00')] }),
      call('DELETE', `${path}/charges/late`),
      call('POST', `${path}/settlement`, {}),
      call('POST', `${path}/settlement/preview`, {}),
    ]);
    for (const reply of refused) {
      expect(said(reply)).toEqual([409, 'visit/settling']);
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await settling).body.insurance.status).toBe('claimed');
    await expectLaws(app);
  });
});
