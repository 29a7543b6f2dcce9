// Every refusal of settling and previewing: its code, and nothing changed by it; keys and races.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestReply, useApp } from '../support/app.ts';
import { everything, readVisit, said } from '../visit/support.ts';
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
} from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
let elsewhere: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
  elsewhere = await sceneOf(app, 'H35020000002');
});
afterEach(() => app.fault({ mode: 'none' }));

const NOWHERE = '01jd5z8m2cf0v9k3q7w4x6y8ab';
const preview = (visitId: string, body: object = {}) =>
  app.call('POST', `/v1/visits/${visitId}/settlement/preview`, { token: scene.terminal, body });
const cash = (amount: string, reference = nextNumber('T')) => ({ kind: 'cash', amount, reference });

/** Asks, expects the refusal, and that nothing of books, lines, visits and settlements changed. */
async function refused(code: string, ask: () => Promise<TestReply>): Promise<TestReply> {
  const before = await everything(app);
  const reply = await ask();
  expect([reply.body?.code, reply.text]).toEqual([code, reply.text]);
  expect(await everything(app)).toEqual(before);
  return reply;
}

describe('settling and previewing are refused', () => {
  it('for a visit that is not there, cancelled, uncharged or settled already', async () => {
    const { person } = await newPatient(app);
    const empty = await openVisit(scene, person);
    const gone = await chargedVisit(scene, person);
    await app.call('DELETE', `/v1/visits/${gone.id}`, { token: scene.terminal });
    const done = await chargedVisit(scene, person);
    const batch = (await settle(scene, done.id, { insurance: 'skip' })).body.batches[0];
    for (const ask of [(id: string, body = {}) => settle(scene, id, body), preview]) {
      await refused('resource/not-found', () => ask(`vis_${NOWHERE}`));
      await refused('visit/wrong-state', () => ask(gone.id));
      await refused('settlement/nothing-charged', () => ask(empty.id));
      await refused('visit/already-settled', () => ask(done.id));
      await refused('visit/already-settled', () => ask(done.id, { batches: [batch] }));
      await refused('settlement/batch-unknown', () => ask(done.id, { batches: ['nothing'] }));
    }
    expect((await readVisit(scene, done.id)).status).toBe('settled');
  });

  it('for a receipt or tender reference of this hospital that was used', async () => {
    const { person } = await newPatient(app);
    const receiptNumber = nextNumber('R');
    const used = cash('5.00');
    const first = await chargedVisit(scene, person);
    const body = { insurance: 'skip', receiptNumber, counterTenders: [used] };
    expect((await settle(scene, first.id, body)).status).toBe(200);
    const { id } = await chargedVisit(scene, person);
    await refused('settlement/receipt-used', () => settle(scene, id, { receiptNumber }));
    const tenders = { counterTenders: [cash('1.00'), used] };
    await refused('tender/reference-used', () => settle(scene, id, tenders));
    expect((await readVisit(scene, id)).status).toBe('open');
    const theirs = await chargedVisit(elsewhere, person);
    expect((await settle(elsewhere, theirs.id, body)).status).toBe(200);
    const other = { ...used, kind: 'wechatPay' };
    const again = await settle(scene, id, { insurance: 'skip', counterTenders: [other] });
    expect(again.status, again.text).toBe(200);
  });

  it('for a deposit where the visit is not inpatient', async () => {
    const { person } = await newPatient(app);
    const deposit = { ...cash('5.00'), kind: 'deposit' };
    const body = { insurance: 'skip', counterTenders: [deposit] };
    const visit = await chargedVisit(scene, person);
    await refused('tender/deposit-not-allowed', () => settle(scene, visit.id, body));
    const stay = await chargedVisit(scene, person, { kind: 'inpatient' });
    const settled = await settle(scene, stay.id, body);
    expect(settled.body.tenders[0]).toMatchObject({ kind: 'deposit', amount: '5.00' });
  });

  it('for a claim without doctor or diagnosis in production, not for one that skips', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { env } = app.deps;
    Object.assign(env, { EGRET_MODE: 'production' });
    try {
      const reply = await refused('visit/diagnosis-missing', () => settle(scene, visit.id));
      expect(reply.status).toBe(422);
      expect(reply.body.detail).toMatch(/doctor.*diagnoses/);
      expect((await settle(scene, visit.id, { insurance: 'skip' })).status).toBe(200);
    } finally {
      Object.assign(env, { EGRET_MODE: 'sandbox' });
    }
  });

  it('when the insurer rejects, at the preview or at the money, and references stay free', async () => {
    const { person } = await newPatient(app);
    const counterTenders = [cash('5.00')];
    const body = { counterTenders, receiptNumber: nextNumber('R') };
    const visit = await chargedVisit(scene, person);
    for (const infno of ['2203', '2204', '2206', '2207']) {
      await app.fault({ mode: 'reject', on: [infno], reason: '目录编码未上传追溯码' });
      const reply = await refused('insurance/rejected', () => settle(scene, visit.id, body));
      expect([reply.status, reply.body.detail]).toEqual([409, expect.stringContaining('追溯码')]);
      if (infno !== '2207') await refused('insurance/rejected', () => preview(visit.id));
      expect(await readVisit(scene, visit.id)).toMatchObject({
        status: 'open',
        hold: { status: 'placed' },
      });
      expect(await app.claims({ visitNumber: visit.visitNumber })).toEqual([]);
    }
    await app.fault({ mode: 'none' });
    expect((await settle(scene, visit.id, body)).body.insurance.status).toBe('claimed');
    await expectLaws(app);
  });

  it('when the caller would rather wait for an insurer that is offline', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const key = crypto.randomUUID();
    const wait = () => settle(scene, visit.id, { whenInsuranceOffline: 'wait' }, key);
    await app.fault({ mode: 'error500', on: ['2204'] });
    const reply = await refused('insurance/offline', wait);
    expect([reply.status, Number(reply.headers.get('retry-after')) > 0]).toEqual([503, true]);
    await app.fault({ mode: 'none' });
    expect((await wait()).body.insurance.status).toBe('claimed');
  });
});

