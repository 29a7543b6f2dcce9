// The hold that an opening places, and every reason why it does not; a decline never refuses a visit.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
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
import { idCard } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.clock(0));

const open = async (idNumber: { idNumber: string; name: string }, extra: object = {}) =>
  openVisit(scene, idNumber, { credential: idCard(idNumber), ...extra });

async function suspended() {
  const patient = await newPatient(app);
  const { id } = await lineOf(app, patient.token);
  await app.db.execute(
    sql`update credit_line set status = 'suspended', suspended_for = 'overdue' where id = ${id}`,
  );
  return patient;
}

async function withdrawn() {
  const patient = await newPatient(app);
  const body = { consents: ['creditEnquiry', 'healthPayment'] };
  await app.call('PUT', '/v1/me/consents', { token: patient.token, body });
  return patient;
}

/** Owes 100.00 since before the clock was moved past its due time. */
async function overdue() {
  const patient = await newPatient(app);
  const visit = await open(patient.person);
  await charge(scene, visit.id, [item(1, '100.00')]);
  await settle(scene, visit.id, { insurance: 'skip' });
  await app.clock(44 * 86_400);
  return patient;
}

describe('a hold', () => {
  it.each([
    ['registration', '50.00'],
    ['examination', '300.00'],
    ['online', '200.00'],
    ['outpatient', '300.00'],
    ['emergency', '500.00'],
    ['inpatient', '3000.00'],
  ])('of a visit of kind %s is %s by the default policy', async (kind, amount) => {
    const { person, token } = await newPatient(app);
    const visit = await open(person, { kind });
    expect(visit).toMatchObject({ kind, hold: { status: 'placed', amount }, holdDecline: null });
    expect((await lineOf(app, token)).held).toBe(amount);
    const hours = (Date.parse(visit.hold.expiresAt) - Date.now()) / 3_600_000;
    expect(Math.round(hours)).toBe(kind === 'inpatient' ? 720 : 24);
  });

  it('by default is at most what is available', async () => {
    const { person, token } = await newPatient(app, { score: 400 });
    await open(person, { holdAmount: '380.00' });
    expect(await open(person)).toMatchObject({ hold: { amount: '120.00' }, holdDecline: null });
    expect(await lineOf(app, token)).toMatchObject({ held: '500.00', available: '0.00' });
    expect(await open(person)).toMatchObject({
      hold: null,
      holdDecline: { code: 'credit/limit-exceeded' },
    });
  });

  it('is of the amount asked for, and of none at all when 0.00 is asked for', async () => {
    const { person, token } = await newPatient(app);
    expect((await open(person, { holdAmount: '0.01' })).hold.amount).toBe('0.01');
    expect((await open(person, { holdAmount: '2999.99' })).hold.amount).toBe('2999.99');
    expect(await lineOf(app, token)).toMatchObject({ held: '3000.00', available: '0.00' });
    expect(await open(person, { holdAmount: '0.00' })).toMatchObject({
      hold: null,
      holdDecline: null,
    });
  });

  it('uses the inpatient extra for inpatient visits only', async () => {
    const { person } = await newPatient(app, { score: 400 });
    expect(await open(person, { holdAmount: '500.01' })).toMatchObject({
      hold: null,
      holdDecline: { code: 'credit/limit-exceeded' },
    });
    const stay = await open(person, { kind: 'inpatient', holdAmount: '5500.00' });
    expect(stay.hold.amount).toBe('5500.00');
    expect((await open(person, { holdAmount: '0.01' })).holdDecline.code).toBe(
      'credit/limit-exceeded',
    );
  });

  it('is partial where that is asked for, and always for an emergency', async () => {
    const { person } = await newPatient(app, { score: 400 });
    const wish = { holdAmount: '700.00' };
    expect((await open(person, wish)).hold).toBeNull();
    const part = await open(person, { ...wish, allowPartialHold: true });
    expect(part).toMatchObject({ hold: { amount: '500.00' }, holdDecline: null });
    const other = await newPatient(app, { score: 400 });
    const urgent = await open(other.person, { ...wish, kind: 'emergency' });
    expect(urgent.hold.amount).toBe('500.00');
  });
});

describe('a declined hold', () => {
  it.each([
    ['credit/not-enrolled', () => newPatient(app, { isEnrolled: false }), {}],
    ['credit/limit-exceeded', () => newPatient(app), { holdAmount: '3000.01' }],
    ['credit/suspended', suspended, {}],
    ['credit/consent-withdrawn', withdrawn, {}],
    ['credit/overdue', overdue, {}],
    ['family/not-linked', () => newPatient(app), { payer: 'lnk_01jd5z8m2cf0v9k3q7w4x6y8ab' }],
    // Before caps and limits: the link decides first.
    [
      'family/not-linked',
      () => newPatient(app),
      { payer: 'lnk_01jd5z8m2cf0v9k3q7w4x6y8ab', holdAmount: '9000.00' },
    ],
  ] as const)('%s opens the visit all the same', async (code, make, extra) => {
    const { person, token } = await make();
    const line = await app.call('GET', '/v1/me/credit-line', { token });
    const visit = await open(person, extra);
    expect(visit).toMatchObject({
      status: 'open',
      hold: null,
      holdDecline: { code, title: expect.stringMatching(/\S/) },
    });
    expect((await app.call('GET', '/v1/me/credit-line', { token })).body).toEqual(line.body);
    await charge(scene, visit.id, [item(1, '10.00')]);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.status, settled.text).toBe(200);
    await expectLaws(app);
  });

  it('of an emergency uses a suspended or overdue line, and never one without consent', async () => {
    for (const make of [suspended, overdue]) {
      const { person } = await make();
      const visit = await open(person, { kind: 'emergency' });
      expect(visit).toMatchObject({ hold: { amount: '500.00' }, holdDecline: null });
    }
    const { person } = await withdrawn();
    expect((await open(person, { kind: 'emergency' })).holdDecline.code).toBe(
      'credit/consent-withdrawn',
    );
  });

  it('for an unlinked payer takes nothing from the patient’s own line at settlement', async () => {
    const { person, token } = await newPatient(app);
    const visit = await open(person, { payer: 'lnk_01jd5z8m2cf0v9k3q7w4x6y8ab' });
    await charge(scene, visit.id, [item(1, '10.00')]);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({ dueAtCounter: '10.00', tenders: [] });
    expect((await lineOf(app, token)).outstanding).toBe('0.00');
  });
});
