// Every refusal of paying, refunding, vouchers and invoices: its code, and nothing changed by it.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ReplyBody, type TestReply, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { everything, insurerOf, readVisit, said } from '../visit/support.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
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
afterEach(async () => {
  await app.fault({ mode: 'none' });
  await insurerOf(app).setRules({});
});

const NOWHERE = '01jd5z8m2cf0v9k3q7w4x6y8ab';
const post = (path: string, body: object, options: { key?: string; at?: Scene } = {}) =>
  app.call('POST', path, {
    token: (options.at ?? scene).terminal,
    body,
    ...(options.key ? { key: options.key } : {}),
  });
const pay = (settlementId: string, amount: string, reference = nextNumber('P'), more = {}) =>
  post(`/v1/settlements/${settlementId}/payments`, { kind: 'cash', amount, reference, ...more });
const refund = (settlementId: string, body: object, key?: string) =>
  post(`/v1/settlements/${settlementId}/refunds`, { reason: '退', ...body }, key ? { key } : {});
const refundsOf = (settlementId: string) =>
  app.db.execute(sql`select 1 from refund where settlement_id = ${settlementId}`);
const cash = (amount: string, reference = nextNumber('T')) => ({ kind: 'cash', amount, reference });

/** Asks, expects the refusal, and that nothing of books, lines, visits and settlements changed. */
async function refused(code: string, ask: () => Promise<TestReply>): Promise<TestReply> {
  const before = await everything(app);
  const reply = await ask();
  expect([reply.body?.code, reply.text]).toEqual([code, reply.text]);
  expect(await everything(app)).toEqual(before);
  return reply;
}

/** 100.00 due at the counter: nobody's credit, no insurance. */
async function dueSettlement(): Promise<ReplyBody> {
  const { person } = await newPatient(app, { isEnrolled: false });
  const visit = await openVisit(scene, person);
  await charge(scene, visit.id, [item(1, '100.00')]);
  const settled = await settle(scene, visit.id, { insurance: 'skip' });
  expect(settled.body).toMatchObject({ status: 'awaitingPayment', dueAtCounter: '100.00' });
  return settled.body;
}

