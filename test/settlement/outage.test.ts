// When the insurer fails nobody waits: self-pay at once, conversion queued, one live claim at most.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
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
} from './support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '300' } });
/** Nobody converts here: what the counter left behind stays as it is. */
const still = useApp({ worker: false });
let scene: Scene;
let stillScene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
  stillScene = await sceneOf(still);
});
afterEach(async () => {
  await app.fault({ mode: 'none' });
  await still.fault({ mode: 'none' });
});

const lease = (sql: string) => app.db.execute(sql);
const expireLeases = () =>
  lease(`update intent set lease_until = now() - interval '1 second' where status = 'running'`);

/** fault, what the insurer holds afterwards, which cause the conversion names */
const matrix = [
  ['1101', { mode: 'refuseConnection' }, 0, 'insurerOffline'],
  ['2201', { mode: 'answerLost', on: ['2201'] }, 0, 'insurerOffline'],
  ['2203', { mode: 'error500', on: ['2203'] }, 0, 'insurerOffline'],
  ['2204', { mode: 'garbage', on: ['2204'] }, 0, 'insurerOffline'],
  ['2206', { mode: 'brokenInvariant', on: ['2206'] }, 0, 'insurerOffline'],
  ['2207 lost', { mode: 'answerLost', on: ['2207'] }, 1, 'insurerUnknown'],
  ['2207 error', { mode: 'error500', on: ['2207'] }, 0, 'insurerUnknown'],
  ['2207 garbage', { mode: 'garbage', on: ['2207'] }, 0, 'insurerUnknown'],
  ['2207 lies', { mode: 'brokenInvariant', on: ['2207'] }, 1, 'insurerUnknown'],
  ['2207 without setl_id', { mode: 'noSetlId', on: ['2207'] }, 1, 'insurerUnknown'],
] as const;

