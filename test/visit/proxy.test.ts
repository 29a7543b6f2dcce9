// 亲情代办: a second person with a credential of their own stands at the counter; recorded, seen by
// both, and given no right to anything.
import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { oneTimeCredential, visit } from '../../src/db/schema.ts';
import { maskName } from '../../src/identity/id-number.ts';
import { assertionOf, newVendor, sandboxAssertion } from '../identity/vendors.ts';
import {
  charge,
  chargedVisit,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { everything, idCard, readVisit, said } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const logOf = async (token: string): Promise<ReplyBody[]> =>
  (await app.call('GET', '/v1/me/access-log', { token })).body.data;
const tryOpen = (body: Record<string, unknown>) =>
  app.call('POST', '/v1/visits', {
    token: scene.terminal,
    body: { visitNumber: nextNumber('P'), kind: 'outpatient', ...body },
  });
const rowOf = async (visitId: string) =>
  (await app.db.select().from(visit).where(eq(visit.id, visitId)))[0];
const tokenOf = (citizen: TestPerson) => app.token('citizen', { citizen });
const paymentCode = async (person: TestPerson): Promise<ReplyBody> => {
  const { body } = await app.call('POST', '/v1/me/payment-codes', { token: await tokenOf(person) });
  return { kind: 'paymentCode', code: body.code };
};

describe('a proxy', () => {
  it('is recorded, and each finds the other in what they read', async () => {
    const { person, token } = await newPatient(app);
    const helper = uniquePerson();
    const opened = await openVisit(scene, person, {
      proxy: await sandboxAssertion(app, helper),
      diagnoses: [{ code: 'J18.900', name: '肺炎' }],
    });
    expect(opened.proxy).toEqual({ name: maskName(helper.name) });
    expect((await readVisit(scene, opened.id)).proxy).toEqual({ name: maskName(helper.name) });
    const ofPatient = (await logOf(token)).filter((l) => l.action === 'visit.openByProxy');
    expect(ofPatient).toEqual([
      expect.objectContaining({
        who: expect.stringContaining('代办人'),
        hospital: expect.anything(),
      }),
    ]);
    expect(ofPatient[0]?.what).toContain(`${maskName(helper.name)}代您办理就诊`);
    const helperToken = await tokenOf(helper);
    const ofHelper = await logOf(helperToken);
    const about = ofHelper.find((line) => line.action === 'visit.asProxy');
    expect(about?.what).toContain(`您代${maskName(person.name)}办理就诊`);
    expect(JSON.stringify(ofHelper)).not.toMatch(/肺炎|J18/);
    expect(JSON.stringify(ofHelper)).not.toContain(person.idNumber);
    expect(JSON.stringify(ofHelper)).not.toContain(person.name);
  });

  it('stands on the patient’s own bills and settlements, and on none of their own', async () => {
    const { person, token } = await newPatient(app);
    const helper = uniquePerson();
    const visit = await chargedVisit(scene, person, { proxy: idCard(helper) });
    const listed = async (list: string, who: string) =>
      (await app.call('GET', `/v1/me/${list}`, { token: who })).body.data;
    const proxy = { name: maskName(helper.name) };
    expect(await listed('bills', token)).toEqual([expect.objectContaining({ proxy })]);
    expect((await settle(scene, visit.id)).status).toBe(200);
    expect(await listed('settlements', token)).toEqual([expect.objectContaining({ proxy })]);
    expect(await listed('settlements', await tokenOf(helper))).toEqual([]);
    const alone = await chargedVisit(scene, person);
    const [bill] = await listed('bills', token);
    expect([bill.id, bill.proxy]).toEqual([alone.id, undefined]);
  });

  it('has no right to a line: neither theirs is used nor the patient’s shown to them', async () => {
    const patient = await newPatient(app, { isEnrolled: false });
    const helper = await newPatient(app);
    const opened = await openVisit(scene, patient.person, { proxy: idCard(helper.person) });
    expect(opened).toMatchObject({ hold: null, holdDecline: { code: 'credit/not-enrolled' } });
    const line = await app.call('GET', '/v1/me/credit-line', { token: helper.token });
    expect(line.body.held).toBe('0.00');
    for (const list of ['settlements', 'receivables', 'bills']) {
      const seen = await app.call('GET', `/v1/me/${list}`, { token: helper.token });
      expect(seen.body.data).toEqual([]);
    }
  });

  it('leaves the patient’s own line to the patient’s visit', async () => {
    const { person } = await newPatient(app);
    const opened = await openVisit(scene, person, { proxy: idCard(uniquePerson()) });
    expect(opened).toMatchObject({ payer: 'self', hold: { status: 'placed', amount: '300.00' } });
  });

  it('who is the patient is refused, and nothing is used up', async () => {
    const { person } = await newPatient(app);
    const [credential, proxy] = [await paymentCode(person), await sandboxAssertion(app, person)];
    const before = await everything(app);
    expect(said(await tryOpen({ credential, proxy }))).toEqual([422, 'visit/proxy-is-patient']);
    expect(await everything(app)).toEqual(before);
    expect((await tryOpen({ credential })).status).toBe(201);
    expect((await tryOpen({ credential: proxy })).status).toBe(201);
  });

  it('with a bad credential refuses the opening, says whose it was, and changes nothing', async () => {
    const { person } = await newPatient(app);
    const used = await sandboxAssertion(app, uniquePerson());
    expect((await tryOpen({ credential: used })).status).toBe(201);
    const vendor = await newVendor(app);
    const old = await assertionOf(app, vendor, uniquePerson(), { iat: -70, exp: -10 });
    const bad: [object, string][] = [
      [{ kind: 'face', assertion: 'a.b.c' }, 'identity/unknown'],
      [{ kind: 'idCard', number: '350203199001010010' }, 'identity/unknown'],
      [{ kind: 'face', assertion: old }, 'identity/expired'],
      [used, 'identity/already-used'],
    ];
    const before = await everything(app);
    for (const [proxy, code] of bad) {
      const credential = await paymentCode(person);
      const reply = await tryOpen({ credential, proxy });
      expect(said(reply)).toEqual([422, code]);
      expect(reply.body.errors).toEqual([expect.objectContaining({ pointer: '/proxy' })]);
      const hash = app.deps.keyring.blindIndex(`paymentCode ${credential.code}`);
      const [code60] = await app.db
        .select()
        .from(oneTimeCredential)
        .where(eq(oneTimeCredential.hash, hash));
      expect(code60?.usedAt).toBeNull();
    }
    expect(await everything(app)).toEqual(before);
  });

  it('is left out of it when the patient’s own credential is the bad one', async () => {
    const proxy = await sandboxAssertion(app, uniquePerson());
    const reply = await tryOpen({ credential: { kind: 'face', assertion: 'a.b.c' }, proxy });
    expect(said(reply)).toEqual([422, 'identity/unknown']);
    expect(reply.body.errors).toBeUndefined();
    const { person } = await newPatient(app);
    expect((await tryOpen({ credential: idCard(person), proxy })).status).toBe(201);
  });

  it('and patient share no one-time credential', async () => {
    const { person } = await newPatient(app);
    const code = await paymentCode(person);
    const reply = await tryOpen({ credential: code, proxy: code });
    expect(said(reply)).toEqual([422, 'identity/already-used']);
  });

  it('of twenty racing visits with one assertion stands at one', async () => {
    const { person } = await newPatient(app);
    const proxy = await sandboxAssertion(app, uniquePerson());
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => tryOpen({ credential: idCard(person), proxy })),
    );
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1);
    const codes = replies.flatMap((reply) => (reply.status === 201 ? [] : [reply.body.code]));
    expect(new Set(codes)).toEqual(new Set(['identity/already-used']));
  });

  it('brings somebody unnamed, and is not who that turns out to be', async () => {
    const helper = uniquePerson();
    const opened = await tryOpen({ kind: 'emergency', proxy: idCard(helper) });
    expect(opened.body).toMatchObject({ patient: null, proxy: { name: maskName(helper.name) } });
    const bind = (person: TestPerson) =>
      app.call('PATCH', `/v1/visits/${opened.body.id}`, {
        token: scene.terminal,
        body: { credential: idCard(person) },
      });
    expect(said(await bind(helper))).toEqual([422, 'visit/proxy-is-patient']);
    const { person, token } = await newPatient(app);
    expect((await bind(person)).status).toBe(200);
    const actions = (await logOf(token)).map((line) => line.action);
    expect(actions).toEqual(expect.arrayContaining(['visit.bind', 'visit.openByProxy']));
  });

  it('cannot be claimed for afterwards, as if they had been the patient', async () => {
    const helper = await newPatient(app);
    const opened = await tryOpen({ kind: 'emergency', proxy: idCard(helper.person) });
    await charge(scene, opened.body.id, [item(1, '10.00')]);
    const bill = (await settle(scene, opened.body.id, { insurance: 'skip' })).body;
    const asked = await app.call('POST', `/v1/settlements/${bill.id}/conversion`, {
      token: scene.terminal,
      body: { cause: 'forgottenCredential', credential: idCard(helper.person) },
    });
    expect(said(asked)).toEqual([422, 'visit/proxy-is-patient']);
  });
});

