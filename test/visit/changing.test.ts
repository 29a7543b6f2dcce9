// PATCH of a visit: clinical fields until it is settled, and a name for an unnamed emergency, once.
import { beforeAll, describe, expect, it } from 'vitest';
import {
  charge,
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
import { uniquePerson } from '../support/people.ts';
import { everything, idCard, insurerOf, readVisit, said } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const patch = (visitId: string, body: object) =>
  app.call('PATCH', `/v1/visits/${visitId}`, { token: scene.terminal, body });

const doctor = { code: 'D0077', name: '江清和' };
const department = { code: 'A03', name: '消化内科' };
const diagnoses = [
  { code: 'K29.500', name: '慢性胃炎', type: '1', at: '2026-01-05T09:10:11+08:00' },
  { code: 'I10.x00', name: '高血压' },
];

/** The input of the last message of each trade about one visit. */
async function toldInsurer(visitNumber: string) {
  const messages = await insurerOf(app).messages();
  const of = (infno: string) => messages.filter((m) => m.infno === infno);
  const node = <T>(value: unknown) => value as T;
  type Data = { data: Record<string, string> };
  const registered = of('2201').findLast(
    (m) => node<Data>(m.input).data.ipt_otp_no === visitNumber,
  );
  const psnNo = registered && node<Data>(registered.input).data.psn_no;
  type Info = { mdtrtinfo: Record<string, string>; diseinfo: Record<string, string>[] };
  type Fees = { feedetail: Record<string, string>[] };
  const described = of('2203').findLast((m) => node<Info>(m.input).mdtrtinfo.psn_no === psnNo);
  const fees = of('2204').findLast((m) => node<Fees>(m.input).feedetail[0]?.psn_no === psnNo);
  return {
    registration: node<Data>(registered?.input).data,
    ...node<Info>(described?.input),
    ...node<Fees>(fees?.input),
  };
}

describe('clinical fields', () => {
  it('arrive at the insurer as the terminal gave them', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person, {
      startedAt: '2026-01-05T01:02:03Z',
      medType: '14',
      diseaseCode: 'M03900',
      department,
      doctor,
      diagnoses,
      operator: { id: 'OP9', name: '叶宁' },
    });
    const nurse = { code: 'D0099', name: '苏安' };
    const items = [
      { ...item(1, '12.30'), hospitalItemCode: 'HIS-1', prescriptionNumber: 'RX-5', doctor: nurse },
      { ...item(2, '5.00', '2', '10.00'), outsideInsurance: true },
    ];
    await charge(scene, visit.id, items);
    expect((await settle(scene, visit.id)).body.insurance.status).toBe('claimed');
    const told = await toldInsurer(visit.visitNumber);
    expect(told.registration).toMatchObject({
      begntime: '2026-01-05 09:02:03',
      atddr_no: 'D0077',
      dr_name: '江清和',
      dept_code: 'A03',
      dept_name: '消化内科',
    });
    expect(told.mdtrtinfo).toMatchObject({
      med_type: '14',
      begntime: '2026-01-05 09:02:03',
      dise_codg: 'M03900',
    });
    expect(told.diseinfo).toMatchObject([
      {
        diag_type: '1',
        diag_srt_no: '1',
        diag_code: 'K29.500',
        diag_name: '慢性胃炎',
        diag_dept: '消化内科',
        dise_dor_no: 'D0077',
        diag_time: '2026-01-05 09:10:11',
      },
      { diag_srt_no: '2', diag_code: 'I10.x00', diag_time: '2026-01-05 09:02:03' },
    ]);
    expect(told.feedetail).toMatchObject([
      {
        feedetl_sn: '1',
        medins_list_codg: 'HIS-1',
        rxno: 'RX-5',
        bilg_dr_codg: 'D0099',
        bilg_dept_codg: 'A03',
      },
      { cnt: '2', pric: '5', det_item_fee_sumamt: '10.00', hosp_appr_flag: '2' },
    ]);
  });

  it('changed later replace only what was sent, and the claim has the latest', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person, { department, doctor });
    const changed = await patch(visit.id, { diagnoses: [diagnoses[0]] });
    expect(changed.status, changed.text).toBe(200);
    expect(changed.body).toEqual(visit);
    await patch(visit.id, { doctor: { code: 'D0100', name: '林云舟' }, medType: '13' });
    await charge(scene, visit.id, [item(1, '12.30')]);
    await settle(scene, visit.id);
    const told = await toldInsurer(visit.visitNumber);
    expect(told.registration).toMatchObject({ atddr_no: 'D0100', dept_code: 'A03' });
    expect(told.mdtrtinfo.med_type).toBe('13');
    expect(told.diseinfo).toMatchObject([{ diag_code: 'K29.500', dise_dor_no: 'D0100' }]);
  });

  it('left out take the defaults of the sandbox, by kind', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person, { kind: 'emergency' });
    await charge(scene, visit.id, [item(1, '12.30')]);
    expect((await settle(scene, visit.id)).body.insurance.status).toBe('claimed');
    const told = await toldInsurer(visit.visitNumber);
    expect(told.mdtrtinfo.med_type).toBe('13');
    expect(told.diseinfo).toHaveLength(1);
  });

  it('change no more once the visit is settled or cancelled', async () => {
    const { person } = await newPatient(app);
    const settled = await openVisit(scene, person);
    await charge(scene, settled.id, [item(1, '1.00')]);
    await settle(scene, settled.id, { insurance: 'skip' });
    expect(said(await patch(settled.id, { doctor }))).toEqual([409, 'visit/wrong-state']);
    await charge(scene, settled.id, [item(2, '1.00')]);
    expect((await patch(settled.id, { doctor })).status).toBe(200);
    const { id } = await openVisit(scene, person);
    await app.call('DELETE', `/v1/visits/${id}`, { token: scene.terminal });
    expect(said(await patch(id, { doctor }))).toEqual([409, 'visit/wrong-state']);
  });

  it('that are malformed are refused with nothing changed', async () => {
    const { person } = await newPatient(app);
    const { id } = await openVisit(scene, person, { doctor });
    const before = await everything(app);
    for (const body of [
      { doctor: 'D1' },
      { doctor: { code: 'D1' } },
      { doctor: { ...doctor, gift: 1 } },
      { diagnoses: [{ code: 'K29' }] },
      { diagnoses: Array.from({ length: 31 }, () => diagnoses[1]) },
      { medType: '1234567' },
      { kind: 'inpatient' },
      { visitNumber: 'X' },
      [],
      null,
    ]) {
      expect(said(await patch(id, body as object))).toEqual([400, 'request/invalid']);
    }
    expect(await everything(app)).toEqual(before);
  });
});

