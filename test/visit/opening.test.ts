// Opening a visit: every credential, one visit a number, and the reply kept under its key.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import {
  chargedVisit,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type TestReply, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { everything, idCard, readVisit, said } from './support.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

function open(
  credential: object | undefined,
  more: Record<string, unknown> = {},
  key: string = crypto.randomUUID(),
): Promise<TestReply> {
  const body = { visitNumber: nextNumber('V'), kind: 'outpatient', credential, ...more };
  return app.call('POST', '/v1/visits', { token: scene.terminal, body, key });
}

const identify = async (credential: object): Promise<string> => {
  const { terminal: token } = scene;
  const made = await app.call('POST', '/v1/identifications', { token, body: { credential } });
  expect(made.status, made.text).toBe(200);
  return made.body.id;
};
const paymentCode = async (token: string): Promise<string> =>
  (await app.call('POST', '/v1/me/payment-codes', { token })).body.code;
const countVisits = async (visitNumber: string) =>
  rows(app.db, sql`select id from visit where visit_number = ${visitNumber}`);

describe('a visit is opened', () => {
  it.each([
    ['ID card', idCard],
    ['ID card without a name', ({ idNumber }) => ({ kind: 'idCard', number: idNumber })],
    ['social security card', ({ idNumber }) => ({ kind: 'socialSecurityCard', number: idNumber })],
    ['insurance code', ({ idNumber }) => ({ kind: 'insuranceCode', token: `EC-${idNumber}` })],
  ] as [string, typeof idCard][])('by %s for whom the insurer names', async (_, credential) => {
    const { person } = await newPatient(app);
    const opened = await open(credential(person));
    expect(opened.status, opened.text).toBe(201);
    expect(opened.body).toMatchObject({
      status: 'open',
      kind: 'outpatient',
      patient: {
        idNumber: `${person.idNumber.slice(0, 4)}**********${person.idNumber.slice(-4)}`,
      },
      insured: { status: 'active', insuranceType: 'employee', region: '350200' },
      payer: 'self',
      hold: { status: 'placed', amount: '300.00' },
      holdDecline: null,
      chargedTotal: '0.00',
      settlementIds: [],
    });
    expect(opened.text).not.toContain(person.name);
    expect(opened.text).not.toContain(person.idNumber);
    expect(await readVisit(scene, opened.body.id)).toEqual(opened.body);
  });

  it('by a payment code, once', async () => {
    const { person, token } = await newPatient(app);
    const credential = { kind: 'paymentCode', code: await paymentCode(token) };
    const opened = await open(credential);
    expect(opened.status, opened.text).toBe(201);
    expect(opened.body.patient.idNumber.slice(-4)).toBe(person.idNumber.slice(-4));
    expect(said(await open(credential))).toEqual([422, 'identity/already-used']);
  });

  it('by an identification of the same terminal, once', async () => {
    const { person } = await newPatient(app);
    const credential = { kind: 'identification', id: await identify(idCard(person)) };
    const other = await app.token('terminal', {
      hospitalCode: scene.hospitalCode,
      subject: 'counter-2',
    });
    const body = { visitNumber: nextNumber('V'), kind: 'outpatient', credential };
    const elsewhere = await app.call('POST', '/v1/visits', { token: other, body });
    expect(said(elsewhere)).toEqual([422, 'identity/unknown']);
    expect((await open(credential)).status).toBe(201);
    expect(said(await open(credential))).toEqual([422, 'identity/already-used']);
  });

  it('by no credential only for an emergency', async () => {
    const unnamed = await open(undefined, { kind: 'emergency' });
    expect(unnamed.status, unnamed.text).toBe(201);
    expect(unnamed.body).toMatchObject({
      patient: null,
      insured: { status: 'unknown' },
      hold: null,
      holdDecline: { code: 'credit/not-enrolled' },
    });
    const refused = await open(undefined);
    expect(said(refused)).toEqual([400, 'request/invalid']);
    expect(refused.body.errors[0].pointer).toBe('/credential');
  });

  it('not by what nobody knows, and nothing is left of the try', async () => {
    const before = await everything(app);
    const nobody = uniquePerson();
    for (const credential of [
      { kind: 'idCard', number: nobody.idNumber },
      { kind: 'idCard', number: '350203199001010010', name: '张三' },
      { kind: 'socialSecurityCard', number: nobody.idNumber },
      { kind: 'insuranceCode', token: `EC-${nobody.idNumber}` },
      { kind: 'face', assertion: 'a.b.c' },
      { kind: 'nfc', assertion: 'a.b.c' },
      { kind: 'paymentCode', code: '68000000000000000000' },
      { kind: 'identification', id: 'idn_01jd5z8m2cf0v9k3q7w4x6y8ab' },
    ]) {
      expect([credential, ...said(await open(credential))]).toEqual([
        credential,
        422,
        'identity/unknown',
      ]);
    }
    expect(await everything(app)).toEqual(before);
  });

  it('in an outage by an ID card or a code seen before, else the insurer is needed', async () => {
    const { person } = await newPatient(app);
    const code = { kind: 'insuranceCode', token: `EC-${person.idNumber}` };
    const stranger = { kind: 'insuranceCode', token: `EC-${uniquePerson().idNumber}` };
    expect((await open(code)).status).toBe(201);
    await app.fault({ mode: 'refuseConnection' });
    expect(await open(idCard(person))).toMatchObject({ body: { insured: { status: 'unknown' } } });
    expect((await open(code)).status).toBe(201);
    expect(said(await open(stranger))).toEqual([422, 'identity/insurer-needed']);
  });
});