describe('a payment is refused', () => {
  it('for a settlement that is not there, more than is due, a used reference, a deposit', async () => {
    const { id } = await dueSettlement();
    await refused('resource/not-found', () => pay(`set_${NOWHERE}`, '1.00'));
    await refused('payment/exceeds-due', () => pay(id, '100.01'));
    await refused('tender/deposit-not-allowed', () => pay(id, '1.00', 'D', { kind: 'deposit' }));
    const reference = nextNumber('P');
    expect((await pay(id, '40.00', reference)).body.dueAtCounter).toBe('60.00');
    await refused('tender/reference-used', () => pay(id, '1.00', reference));
    await refused('payment/exceeds-due', () => pay(id, '60.01'));
    expect((await pay(id, '60.00')).body).toMatchObject({ status: 'settled' });
    await refused('settlement/nothing-due', () => pay(id, '0.01'));
    await expectLaws(app);
  });

  it('and its reference is free again for the next one', async () => {
    const { id } = await dueSettlement();
    const reference = nextNumber('P');
    await refused('payment/exceeds-due', () => pay(id, '100.01', reference));
    expect((await pay(id, '100.00', reference)).status).toBe(200);
  });

  it('by what would be more than is due, however many race', async () => {
    const { id } = await dueSettlement();
    const replies = await Promise.all(Array.from({ length: 20 }, () => pay(id, '30.00')));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(3);
    expect(replies.filter((r) => r.body.code === 'payment/exceeds-due')).toHaveLength(17);
    const { terminal: token } = scene;
    const after = await app.call('GET', `/v1/settlements/${id}`, { token });
    expect(after.body).toMatchObject({ status: 'awaitingPayment', dueAtCounter: '10.00' });
    expect(sumOf(after.body.tenders)).toBe(9_000n);
    await expectLaws(app);
  });

  it('once its key was used: replayed, collected once', async () => {
    const { id } = await dueSettlement();
    const key = crypto.randomUUID();
    const body = { kind: 'cash', amount: '40.00', reference: nextNumber('P') };
    const path = `/v1/settlements/${id}/payments`;
    const replies = await Promise.all(Array.from({ length: 10 }, () => post(path, body, { key })));
    const done = replies.filter((reply) => reply.status === 200);
    expect(new Set(done.map((reply) => reply.text)).size).toBe(1);
    expect((await post(path, body, { key })).text).toBe(done[0]?.text);
    await refused('idempotency/key-reused', () => post(path, { ...body, amount: '1.00' }, { key }));
    expect(done[0]?.body.dueAtCounter).toBe('60.00');
  });

  it('while its visit settles more, and afterwards it is collected', async () => {
    const settled = await dueSettlement();
    const visit = await readVisit(scene, settled.visitId);
    await charge(scene, visit.id, [item(2, '10.00')]);
    await app.fault({ mode: 'slow', on: ['1101', '2206', '2207'], delayMs: 1200 });
    const settling = settle(scene, visit.id);
    await waitFor(async () => (await readVisit(scene, visit.id)).status === 'settling');
    for (const busy of [await pay(settled.id, '1.00'), await refund(settled.id, { all: true })]) {
      expect(['visit/settling', 'settlement/busy']).toContain(busy.body.code);
      expect([busy.status, Number(busy.headers.get('retry-after')) > 0]).toEqual([409, true]);
    }
    expect((await settling).status).toBe(200);
    expect((await pay(settled.id, '1.00')).body.dueAtCounter).toBe('99.00');
    await expectLaws(app);
  });

  it('while the settlement is refunded, and so is another refund', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    expect(settled).toMatchObject({ status: 'awaitingPayment', insurance: { status: 'claimed' } });
    await app.fault({ mode: 'slow', on: ['2208'], delayMs: 2500 });
    const refunding = refund(settled.id, { all: true });
    await waitFor(async () => (await refundsOf(settled.id)).length === 1);
    for (const busy of [await pay(settled.id, '1.00'), await refund(settled.id, { all: true })]) {
      expect(said(busy)).toEqual([409, 'settlement/busy']);
      expect(Number(busy.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const done = await refunding;
    expect(done.body, done.text).toMatchObject({ status: 'completed', amount: '300.00' });
    await refused('settlement/nothing-due', () => pay(settled.id, '1.00'));
    await expectLaws(app);
  });
});

describe('a refund is refused', () => {
  it('for what is not there, unknown lines, more than is left, and twice', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { id } = (await settle(scene, visit.id)).body;
    const line = (lineNumber: number, quantity?: string) => ({
      lines: [{ lineNumber, ...(quantity ? { quantity } : {}) }],
    });
    await refused('resource/not-found', () => refund(`set_${NOWHERE}`, { all: true }));
    const unknown = await refused('refund/line-unknown', () => refund(id, line(9)));
    expect(unknown.body.errors[0].pointer).toBe('/lines/0');
    await refused('refund/exceeds-leg', () => refund(id, line(2, '4.0001')));
    expect((await refund(id, line(2, '1.5'))).status).toBe(201);
    await refused('refund/exceeds-leg', () => refund(id, line(2, '2.5001')));
    expect((await refund(id, { all: true })).body.amount).toBe('225.00');
    await refused('refund/exceeds-leg', () => refund(id, { all: true }));
    await refused('refund/exceeds-leg', () => refund(id, line(1)));
    await expectLaws(app);
  });

  it('when the insurer is offline or rejects the cancellation, with its claim as it was', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { id } = (await settle(scene, visit.id)).body;
    const key = crypto.randomUUID();
    await app.fault({ mode: 'refuseConnection' });
    await refused('insurance/offline', () => refund(id, { all: true }, key));
    await app.fault({ mode: 'none' });
    await app.fault({ mode: 'reject', on: ['2208'], reason: '该笔结算已跨年，不能撤销' });
    const no = await refused('insurance/rejected', () => refund(id, { all: true }));
    expect(no.body.detail).toContain('跨年');
    await app.fault({ mode: 'none' });
    const claims = await app.claims({ visitNumber: visit.visitNumber });
    expect(claims.map((claim) => claim.status)).toEqual(['settled']);
    expect((await refund(id, { all: true }, key)).status).toBe(201);
    await expectLaws(app);
  });

  it('when the citizen’s part would rise, and finance has a case', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { id } = (await settle(scene, visit.id)).body;
    await insurerOf(app).setRules({ deductible: '100000.00' });
    const wish = { lines: [{ lineNumber: 2, quantity: '1' }] };
    const reply = await refused('refund/citizen-part-rises', () => refund(id, wish));
    expect(reply.status).toBe(409);
    const claims = await app.claims({ visitNumber: visit.visitNumber });
    expect(claims.map((claim) => claim.status)).toEqual(['settled']);
    const cases = await app.db.execute(
      sql`select 1 from finance_case where kind = 'refund/citizen-part-rises' and status = 'open'`,
    );
    expect(cases).toHaveLength(1);
    await expectLaws(app);
  });

  it('once its key was used: replayed, given back once', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { id } = (await settle(scene, visit.id, { insurance: 'skip' })).body;
    const key = crypto.randomUUID();
    const wish = { lines: [{ lineNumber: 2, quantity: '1' }] };
    const replies = await Promise.all(Array.from({ length: 10 }, () => refund(id, wish, key)));
    const done = replies.filter((reply) => reply.status === 201);
    expect(new Set(done.map((reply) => reply.text)).size).toBe(1);
    for (const reply of replies.filter((r) => r.status !== 201)) {
      expect(said(reply)).toEqual([409, 'idempotency/in-flight']);
    }
    await refused('idempotency/key-reused', () => refund(id, { all: true }, key));
    const { terminal: token } = scene;
    const after = await app.call('GET', `/v1/settlements/${id}`, { token });
    expect(after.body.refundable).toBe('250.00');
    await expectLaws(app);
  });
});