describe('an unnamed emergency', () => {
  const unnamed = async () => {
    const body = { visitNumber: `E${crypto.randomUUID()}`, kind: 'emergency' };
    const opened = await app.call('POST', '/v1/visits', { token: scene.terminal, body });
    expect(opened.status, opened.text).toBe(201);
    return opened.body;
  };

  it('bound to its patient is claimed for and paid on credit', async () => {
    const { person, token } = await newPatient(app);
    const visit = await unnamed();
    await charge(scene, visit.id, [item(1, '200.00')]);
    const bound = await patch(visit.id, { credential: idCard(person) });
    expect(bound.status, bound.text).toBe(200);
    expect(bound.body).toMatchObject({
      id: visit.id,
      patient: { idNumber: expect.stringContaining(person.idNumber.slice(-4)) },
      insured: { status: 'active' },
      payer: 'self',
      holdDecline: null,
    });
    const settled = await settle(scene, visit.id);
    expect(settled.body).toMatchObject({ insurance: { status: 'claimed' }, dueAtCounter: '0.00' });
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    expect((await lineOf(app, token)).outstanding).not.toBe('0.00');
    await expectLaws(app);
  });

  it('can hold credit only after it is bound', async () => {
    const { person } = await newPatient(app);
    const visit = await unnamed();
    const hold = () =>
      app.call('PUT', `/v1/visits/${visit.id}/hold`, {
        token: scene.terminal,
        body: { amount: '50.00' },
      });
    expect(said(await hold())).toEqual([402, 'credit/not-enrolled']);
    await patch(visit.id, { credential: idCard(person) });
    expect((await hold()).body).toMatchObject({ status: 'placed', amount: '50.00' });
  });

  it('is bound once, and a named visit never', async () => {
    const [one, two] = [await newPatient(app), await newPatient(app)];
    const visit = await unnamed();
    await patch(visit.id, { credential: idCard(one.person) });
    const before = await everything(app);
    expect(said(await patch(visit.id, { credential: idCard(two.person), doctor }))).toEqual([
      409,
      'visit/patient-bound',
    ]);
    expect(await everything(app)).toEqual(before);
    const named = await openVisit(scene, one.person);
    expect(said(await patch(named.id, { credential: idCard(two.person) }))).toEqual([
      409,
      'visit/patient-bound',
    ]);
  });

  it('raced by ten credentials is bound to one, and the one-time codes of the others stay', async () => {
    const visit = await unnamed();
    const patients = await Promise.all(Array.from({ length: 10 }, () => newPatient(app)));
    const codes = await Promise.all(
      patients.map(async ({ token }) => {
        const made = await app.call('POST', '/v1/me/payment-codes', { token });
        return { kind: 'paymentCode', code: made.body.code as string };
      }),
    );
    const replies = await Promise.all(codes.map((credential) => patch(visit.id, { credential })));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    expect(replies.filter((reply) => reply.body.code === 'visit/patient-bound')).toHaveLength(9);
    const loser = codes[replies.findIndex((reply) => reply.status === 409)];
    const next = await unnamed();
    expect((await patch(next.id, { credential: loser })).status).toBe(200);
  });

  it('stays unnamed when the credential names nobody', async () => {
    const visit = await unnamed();
    const credential = { kind: 'idCard', number: uniquePerson().idNumber };
    expect(said(await patch(visit.id, { credential, doctor }))).toEqual([422, 'identity/unknown']);
    expect(await readVisit(scene, visit.id)).toEqual(visit);
  });
});
