// Refunds: whole and by line, insured and self-paid, in the order of the law, each to its instrument.
import { beforeAll, describe, expect, it } from 'vitest';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
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

const refund = (settlementId: string, body: Record<string, unknown>, key?: string) =>
  app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
    token: scene.terminal,
    body: { reason: '退药', ...body },
    ...(key ? { key } : {}),
  });
const read = async (settlementId: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/settlements/${settlementId}`, { token: scene.terminal })).body;

describe('a refund of an insured settlement', () => {
  it('cancels the claim wholly, frees the debt and leaves nothing to refund', async () => {
    const { person, token } = await newPatient(app, { accountBalance: '30.00' });
    const visit = await chargedVisit(scene, person, { usePersonalAccount: true });
    const settled = (await settle(scene, visit.id)).body;
    const done = await refund(settled.id, { all: true });
    expect(done.status, done.text).toBe(201);
    expect(done.body).toMatchObject({ status: 'completed', amount: '300.00' });
    expect(sumOf(done.body.tenders)).toBe(30_000n);
    expect(await read(settled.id)).toMatchObject({
      status: 'refunded',
      refundable: '0.00',
      insurance: { status: 'reversed' },
      total: '300.00',
      tenders: settled.tenders,
    });
    const claims = await app.claims({ visitNumber: visit.visitNumber });
    expect(claims.map((c) => c.status)).toEqual(['cancelled']);
    expect(await lineOf(app, token)).toMatchObject({ outstanding: '0.00', held: '0.00' });
    const again = await refund(settled.id, { all: true });
    expect(again.body.code).toBe('refund/exceeds-leg');
    await expectLaws(app);
  });

  it('claims the rest anew and gives back what the citizen carries less, to the fen', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    const [old] = await app.claims({ visitNumber: visit.visitNumber });
    const done = await refund(settled.id, { lines: [{ lineNumber: 2, quantity: '3' }] });
    expect(done.status, done.text).toBe(201);
    expect(done.body.amount).toBe('150.00');
    const claims = await app.claims({ visitNumber: visit.visitNumber });
    const live = claims.filter((c) => c.status === 'settled');
    expect(live).toHaveLength(1);
    expect(live[0].medfeeSumamt).toBe('150.00');
    const back = done.body.tenders.find((t: { kind: string }) => t.kind === 'credit');
    expect(fen(back.amount)).toBe(fen(old.psnCashPay) - fen(live[0].psnCashPay));
    expect((await lineOf(app, token)).outstanding).toBe(live[0].psnCashPay);
    expect(await read(settled.id)).toMatchObject({
      status: 'partlyRefunded',
      refundable: '150.00',
      insurance: { status: 'claimed', claimId: live[0].setlId },
    });
    const rest = await refund(settled.id, { all: true });
    expect(rest.body.amount).toBe('150.00');
    expect((await lineOf(app, token)).outstanding).toBe('0.00');
    await expectLaws(app);
  });

  it('sends credit that was repaid back to the repaying account', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    const owed = (await lineOf(app, token)).outstanding;
    const repaid = await app.call('POST', '/v1/me/repayments', { token, body: { amount: owed } });
    expect(repaid.body.status, repaid.text).toBe('paid');
    const done = await refund(settled.id, { all: true });
    expect(done.status, done.text).toBe(201);
    const back = done.body.tenders.find((t: { kind: string }) => t.kind === 'credit');
    expect(back.amount).toBe(owed);
    const sent = await waitFor(async () => {
      const now = await app.call('GET', `/v1/refunds/${done.body.id}`, { token: scene.terminal });
      const part = now.body.tenders.find((t: { kind: string }) => t.kind === 'credit');
      return part.status === 'done' && part;
    });
    expect(sent.amount).toBe(owed);
    await expectLaws(app);
  });

  it('changes nothing while the insurer is offline', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    const before = await lineOf(app, token);
    await app.fault({ mode: 'refuseConnection' });
    const key = crypto.randomUUID();
    const refused = await refund(settled.id, { all: true }, key);
    await app.fault({ mode: 'none' });
    expect(refused.status, refused.text).toBe(503);
    expect(refused.body.code).toBe('insurance/offline');
    expect(refused.headers.get('retry-after')).toBeTruthy();
    expect(await lineOf(app, token)).toEqual(before);
    expect(await read(settled.id)).toEqual(settled);
    const later = await refund(settled.id, { all: true }, key);
    expect(later.status, later.text).toBe(201);
    await expectLaws(app);
  });

  it('goes forward after a lost answer of 2208: one reversal, one live claim for the rest', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    await app.fault({ mode: 'answerLost', on: ['2208'] });
    const done = await refund(settled.id, { lines: [{ lineNumber: 1 }] });
    await app.fault({ mode: 'none' });
    expect(done.status, done.text).toBe(202);
    expect(done.body.status).toBe('processing');
    const busy = await refund(settled.id, { all: true });
    expect(busy.body.code).toBe('settlement/busy');
    await app.db.execute(
      `update intent set lease_until = now() - interval '1 second' where status = 'running'`,
    );
    await waitFor(async () => {
      const now = await app.call('GET', `/v1/refunds/${done.body.id}`, { token: scene.terminal });
      return now.body.status === 'completed';
    });
    const claims = await app.claims({ visitNumber: visit.visitNumber });
    expect(claims.map((c) => c.status).sort()).toEqual(['cancelled', 'settled']);
    expect(claims.find((c) => c.status === 'settled').medfeeSumamt).toBe('200.00');
    await expectLaws(app);
  });
});

describe('a refund of a self-paid settlement', () => {
  it('gives back what is due first, then credit, then the counter, newest first', async () => {
    const { person, token } = await newPatient(app, { score: 400, insurance: 'none' });
    const visit = await openVisit(scene, person);
    await charge(scene, visit.id, [item(1, '1000.00')]);
    const settled = await settle(scene, visit.id, {
      counterTenders: [{ kind: 'wechatPay', amount: '200.00', reference: `w${visit.visitNumber}` }],
    });
    expect(settled.body).toMatchObject({ status: 'awaitingPayment', dueAtCounter: '300.00' });
    const kinds = (reply: ReplyBody) => reply.tenders.map((t: ReplyBody) => [t.kind, t.amount]);
    const { id } = settled.body;
    const one = await refund(id, { lines: [{ lineNumber: 1, quantity: '0.4' }] });
    expect(kinds(one.body)).toEqual([
      ['dueAtCounter', '300.00'],
      ['credit', '100.00'],
    ]);
    const none = await app.call('POST', `/v1/settlements/${id}/payments`, {
      token: scene.terminal,
      body: { kind: 'cash', amount: '1.00', reference: `c${visit.visitNumber}` },
    });
    expect(none.body.code).toBe('settlement/nothing-due');
    const two = await refund(id, { lines: [{ lineNumber: 1, quantity: '0.5' }] });
    expect(kinds(two.body)).toEqual([
      ['credit', '400.00'],
      ['wechatPay', '100.00'],
    ]);
    expect((await lineOf(app, token)).outstanding).toBe('0.00');
    const three = await refund(id, { all: true });
    expect(kinds(three.body)).toEqual([['wechatPay', '100.00']]);
    await waitFor(async () => {
      const now = await app.call('GET', `/v1/refunds/${three.body.id}`, { token: scene.terminal });
      return now.body.tenders[0].status === 'done';
    });
    expect(await read(id)).toMatchObject({ status: 'refunded', refundable: '0.00' });
    await expectLaws(app);
  });

  it('pays cash back as a voucher where there is no bank account, once', async () => {
    const { person } = await newPatient(app, { insurance: 'none', isEnrolled: false });
    const visit = await openVisit(scene, person);
    await charge(scene, visit.id, [item(1, '66.60')]);
    const settled = await settle(scene, visit.id, {
      counterTenders: [{ kind: 'cash', amount: '66.60', reference: `c${visit.visitNumber}` }],
    });
    const done = await refund(settled.body.id, { all: true });
    const [part] = done.body.tenders;
    expect(part).toMatchObject({ kind: 'cash', amount: '66.60', status: 'voucher' });
    const elsewhere = await app.token('terminal', { hospitalCode: 'H35020000002' });
    const payOut = (token: string) =>
      app.call('POST', `/v1/refund-vouchers/${part.voucherCode}/payout`, { token, body: {} });
    expect((await payOut(elsewhere)).status).toBe(404);
    const answers = await Promise.all([1, 2, 3, 4].map(() => payOut(scene.terminal)));
    expect(answers.map((a) => a.status).sort()).toEqual([200, 409, 409, 409]);
    await expectLaws(app);
  });

  it('refuses unknown lines and more than is left, and changes nothing', async () => {
    const { person } = await newPatient(app, { insurance: 'none' });
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    const unknown = await refund(settled.id, { lines: [{ lineNumber: 9 }] });
    expect([unknown.status, unknown.body.code]).toEqual([422, 'refund/line-unknown']);
    const tooMuch = await refund(settled.id, { lines: [{ lineNumber: 2, quantity: '4.0001' }] });
    expect([tooMuch.status, tooMuch.body.code]).toEqual([409, 'refund/exceeds-leg']);
    expect(await read(settled.id)).toEqual(settled);
  });

  it('lets one of many racing refunds of a line through, and never more than the line', async () => {
    const { person, token } = await newPatient(app, { insurance: 'none' });
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => refund(settled.id, { lines: [{ lineNumber: 1 }] })),
    );
    expect(answers.filter((a) => a.status === 201)).toHaveLength(1);
    for (const a of answers) {
      if (a.status !== 201) {
        expect(['settlement/busy', 'refund/exceeds-leg']).toContain(a.body.code);
      }
    }
    expect((await lineOf(app, token)).outstanding).toBe('200.00');
    await expectLaws(app);
  });
});