describe('the key of a settlement', () => {
  it('gives its reply again byte for byte, and belongs to one request of one client', async () => {
    const { person } = await newPatient(app);
    const [visit, other] = [await chargedVisit(scene, person), await chargedVisit(scene, person)];
    const key = crypto.randomUUID();
    const first = await settle(scene, visit.id, { insurance: 'claim' }, key);
    expect(first.status, first.text).toBe(200);
    const again = await settle(scene, visit.id, { insurance: 'claim' }, key);
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    await refused('idempotency/key-reused', () => settle(scene, visit.id, {}, key));
    await refused('idempotency/key-reused', () =>
      settle(scene, other.id, { insurance: 'claim' }, key),
    );
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    const theirs = await chargedVisit(elsewhere, person);
    expect((await settle(elsewhere, theirs.id, {}, key)).status).toBe(200);
  });

  it('raced by twenty settles once; the others replay or are told to come again', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const key = crypto.randomUUID();
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => settle(scene, visit.id, {}, key)),
    );
    const done = replies.filter((reply) => reply.status === 200);
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map((reply) => reply.text)).size).toBe(1);
    for (const reply of replies.filter((r) => r.status !== 200)) {
      expect(said(reply)).toEqual([409, 'idempotency/in-flight']);
    }
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    expect((await settle(scene, visit.id, {}, key)).text).toBe(done[0]?.text);
  });

  it('keeps a refusal that the contract keeps, although it would be granted now', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    const key = crypto.randomUUID();
    const first = await settle(scene, visit.id, {}, key);
    expect(said(first)).toEqual([422, 'settlement/nothing-charged']);
    await charge(scene, visit.id, [item(1, '1.00')]);
    const again = await settle(scene, visit.id, {}, key);
    expect([again.status, again.text]).toEqual([422, first.text]);
  });
});

describe('racing settlements', () => {
  it('of one visit end in one settlement and one claim in the insurer’s own books', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const replies = await Promise.all(Array.from({ length: 20 }, () => settle(scene, visit.id)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    for (const reply of replies.filter((r) => r.status !== 200)) {
      expect(['visit/settling', 'visit/already-settled']).toContain(reply.body.code);
      expect(reply.status).toBe(409);
    }
    const claims = await app.claims({ visitNumber: visit.visitNumber });
    expect(claims.map((claim) => claim.status)).toEqual(['settled']);
    expect((await readVisit(scene, visit.id)).settlementIds).toHaveLength(1);
    expect((await lineOf(app, token)).outstanding).toBe(claims[0]?.psnCashPay);
    await expectLaws(app);
  });

  it('of ten visits with one tender reference let one through', async () => {
    const { person } = await newPatient(app);
    const visits = await Promise.all(
      Array.from({ length: 10 }, () => chargedVisit(scene, person, { holdAmount: '0.00' })),
    );
    const body = { insurance: 'skip', counterTenders: [cash('300.00')] };
    const replies = await Promise.all(visits.map(({ id }) => settle(scene, id, body)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    expect(replies.filter((r) => r.body.code === 'tender/reference-used')).toHaveLength(9);
    const after = await Promise.all(visits.map(({ id }) => readVisit(scene, id)));
    expect(after.filter((visit) => visit.status === 'open')).toHaveLength(9);
    await expectLaws(app);
  });

  it('of many visits never take more credit than there is', async () => {
    const { person, token } = await newPatient(app, { score: 400 });
    const visits = await Promise.all(
      Array.from({ length: 6 }, () => chargedVisit(scene, person, { holdAmount: '0.00' })),
    );
    const replies = await Promise.all(
      visits.map(({ id }) => settle(scene, id, { insurance: 'skip' })),
    );
    const credit = replies.flatMap((reply) =>
      reply.body.tenders.filter((t: { kind: string }) => t.kind === 'credit'),
    );
    expect(sumOf(credit)).toBe(50_000n);
    expect(await lineOf(app, token)).toMatchObject({ outstanding: '500.00', available: '0.00' });
    for (const { body } of replies) {
      expect(sumOf(body.tenders) + fen(body.dueAtCounter)).toBe(fen(body.total));
    }
    await expectLaws(app);
  });
});