describe('a visit number', () => {
  it('is taken whatever the key and whoever the patient, and free at another hospital', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    const { visitNumber } = visit;
    const other = await newPatient(app);
    const before = await everything(app);
    expect(said(await open(idCard(person), { visitNumber }))).toEqual([409, 'visit/number-taken']);
    const taken = await open(idCard(other.person), { visitNumber, kind: 'emergency' });
    expect(said(taken)).toEqual([409, 'visit/number-taken']);
    expect(await everything(app)).toEqual(before);
    const elsewhere = await sceneOf(app, 'H35020000002');
    expect((await openVisit(elsewhere, person, { visitNumber })).visitNumber).toBe(visitNumber);
  });

  it('is taken by a settled visit too, and free again only by cancelling', async () => {
    const { person } = await newPatient(app);
    const settled = await chargedVisit(scene, person);
    await settle(scene, settled.id, { insurance: 'skip' });
    const used = { visitNumber: settled.visitNumber };
    expect(said(await open(idCard(person), used))).toEqual([409, 'visit/number-taken']);
    const visit = await openVisit(scene, person);
    const { visitNumber } = visit;
    const { terminal: token } = scene;
    const cancelled = await app.call('DELETE', `/v1/visits/${visit.id}`, { token });
    expect(cancelled.body.status, cancelled.text).toBe('cancelled');
    const again = await openVisit(scene, person, { visitNumber });
    expect(again.id).not.toBe(visit.id);
    expect(said(await open(idCard(person), { visitNumber }))).toEqual([409, 'visit/number-taken']);
  });

  it('is given to one of twenty racing openings, and only that one holds credit', async () => {
    const { person, token } = await newPatient(app);
    const visitNumber = nextNumber('RACE');
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => open(idCard(person), { visitNumber, holdAmount: '10.00' })),
    );
    const codes = replies.map((reply) => reply.body.code ?? reply.status);
    expect(codes.filter((code) => code === 201)).toHaveLength(1);
    expect(codes.filter((code) => code === 'visit/number-taken')).toHaveLength(19);
    expect(await countVisits(visitNumber)).toHaveLength(1);
    const line = await app.call('GET', '/v1/me/credit-line', { token });
    expect(line.body.held).toBe('10.00');
  });

  it('keeps a one-time code usable when the opening was refused', async () => {
    const { person, token } = await newPatient(app);
    const { visitNumber } = await openVisit(scene, person);
    const credential = { kind: 'paymentCode', code: await paymentCode(token) };
    const taken = await open(credential, { visitNumber });
    expect(said(taken)).toEqual([409, 'visit/number-taken']);
    expect((await open(credential)).status).toBe(201);
  });
});

describe('the same key', () => {
  it('gives the stored reply again, byte for byte, whatever happened since', async () => {
    const { person, token } = await newPatient(app);
    const credential = { kind: 'paymentCode', code: await paymentCode(token) };
    const body = { visitNumber: nextNumber('V') };
    const key = crypto.randomUUID();
    const first = await open(credential, body, key);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    await app.call('DELETE', `/v1/visits/${first.body.id}`, { token: scene.terminal });
    const again = await open(credential, body, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect((await countVisits(body.visitNumber)).length).toBe(1);
    const other = await open(idCard(person), { visitNumber: nextNumber('V') }, key);
    expect(said(other)).toEqual([422, 'idempotency/key-reused']);
  });

  it('gives a stored refusal again, although it would be granted now', async () => {
    const { person } = await newPatient(app);
    const { id, visitNumber } = await openVisit(scene, person);
    const key = crypto.randomUUID();
    const refused = await open(idCard(person), { visitNumber }, key);
    expect(said(refused)).toEqual([409, 'visit/number-taken']);
    await app.call('DELETE', `/v1/visits/${id}`, { token: scene.terminal });
    const again = await open(idCard(person), { visitNumber }, key);
    expect([again.status, again.text]).toEqual([409, refused.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('stays free after malformed input', async () => {
    const { person } = await newPatient(app);
    const key = crypto.randomUUID();
    expect(said(await open(idCard(person), { kind: 'picnic' }, key))).toEqual([
      400,
      'request/invalid',
    ]);
    expect((await open(idCard(person), {}, key)).status).toBe(201);
  });

  it('raced by ten opens one visit; the others replay it or are told to come again', async () => {
    const { person, token } = await newPatient(app);
    const credential = { kind: 'paymentCode', code: await paymentCode(token) };
    const body = { visitNumber: nextNumber('V') };
    const key = crypto.randomUUID();
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => open(credential, body, key)),
    );
    const opened = replies.filter((reply) => reply.status === 201);
    expect(opened.length).toBeGreaterThan(0);
    expect(new Set(opened.map((reply) => reply.text)).size).toBe(1);
    for (const reply of replies.filter((r) => r.status !== 201)) {
      expect(said(reply)).toEqual([409, 'idempotency/in-flight']);
      expect(reply.headers.get('retry-after')).toBeTruthy();
    }
    expect(await countVisits(body.visitNumber)).toHaveLength(1);
    expect(opened[0]?.body.patient.idNumber.slice(-4)).toBe(person.idNumber.slice(-4));
  });
});
