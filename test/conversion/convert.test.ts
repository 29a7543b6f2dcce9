// The late road: every self-paid visit finds its way back to an insurance settlement, with the money
// back in order and a proof. What happened is asked of the insurer's own books.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  charge,
  chargedVisit,
  type Enrolled,
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
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' }, keepsBreaker: true });
let scene: Scene;
let finance: string;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await app.token('financeMaker');
});
afterEach(() => app.fault({ mode: 'none' }));

const conversionOf = async (id: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/conversions/${id}`, { token: finance })).body;
const settlementOf = async (id: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/settlements/${id}`, { token: scene.terminal })).body;

const ended = (id: string) =>
  waitFor(
    async () => {
      const now = await conversionOf(id);
      return ['converted', 'rejected', 'cancelled'].includes(now.status) && now;
    },
    { timeoutMs: 30_000, what: `conversion ${id}` },
  );

async function settleInOutage(patient: Enrolled, fault: object, body = {}) {
  const visit = await chargedVisit(scene, patient.person);
  await app.fault(fault as Record<string, unknown>);
  const reply = await settle(scene, visit.id, body);
  expect(reply.body.insurance.status, reply.text).toBe('awaitingInsurance');
  return { visit, settlement: reply.body };
}

async function expectConverted(
  made: { visit: ReplyBody; settlement: ReplyBody },
  patient: Enrolled,
): Promise<ReplyBody> {
  const conversion = await ended(made.settlement.conversionId);
  expect(conversion.status, JSON.stringify(conversion)).toBe('converted');
  expect(conversion.proof).toMatchObject({
    balanced: true,
    totalBefore: '300.00',
    totalAfter: '300.00',
  });
  const claims = await app.claims({ visitNumber: made.visit.visitNumber });
  const live = claims.filter((c) => c.status === 'settled');
  expect(live).toHaveLength(1);
  const after = await settlementOf(made.settlement.id);
  expect(after.insurance).toEqual({ status: 'converted', claimId: live[0].setlId });
  expect(sumOf(after.tenders) + fen(after.dueAtCounter)).toBe(30_000n);
  const carried = after.tenders.filter(
    (t: ReplyBody) =>
      !['insuranceFund', 'personalAccount', 'familyAccount', 'hospitalBorne'].includes(t.kind),
  );
  expect(sumOf(carried) + fen(after.dueAtCounter)).toBe(fen(live[0].psnCashPay));
  const owed = await app.call('GET', '/v1/me/receivables', { token: patient.token });
  for (const r of owed.body.data) expect(r.status).not.toBe('waitingForInsurance');
  await expectLaws(app);
  return after;
}

const matrix = [
  ['the port is closed', { mode: 'refuseConnection' }],
  ['2201 loses its answer', { mode: 'answerLost', on: ['2201'] }],
  ['2203 fails', { mode: 'error500', on: ['2203'] }],
  ['2204 loses its answer', { mode: 'answerLost', on: ['2204'] }],
  ['2206 answers garbage', { mode: 'garbage', on: ['2206'] }],
  ['2207 loses its answer after the commit', { mode: 'answerLost', on: ['2207'] }],
  ['2207 fails without executing', { mode: 'error500', on: ['2207'] }],
  ['2207 answers garbage without executing', { mode: 'garbage', on: ['2207'] }],
  ['2207 lies about its sums', { mode: 'brokenInvariant', on: ['2207'] }],
] as const;