describe('a voucher', () => {
  async function voucher() {
    const { person } = await newPatient(app, { isEnrolled: false });
    const visit = await openVisit(scene, person);
    await charge(scene, visit.id, [item(1, '100.00')]);
    const paid = { insurance: 'skip', counterTenders: [cash('100.00')] };
    const { id } = (await settle(scene, visit.id, paid)).body;
    const back = await refund(id, { all: true });
    expect(back.body.tenders, back.text).toMatchObject([{ kind: 'cash', status: 'voucher' }]);
    return back.body.tenders[0].voucherCode as string;
  }
  const payOut = (code: string, options: { key?: string; at?: Scene } = {}) =>
    post(`/v1/refund-vouchers/${code}/payout`, {}, options);

  it('is unknown to other hospitals and paid out once, however many race', async () => {
    const code = await voucher();
    await refused('resource/not-found', () => payOut('NOSUCHVOUCHER'));
    await refused('resource/not-found', () => payOut(code, { at: elsewhere }));
    await refused('resource/not-found', () => payOut(code.toLowerCase()));
    const replies = await Promise.all(Array.from({ length: 10 }, () => payOut(code)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    expect(replies.filter((r) => r.body.code === 'voucher/already-paid')).toHaveLength(9);
    await refused('voucher/already-paid', () => payOut(code));
    await expectLaws(app);
  });

  it('is paid out once by one key, and the reply is given again', async () => {
    const code = await voucher();
    const key = crypto.randomUUID();
    const first = await payOut(code, { key });
    expect(first.body).toMatchObject({ code, amount: '100.00', status: 'done' });
    expect((await payOut(code, { key })).text).toBe(first.text);
    await refused('voucher/already-paid', () => payOut(code));
  });
});

describe('an invoice', () => {
  const put = (settlementId: string, number: string) =>
    app.call('PUT', `/v1/settlements/${settlementId}/invoice`, {
      token: scene.terminal,
      body: { code: '035001', number },
    });

  it('may be replaced until all is refunded', async () => {
    await refused('resource/not-found', () => put(`set_${NOWHERE}`, '1'));
    const { id } = await dueSettlement();
    expect((await put(id, '1')).body.invoice).toEqual({ code: '035001', number: '1' });
    expect((await put(id, '2')).body.invoice.number).toBe('2');
    expect((await refund(id, { all: true })).status).toBe(201);
    await refused('invoice/wrong-state', () => put(id, '3'));
    expect((await put(id, '2')).status).toBe(200);
  });
});
