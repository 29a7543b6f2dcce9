// An emergency is never refused: not for credit, the insurer, enrolment, identity or a missing filing.
// Whatever is available is used, the rest is due by the patient, never credit without consent.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { liveClaims } from '../inpatient/support.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  fen,
  item,
  lineOf,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { idCard } from './support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

const kind = 'emergency';
const creditOf = (body: ReplyBody): bigint =>
  sumOf(body.tenders.filter((t: ReplyBody) => t.kind === 'credit'));

async function unnamed(): Promise<ReplyBody> {
  const reply = await app.call('POST', '/v1/visits', {
    token: scene.terminal,
    body: { visitNumber: nextNumber('E'), kind },
  });
  expect(reply.status, reply.text).toBe(201);
  await charge(scene, reply.body.id, [item(1, '100.00'), item(2, '50.00', '4', '200.00')]);
  return reply.body;
}

describe('an emergency', () => {
  it('uses what is available on a suspended line', async () => {
    const { person, token } = await newPatient(app);
    await app.db.execute(sql`
      update credit_line set status = 'suspended', suspended_for = 'overdue'
      where citizen_id = (select citizen_id from credit_line order by opened_at desc limit 1)`);
    expect((await lineOf(app, token)).status).toBe('suspended');
    const visit = await chargedVisit(scene, person, { kind });
    expect(visit.hold).toMatchObject({ amount: '500.00' });
    const paid = await settle(scene, visit.id, { insurance: 'skip' });
    expect(paid.body, paid.text).toMatchObject({ status: 'settled', dueAtCounter: '0.00' });
    expect(creditOf(paid.body)).toBe(30_000n);
    await expectLaws(app);
  });

  it('uses no more than the line gives, and the rest is due', async () => {
    const { person } = await newPatient(app, { score: 450 });
    const visit = await chargedVisit(scene, person, { kind, holdAmount: '9000.00' });
    expect(visit.hold).toMatchObject({ amount: '500.00' });
    await charge(scene, visit.id, [item(3, '400.00')]);
    const paid = await settle(scene, visit.id, { insurance: 'skip' });
    expect(paid.body).toMatchObject({ status: 'awaitingPayment', dueAtCounter: '200.00' });
    expect(creditOf(paid.body)).toBe(50_000n);
  });

  it('is opened, settled and converted over an insurer that is away', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const visit = await chargedVisit(scene, person, { kind });
    expect(visit.insured.status).toBe('unknown');
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('awaitingInsurance');
    await app.fault({ mode: 'none' });
    await waitFor(async () => (await liveClaims(scene, visit.visitNumber)).length === 1);
    await expectLaws(app);
  });

  it('takes no credit of somebody who never agreed to any: it is due', async () => {
    const { person } = await newPatient(app, { isEnrolled: false, insurance: 'none' });
    const visit = await chargedVisit(scene, person, { kind });
    expect(visit).toMatchObject({ hold: null, holdDecline: { code: 'credit/not-enrolled' } });
    const paid = await settle(scene, visit.id);
    expect(paid.body, paid.text).toMatchObject({
      status: 'awaitingPayment',
      dueAtCounter: '300.00',
      tenders: [],
      insurance: { status: 'notInsured' },
    });
  });

  it('is settled of an unnamed patient, and claimed once they are named', async () => {
    const visit = await unnamed();
    expect(visit).toMatchObject({ patient: null, payer: null, insured: { status: 'unknown' } });
    const { person, token } = await newPatient(app);
    const path = `/v1/visits/${visit.id}`;
    const credential = idCard(person);
    const bound = await app.call('PATCH', path, { token: scene.terminal, body: { credential } });
    expect(bound.body, bound.text).toMatchObject({ payer: 'self', insured: { status: 'active' } });
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
    const [claim] = await liveClaims(scene, visit.visitNumber);
    expect(creditOf(paid.body)).toBe(fen(claim.psnCashPay));
    expect(fen((await lineOf(app, token)).outstanding)).toBe(fen(claim.psnCashPay));
    await expectLaws(app);
  });

  it('is opened of whoever no credential can name, paid, and bound later', async () => {
    const { person, token } = await newPatient(app);
    const { body: live } = await app.call('POST', '/v1/me/payment-codes', { token });
    const spent = { kind: 'paymentCode', code: live.code };
    await openVisit(scene, person, { credential: spent });
    const unseen = { kind: 'insuranceCode', token: 'never-seen-anywhere-00001' };
    await app.fault({ mode: 'refuseConnection' });
    const opened = [
      await openVisit(scene, person, { kind, credential: unseen, proxy: unseen }),
      await openVisit(scene, person, { kind, credential: spent, holdAmount: '0.00' }),
    ];
    for (const visit of opened) {
      expect(visit).toMatchObject({
        patient: null,
        payer: null,
        insured: { status: 'unknown' },
        hold: null,
        holdDecline: { code: 'credit/not-enrolled' },
      });
    }
    const helped = await openVisit(scene, person, {
      kind,
      credential: idCard(person),
      proxy: unseen,
    });
    expect(helped).toMatchObject({ payer: 'self', hold: { amount: '500.00' } });
    expect(helped.proxy ?? null).toBeNull();
    await app.fault({ mode: 'none' });
    const [first] = opened;
    const credential = idCard(person);
    const bound = await app.call('PATCH', `/v1/visits/${first?.id}`, {
      token: scene.terminal,
      body: { credential },
    });
    expect(bound.body, bound.text).toMatchObject({ payer: 'self', insured: { status: 'active' } });
  });

  it('is paid in one scan although the credential names nobody', async () => {
    const paid = await app.call('POST', '/v1/one-scan-payments', {
      token: scene.terminal,
      body: {
        visitNumber: nextNumber('E'),
        kind,
        credential: { kind: 'paymentCode', code: '000000000000000000' },
        charges: [item(1, '100.00')],
      },
    });
    expect(paid.body.visit, paid.text).toMatchObject({ patient: null, status: 'settled' });
    expect(paid.body.settlement).toMatchObject({
      status: 'awaitingPayment',
      dueAtCounter: '100.00',
      insurance: { status: 'notInsured' },
    });
  });

  it('alone is opened so: another kind of visit needs to know whose it is', async () => {
    const reply = await app.call('POST', '/v1/visits', {
      token: scene.terminal,
      body: {
        visitNumber: nextNumber('E'),
        kind: 'outpatient',
        credential: { kind: 'insuranceCode', token: 'never-seen-anywhere-00002' },
      },
    });
    expect(reply.status, reply.text).toBe(422);
  });

  it('is due of a patient who left unnamed, and converted when somebody names them', async () => {
    const visit = await unnamed();
    const paid = await settle(scene, visit.id);
    expect(paid.body, paid.text).toMatchObject({
      dueAtCounter: '300.00',
      insurance: { status: 'notInsured' },
    });
    const { person } = await newPatient(app);
    const asked = await app.call('POST', `/v1/settlements/${paid.body.id}/conversion`, {
      token: scene.terminal,
      body: { cause: 'forgottenCredential', credential: idCard(person) },
    });
    expect(asked.status, asked.text).toBe(202);
    const [claim] = await waitFor(async () => {
      const live = await liveClaims(scene, visit.visitNumber);
      return live.length > 0 ? live : null;
    });
    const after = await waitFor(async () => {
      const target = `/v1/settlements/${paid.body.id}`;
      const { body } = await app.call('GET', target, { token: scene.terminal });
      return body.insurance.status === 'converted' ? body : null;
    });
    expect(after.dueAtCounter).toBe(claim.psnCashPay);
    await expectLaws(app);
  });
});