describe('a settlement that awaits insurance', () => {
  it.each(matrix)('is converted to one live claim after %s', async (_, fault) => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, fault);
    await app.fault({ mode: 'none' });
    await expectConverted(made, patient);
  });

  it('gives repaid credit back to the repaying account', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'refuseConnection' });
    const repaid = await app.call('POST', '/v1/me/repayments', {
      token: patient.token,
      body: { amount: '300.00' },
    });
    expect(repaid.body.status, repaid.text).toBe('paid');
    await app.fault({ mode: 'none' });
    const after = await expectConverted(made, patient);
    const credit = after.tenders.find((t: ReplyBody) => t.kind === 'credit');
    const back = await waitFor(async () => {
      const { refunds } = await conversionOf(made.settlement.conversionId);
      return refunds[0]?.status === 'done' && refunds[0];
    });
    expect(back).toMatchObject({ to: 'credit' });
    expect(fen(back.amount) + fen(credit.amount)).toBe(30_000n);
    expect(await lineOf(app, patient.token)).toMatchObject({ outstanding: '0.00' });
    await expectLaws(app);
  });

  it('lets the insured part flow to what is due, then credit, then the counter newest first', async () => {
    const patient = await newPatient(app, { isEnrolled: false });
    const visit = await openVisit(scene, patient.person);
    await charge(scene, visit.id, [item(1, '300.00')]);
    await app.fault({ mode: 'error500', on: ['2203'] });
    const reply = await settle(scene, visit.id, {
      counterTenders: [
        { kind: 'wechatPay', amount: '290.00', reference: `w${visit.visitNumber}` },
        { kind: 'alipay', amount: '5.00', reference: `a${visit.visitNumber}` },
      ],
    });
    expect(reply.body.dueAtCounter).toBe('5.00');
    await app.fault({ mode: 'none' });
    const after = await expectConverted({ visit, settlement: reply.body }, patient);
    expect(after.dueAtCounter).toBe('0.00');
    expect(after.status).toBe('settled');
    expect(after.tenders.map((t: ReplyBody) => t.kind)).toEqual(['insuranceFund', 'wechatPay']);
    const { before, refunds } = await conversionOf(reply.body.conversionId);
    expect(before.at(-1)).toEqual({ kind: 'dueAtCounter', amount: '5.00' });
    expect(refunds.map((r: ReplyBody) => r.to).sort()).toEqual(['alipay', 'wechatPay']);
  });

  it('converts only what a partial refund left of it', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'refuseConnection' });
    const refund = await app.call('POST', `/v1/settlements/${made.settlement.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '未做检查' },
    });
    expect(refund.status, refund.text).toBe(201);
    await app.fault({ mode: 'none' });
    const conversion = await ended(made.settlement.conversionId);
    expect(conversion.status).toBe('converted');
    const [claim] = await app.claims({ visitNumber: made.visit.visitNumber });
    expect(claim).toMatchObject({ status: 'settled', medfeeSumamt: '200.00' });
    expect((await lineOf(app, patient.token)).outstanding).toBe(claim.psnCashPay);
    await expectLaws(app);
  });

  it('is reversed, not adopted, when lines of a claim of unknown fate were refunded meanwhile', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'answerLost', on: ['2207'] });
    await app.fault({ mode: 'refuseConnection' });
    const refund = await app.call('POST', `/v1/settlements/${made.settlement.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '未做检查' },
    });
    expect(refund.status, refund.text).toBe(201);
    await app.fault({ mode: 'none' });
    expect((await ended(made.settlement.conversionId)).status).toBe('converted');
    const claims = await app.claims({ visitNumber: made.visit.visitNumber });
    expect(claims.filter((c) => c.status === 'settled').map((c) => c.medfeeSumamt)).toEqual([
      '200.00',
    ]);
    await expectLaws(app);
  });

  it('leaves no live claim when a visit of unknown fate is wholly refunded', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'answerLost', on: ['2207'] });
    await app.fault({ mode: 'refuseConnection' });
    const refund = await app.call('POST', `/v1/settlements/${made.settlement.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退号' },
    });
    expect(refund.status, refund.text).toBe(201);
    await app.fault({ mode: 'none' });
    expect((await ended(made.settlement.conversionId)).status).toBe('cancelled');
    const claims = await app.claims({ visitNumber: made.visit.visitNumber });
    expect(claims.filter((c) => c.status === 'settled')).toEqual([]);
    expect((await settlementOf(made.settlement.id)).insurance.status).toBe('reversed');
    await expectLaws(app);
  });

  it('is finally refused with the reason when the insurer says no, and dunning goes on', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'refuseConnection' });
    await app.fault({ mode: 'reject', on: ['2206'], reason: '目录编码未上传追溯码' });
    const conversion = await ended(made.settlement.conversionId);
    expect(conversion).toMatchObject({ status: 'rejected' });
    expect(conversion.reason).toContain('追溯码');
    const after = await settlementOf(made.settlement.id);
    expect(after.insurance.status).toBe('rejected');
    expect(after.tenders).toEqual([{ kind: 'credit', amount: '300.00' }]);
    const owed = await app.call('GET', '/v1/me/receivables', { token: patient.token });
    expect(owed.body.data[0].status).toBe('open');
    await expectLaws(app);
  });

  it('ends as a finance case without a live claim when answers always break their sums', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'brokenInvariant', on: ['2207', '5203'] });
    const conversion = await ended(made.settlement.conversionId);
    expect(conversion.status).toBe('rejected');
    const claims = await app.claims({ visitNumber: made.visit.visitNumber });
    expect(claims.filter((c) => c.status === 'settled')).toEqual([]);
    expect(claims.length).toBeGreaterThan(0);
    await expectLaws(app);
  });

  it('can be refunded wholly after it was converted', async () => {
    const patient = await newPatient(app);
    const made = await settleInOutage(patient, { mode: 'refuseConnection' });
    await app.fault({ mode: 'none' });
    await expectConverted(made, patient);
    const refund = await app.call('POST', `/v1/settlements/${made.settlement.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退号' },
    });
    expect(refund.status, refund.text).toBe(201);
    const claims = await app.claims({ visitNumber: made.visit.visitNumber });
    expect(claims.filter((c) => c.status === 'settled')).toEqual([]);
    expect((await lineOf(app, patient.token)).outstanding).toBe('0.00');
    await expectLaws(app);
  });
});
