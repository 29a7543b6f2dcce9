// The main road: enrol, visit without deposit, settle with insurance and credit, repay.
import { beforeAll, describe, expect, it } from 'vitest';
import { useApp } from '../support/app.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  fen,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from './support.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

describe('the main road', () => {
  it('settles with insurance and credit, and the insurer has exactly that claim', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    expect(visit.hold.status).toBe('placed');
    const reply = await settle(scene, visit.id);
    expect(reply.status, reply.text).toBe(200);
    const { tenders, total, dueAtCounter, insurance } = reply.body;
    expect(total).toBe('300.00');
    expect(insurance.status).toBe('claimed');
    expect(sumOf(tenders)).toBe(fen(total) - fen(dueAtCounter));
    const claims = await app.claims({
      hospitalCode: scene.hospitalCode,
      visitNumber: visit.visitNumber,
    });
    expect(claims).toHaveLength(1);
    expect(claims[0]).toMatchObject({
      setlId: insurance.claimId,
      status: 'settled',
      medfeeSumamt: '300.00',
    });
    const credit = tenders.find((t: { kind: string }) => t.kind === 'credit');
    expect(credit.amount).toBe(claims[0].psnCashPay);
    const line = await lineOf(app, token);
    expect(line).toMatchObject({ held: '0.00', outstanding: credit.amount });
    const after = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(after.body).toMatchObject({ status: 'settled', settlementIds: [reply.body.id] });
    await expectLaws(app);
  });

  it('takes counter tenders before credit and gives back what was not needed', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const reply = await settle(scene, visit.id, {
      counterTenders: [
        { kind: 'cash', amount: '10.00', reference: visit.visitNumber },
        { kind: 'wechatPay', amount: '1000.00', reference: visit.visitNumber },
        { kind: 'alipay', amount: '5.00', reference: visit.visitNumber },
      ],
    });
    expect(reply.status, reply.text).toBe(200);
    const kinds = reply.body.tenders.map((t: { kind: string }) => t.kind);
    expect(kinds).toEqual(expect.arrayContaining(['cash', 'wechatPay']));
    expect(kinds).not.toContain('credit');
    expect(kinds).not.toContain('alipay');
    expect(sumOf(reply.body.tenders)).toBe(30_000n);
    expect(reply.body.unused.at(-1)).toMatchObject({ kind: 'alipay', amount: '5.00' });
    await expectLaws(app);
  });

  it('spends personal account money only when the patient wishes it', async () => {
    const { person } = await newPatient(app, { accountBalance: '30.00' });
    const visit = await chargedVisit(scene, person, { usePersonalAccount: true });
    const reply = await settle(scene, visit.id);
    expect(reply.body.tenders).toContainEqual({ kind: 'personalAccount', amount: '30.00' });
    const again = await chargedVisit(
      scene,
      (await newPatient(app, { accountBalance: '30.00' })).person,
    );
    const without = await settle(scene, again.id);
    expect(without.body.tenders.map((t: { kind: string }) => t.kind)).not.toContain(
      'personalAccount',
    );
  });

  it('settles a visit in several settlements and opens it again when more is charged', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    const first = await charge(scene, visit.id, [item(1, '20.00')]);
    await charge(scene, visit.id, [item(2, '30.00')]);
    const one = await settle(scene, visit.id, { batches: [first] });
    expect(one.body).toMatchObject({ total: '20.00', batches: [first] });
    const open = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(open.body.status).toBe('open');
    const two = await settle(scene, visit.id);
    expect(two.body.total).toBe('30.00');
    expect(two.body.insurance.status).toBe('claimed');
    await charge(scene, visit.id, [item(3, '40.00')]);
    const three = await settle(scene, visit.id);
    expect(three.body).toMatchObject({ total: '40.00', insurance: { status: 'claimed' } });
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(3);
    await expectLaws(app);
  });

  it('previews the split without moving anything, and the settlement is the same', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const before = await lineOf(app, token);
    const preview = await app.call('POST', `/v1/visits/${visit.id}/settlement/preview`, {
      token: scene.terminal,
      key: null,
      body: {},
    });
    expect(preview.status, preview.text).toBe(200);
    expect(await lineOf(app, token)).toEqual(before);
    expect(await app.claims({ visitNumber: visit.visitNumber })).toEqual([]);
    const reply = await settle(scene, visit.id);
    expect(reply.body.tenders).toEqual(preview.body.tenders);
    await expectLaws(app);
  });

  it('leaves what credit cannot carry due at the counter and collects it there', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    const visit = await chargedVisit(scene, person);
    expect(visit).toMatchObject({ hold: null, holdDecline: { code: 'credit/not-enrolled' } });
    const reply = await settle(scene, visit.id);
    expect(reply.body.status).toBe('awaitingPayment');
    const { dueAtCounter, id } = reply.body;
    expect(fen(dueAtCounter)).toBeGreaterThan(0n);
    const pay = (amount: string, reference: string) =>
      app.call('POST', `/v1/settlements/${id}/payments`, {
        token: scene.terminal,
        body: { kind: 'cash', amount, reference },
      });
    const tooMuch = await pay('300.00', `${visit.visitNumber}-x`);
    expect(tooMuch.body.code).toBe('payment/exceeds-due');
    const part = await pay('1.00', `${visit.visitNumber}-1`);
    expect(part.body.status).toBe('awaitingPayment');
    const rest = await pay(part.body.dueAtCounter, `${visit.visitNumber}-2`);
    expect(rest.body).toMatchObject({ status: 'settled', dueAtCounter: '0.00' });
    expect(sumOf(rest.body.tenders)).toBe(30_000n);
    const none = await pay('1.00', `${visit.visitNumber}-3`);
    expect(none.body.code).toBe('settlement/nothing-due');
    await expectLaws(app);
  });

  it('settles a person who is not insured as self-pay', async () => {
    const { person } = await newPatient(app, { insurance: 'none' });
    const visit = await chargedVisit(scene, person);
    const reply = await settle(scene, visit.id);
    expect(reply.body.insurance.status).toBe('notInsured');
    expect(reply.body.tenders).toEqual([{ kind: 'credit', amount: '300.00' }]);
    expect(reply.body.conversionId).toBeUndefined();
  });

  it('skips insurance when asked to', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const reply = await settle(scene, visit.id, {
      insurance: 'skip',
      receiptNumber: `R${visit.visitNumber}`,
    });
    expect(reply.body).toMatchObject({
      insurance: { status: 'skipped' },
      receiptNumber: `R${visit.visitNumber}`,
    });
    expect(await app.claims({ visitNumber: visit.visitNumber })).toEqual([]);
  });

  it('treats an unnamed emergency and leaves the bill due', async () => {
    const opened = await app.call('POST', '/v1/visits', {
      token: scene.terminal,
      body: { visitNumber: `E${Date.now()}`, kind: 'emergency' },
    });
    expect(opened.status, opened.text).toBe(201);
    expect(opened.body.patient).toBeNull();
    await charge(scene, opened.body.id, [item(1, '88.80')]);
    const reply = await settle(scene, opened.body.id);
    expect(reply.body).toMatchObject({ status: 'awaitingPayment', dueAtCounter: '88.80' });
    await expectLaws(app);
  });

  it('plays one scan from identification to settlement in one request', async () => {
    const { person } = await newPatient(app);
    const visitNumber = `S${Date.now()}`;
    const reply = await app.call('POST', '/v1/one-scan-payments', {
      token: scene.terminal,
      body: {
        visitNumber,
        kind: 'outpatient',
        credential: { kind: 'idCard', number: person.idNumber, name: person.name },
        charges: [item(1, '12.34'), item(2, '0.333333', '3', '1.00')],
      },
    });
    expect(reply.status, reply.text).toBe(201);
    expect(reply.body.visit.status).toBe('settled');
    expect(reply.body.settlement).toMatchObject({
      total: '13.34',
      insurance: { status: 'claimed' },
    });
    expect(await app.claims({ visitNumber })).toHaveLength(1);
    await expectLaws(app);
  });
});
