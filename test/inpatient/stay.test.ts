// A hospital stay from its admission to its discharge, over HTTP, held against the insurer's own books.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import {
  expectLaws,
  fen,
  newPatient,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { readVisit, said } from '../visit/support.ts';
import {
  admit,
  cancelDischarge,
  chargeDay,
  chargedStay,
  discharge,
  executed,
  expectOneLiveClaim,
  liveClaims,
} from './support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

const refundAll = (settlementId: string) =>
  app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
    token: scene.terminal,
    body: { all: true, reason: '退' },
  });

describe('a stay', () => {
  it('is admitted by 2401 at its opening, without a deposit', async () => {
    const { person } = await newPatient(app);
    const visit = await admit(scene, person);
    expect(visit).toMatchObject({ kind: 'inpatient', status: 'open', hold: { amount: '3000.00' } });
    const [sent, ...others] = await executed(scene, '2401', visit.visitNumber);
    expect(others).toEqual([]);
    expect(sent.mdtrtinfo).toMatchObject({
      ipt_no: visit.visitNumber,
      med_type: '2101',
      adm_dept_name: '心内科一病区',
      insuplc_admdvs: '350200',
      mdtrtarea_admvs: '350200',
    });
    expect((await readVisit(scene, visit.id)).admission).toMatchObject({
      insurer: 'admitted',
      dischargedAt: null,
    });
  });

  it('is settled in parts while it goes on, and closed by 2304 and then 2402', async () => {
    const { visit } = await chargedStay(scene);
    const interim = await settle(scene, visit.id, { interim: true });
    expect(interim.body, interim.text).toMatchObject({
      status: 'settled',
      interim: true,
      total: '300.00',
      insurance: { status: 'claimed' },
    });
    await chargeDay(scene, visit.id, 2);
    expect((await readVisit(scene, visit.id)).status).toBe('open');
    const left = await discharge(scene, visit.id, {
      diagnoses: [{ code: 'I20.000', name: '不稳定型心绞痛' }],
    });
    expect(left.status, left.text).toBe(200);
    expect(left.body.admission.dischargedAt).toEqual(expect.any(String));
    const last = await settle(scene, visit.id);
    expect(last.body, last.text).toMatchObject({ status: 'settled', total: '300.00' });
    expect(last.body.interim).toBeUndefined();

    const live = await liveClaims(scene, visit.visitNumber);
    expect(live.map((claim) => claim.setlId)).toEqual([
      interim.body.insurance.claimId,
      last.body.insurance.claimId,
    ]);
    expect(new Set(live.map((claim) => claim.mdtrtId)).size).toBe(1);
    const settled = await executed(scene, '2304', live[0].mdtrtId);
    expect(settled.map(({ data }) => [data.mid_setl_flag, data.dscgTime !== ''])).toEqual([
      ['1', false],
      ['0', true],
    ]);
    const [out] = await waitFor(async () => {
      const sent = await executed(scene, '2402', live[0].mdtrtId);
      return sent.length > 0 ? sent : null;
    });
    expect(out.diseinfo[0]).toMatchObject({ diag_code: 'I20.000', maindiag_flag: '1' });
    await expectLaws(app);
  });

  it('is discharged by the settlement that leaves nothing, where nobody said so before', async () => {
    const { visit } = await chargedStay(scene);
    expect((await settle(scene, visit.id)).status).toBe(200);
    const after = await readVisit(scene, visit.id);
    expect(after).toMatchObject({ status: 'settled' });
    expect(after.admission.dischargedAt).toEqual(expect.any(String));
    const claim = await expectOneLiveClaim(scene, visit, '300.00');
    await waitFor(async () => (await executed(scene, '2402', claim.mdtrtId)).length === 1);
  });

  it('closes a part of its batches as an interim settlement', async () => {
    const { visit } = await chargedStay(scene);
    const second = await chargeDay(scene, visit.id, 2);
    const part = await settle(scene, visit.id, { batches: [second] });
    expect(part.body).toMatchObject({ interim: true, total: '300.00' });
    expect((await readVisit(scene, visit.id)).admission.dischargedAt).toBeNull();
    const rest = await settle(scene, visit.id);
    expect(rest.body.interim).toBeUndefined();
    expect(await liveClaims(scene, visit.visitNumber)).toHaveLength(2);
  });

  it('takes what is charged after its last settlement as a record of its own', async () => {
    const { visit } = await chargedStay(scene);
    expect((await settle(scene, visit.id)).status).toBe(200);
    await chargeDay(scene, visit.id, 2);
    const late = await waitFor(async () => {
      const reply = await settle(scene, visit.id);
      return reply.status === 200 ? reply : null;
    });
    expect(late.body).toMatchObject({ insurance: { status: 'claimed' }, total: '300.00' });
    const live = await liveClaims(scene, visit.visitNumber);
    expect(new Set(live.map((claim) => claim.mdtrtId)).size).toBe(2);
    await expectLaws(app);
  });

  it('is refunded by 2305 and claimed anew without the refunded line', async () => {
    const { visit } = await chargedStay(scene);
    const paid = await settle(scene, visit.id);
    const refund = await app.call('POST', `/v1/settlements/${paid.body.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退药' },
    });
    expect(refund.status, refund.text).toBe(201);
    expect(sumOf(refund.body.tenders)).toBe(fen('100.00'));
    const claim = await expectOneLiveClaim(scene, visit, '200.00');
    expect(await executed(scene, '2305', paid.body.insurance.claimId)).toHaveLength(1);
    expect(await executed(scene, '2208', paid.body.insurance.claimId)).toEqual([]);
    await waitFor(async () => (await executed(scene, '2402', claim.mdtrtId)).length === 1);
    await expectLaws(app);
  });
});

describe('a discharge', () => {
  it('is told once, of inpatients only, and not before the admission or in the future', async () => {
    const { visit, person } = await chargedStay(scene);
    const before = new Date(Date.now() - 86_400_000).toISOString();
    const later = new Date(Date.now() + 60_000).toISOString();
    for (const at of [before, later]) {
      const refused = await discharge(scene, visit.id, { at });
      expect(said(refused)).toEqual([400, 'request/invalid']);
      expect(refused.body.errors[0].pointer).toBe('/at');
    }
    const key = crypto.randomUUID();
    const first = await discharge(scene, visit.id, {}, key);
    expect((await discharge(scene, visit.id, {}, key)).text).toBe(first.text);
    expect(said(await discharge(scene, visit.id))).toEqual([409, 'visit/wrong-state']);
    expect(said(await settle(scene, visit.id, { interim: true }))).toEqual([
      409,
      'visit/wrong-state',
    ]);
    const other = await admit(scene, person, { kind: 'outpatient' });
    expect(said(await discharge(scene, other.id))).toEqual([409, 'visit/wrong-state']);
  });

  it('is cancelled while its settlement is not made, and the stay goes on', async () => {
    const { visit } = await chargedStay(scene);
    expect(said(await cancelDischarge(scene, visit.id))).toEqual([409, 'visit/wrong-state']);
    await discharge(scene, visit.id);
    const back = await cancelDischarge(scene, visit.id);
    expect(back.status, back.text).toBe(200);
    expect(back.body.admission.dischargedAt).toBeNull();
    expect((await settle(scene, visit.id, { interim: true })).status).toBe(200);
    await expectOneLiveClaim(scene, visit, '300.00');
  });

  it('is cancelled by 2405 after its settlement is refunded, and charged further', async () => {
    const { visit } = await chargedStay(scene);
    expect((await settle(scene, visit.id, { interim: true })).status).toBe(200);
    await chargeDay(scene, visit.id, 2);
    const last = await settle(scene, visit.id);
    const [{ mdtrtId }] = await liveClaims(scene, visit.visitNumber);
    await waitFor(async () => (await executed(scene, '2402', mdtrtId)).length === 1);
    expect(said(await cancelDischarge(scene, visit.id))).toEqual([409, 'visit/already-settled']);
    const refund = await refundAll(last.body.id);
    expect(refund.status, refund.text).toBe(201);
    await waitFor(async () => (await cancelDischarge(scene, visit.id)).status === 200);
    await chargeDay(scene, visit.id, 3);
    const again = await waitFor(async () => {
      const reply = await settle(scene, visit.id);
      return reply.status === 200 ? reply : null;
    });
    expect(again.body.insurance.status, again.text).toBe('claimed');
    expect(await executed(scene, '2405', mdtrtId)).toHaveLength(1);
    const live = await liveClaims(scene, visit.visitNumber);
    expect(live.map((claim) => [claim.mdtrtId, claim.medfeeSumamt])).toEqual([
      [mdtrtId, '300.00'],
      [mdtrtId, '300.00'],
    ]);
    await waitFor(async () => (await executed(scene, '2402', mdtrtId)).length === 2);
    await expectLaws(app);
  });
});

describe('an admission', () => {
  it('is undone by 2404 when the visit is cancelled', async () => {
    const { person } = await newPatient(app);
    const visit = await admit(scene, person);
    const [row] = await rows<{ mdtrt_id: string }>(
      app.db,
      sql`select mdtrt_id from visit where id = ${visit.id}`,
    );
    const gone = await app.call('DELETE', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(gone.status).toBe(200);
    const mdtrtId = row?.mdtrt_id ?? 'none';
    await waitFor(async () => (await executed(scene, '2404', mdtrtId)).length === 1);
    expect(await executed(scene, '2202', mdtrtId)).toEqual([]);
  });

  it('is undone by 2404 when the stay was settled without the insurer', async () => {
    const { visit } = await chargedStay(scene);
    const paid = await settle(scene, visit.id, { insurance: 'skip' });
    expect(paid.body.insurance.status).toBe('skipped');
    await waitFor(async () => !(await readVisit(scene, visit.id)).admission.insurer.match('adm'));
    // Claimed after all: on an admission of its own, with the times of then.
    const asked = await app.call('POST', `/v1/settlements/${paid.body.id}/conversion`, {
      token: scene.terminal,
      body: { cause: 'forgottenCredential' },
    });
    expect(asked.status, asked.text).toBe(202);
    const claim = await waitFor(async () => (await liveClaims(scene, visit.visitNumber))[0]);
    const admissions = await executed(scene, '2401', visit.visitNumber);
    expect(admissions.map(({ mdtrtinfo }) => mdtrtinfo.begntime)).toEqual([
      admissions[0].mdtrtinfo.begntime,
      admissions[0].mdtrtinfo.begntime,
    ]);
    await waitFor(async () => (await executed(scene, '2402', claim.mdtrtId)).length === 1);
    await expectLaws(app);
  });
});