describe('an insurer that fails', () => {
  it.each(matrix)(
    'at %s closes the bill as self-pay and queues a conversion',
    async (_, fault, claims, cause) => {
      const { person, token } = await newPatient(still);
      const visit = await chargedVisit(stillScene, person);
      await still.fault(fault);
      const reply = await settle(stillScene, visit.id);
      await still.fault({ mode: 'none' });
      expect(reply.status, reply.text).toBe(200);
      expect(reply.body.insurance.status).toBe('awaitingInsurance');
      expect(reply.body.insurance.claimId).toBeUndefined();
      expect(reply.body.tenders).toEqual([{ kind: 'credit', amount: '300.00' }]);
      const finance = await still.token('financeMaker');
      const queued = await still.call('GET', `/v1/conversions/${reply.body.conversionId}`, {
        token: finance,
      });
      expect(queued.body).toMatchObject({ status: 'queued', cause, settlementId: reply.body.id });
      const owed = await still.call('GET', '/v1/me/receivables', { token });
      expect(owed.body.data[0]).toMatchObject({ status: 'waitingForInsurance', amount: '300.00' });
      expect(await still.claims({ visitNumber: visit.visitNumber })).toHaveLength(claims);
      await expectLaws(still);
    },
  );

  it('that hangs costs the counter no more than its budget', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'hang', on: ['2206'] });
    const reply = await settle(scene, visit.id);
    expect(reply.body.insurance.status).toBe('awaitingInsurance');
  });

  it('that rejects changes nothing; skipping insurance then settles', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const before = await lineOf(app, token);
    await app.fault({ mode: 'reject', on: ['2207'], reason: '目录编码未上传追溯码' });
    const key = crypto.randomUUID();
    const reply = await settle(scene, visit.id, {}, key);
    expect(reply.status).toBe(409);
    expect(reply.body).toMatchObject({ code: 'insurance/rejected' });
    expect(reply.body.detail).toContain('目录编码未上传追溯码');
    expect(await lineOf(app, token)).toEqual(before);
    await app.fault({ mode: 'none' });
    const replayed = await settle(scene, visit.id, {}, key);
    expect(replayed.text).toBe(reply.text);
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
    const skipped = await settle(scene, visit.id, { insurance: 'skip' });
    expect(skipped.body.insurance.status).toBe('skipped');
    await expectLaws(app);
  });

  it('makes a caller who would rather wait come again, with nothing changed', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'refuseConnection' });
    const key = crypto.randomUUID();
    const body = {
      whenInsuranceOffline: 'wait',
      counterTenders: [{ kind: 'cash', amount: '5.00', reference: visit.visitNumber }],
    };
    const reply = await settle(scene, visit.id, body, key);
    expect([reply.status, reply.body.code]).toEqual([503, 'insurance/offline']);
    await app.fault({ mode: 'none' });
    const again = await settle(scene, visit.id, body, key);
    expect(again.status, again.text).toBe(200);
    expect(again.body.insurance.status).toBe('claimed');
    await expectLaws(app);
  });

  it('whose answer was lost while the caller waits is asked for the truth and adopted', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'answerLost', on: ['2207'] });
    const reply = await settle(scene, visit.id, { whenInsuranceOffline: 'wait' });
    expect([reply.status, reply.body.code]).toEqual([503, 'insurance/unknown']);
    await app.fault({ mode: 'none' });
    const settled = await waitFor(async () => {
      await expireLeases();
      const now = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
      return now.body.status === 'settled' && now.body;
    });
    const [claim] = await app.claims({ visitNumber: visit.visitNumber });
    const found = await app.call('GET', `/v1/settlements/${settled.settlementIds[0]}`, {
      token: scene.terminal,
    });
    expect(found.body.insurance).toEqual({ status: 'claimed', claimId: claim.setlId });
    await expectLaws(app);
  });

  it('that never executed while the caller waits leaves the visit open again', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'error500', on: ['2207'] });
    const key = crypto.randomUUID();
    const reply = await settle(scene, visit.id, { whenInsuranceOffline: 'wait' }, key);
    expect(reply.body.code).toBe('insurance/unknown');
    await app.fault({ mode: 'none' });
    await waitFor(async () => {
      await expireLeases();
      const now = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
      return now.body.status === 'open';
    });
    const again = await settle(scene, visit.id, { whenInsuranceOffline: 'wait' }, key);
    expect(again.body.insurance.status, again.text).toBe('claimed');
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    await expectLaws(app);
  });

  it('does not stop a visit from opening: an ID card identifies by itself', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const visit = await openVisit(scene, person);
    expect(visit.insured.status).toBe('unknown');
    await charge(scene, visit.id, [item(1, '10.00')]);
    await app.fault({ mode: 'none' });
    const reply = await settle(scene, visit.id);
    expect(reply.body.insurance.status).toBe('claimed');
  });

  it('gives outage credit on top of the limit, and only then', async () => {
    const { person, token } = await newPatient(app, { score: 400 });
    const visit = await openVisit(scene, person);
    await charge(scene, visit.id, [item(1, '1200.00')]);
    await app.fault({ mode: 'error500', on: ['2201'] });
    const reply = await settle(scene, visit.id);
    expect(reply.body.tenders).toEqual([{ kind: 'credit', amount: '1200.00' }]);
    expect((await lineOf(app, token)).available).toBe('0.00');
    await app.fault({ mode: 'none' });
    await expectLaws(app);
  });

  it('cancels the conversion of a wholly refunded visit and claims only what remains of others', async () => {
    const { person, token } = await newPatient(still);
    const visit = await chargedVisit(stillScene, person);
    await still.fault({ mode: 'error500', on: ['2203'] });
    const reply = await settle(stillScene, visit.id);
    await still.fault({ mode: 'none' });
    const refund = await still.call('POST', `/v1/settlements/${reply.body.id}/refunds`, {
      token: stillScene.terminal,
      body: { all: true, reason: '退号' },
    });
    expect(refund.status, refund.text).toBe(201);
    const finance = await still.token('financeMaker');
    const conversion = await still.call('GET', `/v1/conversions/${reply.body.conversionId}`, {
      token: finance,
    });
    expect(conversion.body.status).toBe('cancelled');
    expect((await lineOf(still, token)).outstanding).toBe('0.00');
    await expectLaws(still);
  });
});