describe('a proxy at a one-scan payment', () => {
  const scan = (body: Record<string, unknown>) =>
    app.call('POST', '/v1/one-scan-payments', {
      token: scene.terminal,
      body: {
        visitNumber: nextNumber('S'),
        kind: 'outpatient',
        charges: [item(1, '10.00')],
        ...body,
      },
    });

  it('is recorded as at an opening', async () => {
    const { person } = await newPatient(app);
    const helper = uniquePerson();
    const paid = await scan({ credential: idCard(person), proxy: idCard(helper) });
    expect(paid.status, paid.text).toBe(201);
    expect(paid.body.visit.proxy).toEqual({ name: maskName(helper.name) });
    const row = await rowOf(paid.body.visit.id);
    expect(row?.proxyCitizenId).not.toBeNull();
  });

  it('with a bad credential leaves nothing half-done', async () => {
    const { person } = await newPatient(app);
    const used = await sandboxAssertion(app, uniquePerson());
    await tryOpen({ credential: used });
    const before = await everything(app);
    const unknown = await scan({
      credential: idCard(person),
      proxy: { kind: 'face', assertion: 'a.b.c' },
    });
    expect(unknown).toMatchObject({
      status: 422,
      body: { code: 'identity/unknown', step: 'identify' },
    });
    const replay = await scan({ credential: idCard(person), proxy: used });
    expect(said(replay)).toEqual([422, 'identity/already-used']);
    const same = await scan({ credential: idCard(person), proxy: await paymentCode(person) });
    expect(same.body).toMatchObject({ code: 'visit/proxy-is-patient', step: 'open' });
    expect(await everything(app)).toEqual(before);
  });
});
