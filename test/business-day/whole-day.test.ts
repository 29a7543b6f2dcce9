// A day of the city from its first visit to its frozen books: visits with and without insurance, a
// refund, an outage and its conversion, a drawer, repayment, payouts proven by the statement, the close.
import { expect, it } from 'vitest';
import { transact } from '../../src/db/db.ts';
import { confirmPayout } from '../../src/payout/move-payout.ts';
import { bookedAtBank, deskOf, refundLine, toDay, today } from '../payout/support.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  fen,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, type TestApp, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

const app = useApp();

async function spendTheDay(scene: Scene): Promise<void> {
  const { terminal: token } = scene;
  const opened = await app.call('POST', '/v1/shifts', {
    token,
    body: { shift: '白班', openingFloat: '200.00' },
  });
  const insured = await newPatient(app);
  const first = await chargedVisit(scene, insured.person);
  const settled = await settle(scene, first.id);
  await refundLine(scene, settled.body.id, 1);
  const stranger = await newPatient(app, { isEnrolled: false });
  const cashVisit = await openVisit(scene, stranger.person);
  await charge(scene, cashVisit.id, [item(1, '80.00')]);
  const cash = [{ kind: 'cash', amount: '80.00', reference: nextNumber('C') }];
  await settle(scene, cashVisit.id, { insurance: 'skip', counterTenders: cash });
  await app.fault({ mode: 'refuseConnection' });
  const late = await settle(scene, (await chargedVisit(scene, insured.person)).id);
  expect(late.body.insurance.status).toBe('awaitingInsurance');
  await app.fault({ mode: 'none' });
  await waitFor(async () => {
    const read = await app.call('GET', `/v1/settlements/${late.body.id}`, { token });
    return read.body.insurance.status === 'converted';
  });
  const repaid = await app.call('POST', '/v1/me/repayments', {
    token: insured.token,
    body: { amount: '10.00' },
  });
  expect(repaid.status, repaid.text).toBeLessThan(300);
  const closed = await app.call('POST', `/v1/shifts/${opened.body.id}/close`, {
    token,
    body: { counted: '280.00' },
  });
  expect(closed.body).toMatchObject({ expected: '280.00', difference: '0.00', unpaid: [] });
}

async function payOut(app: TestApp, businessDate: string): Promise<ReplyBody[]> {
  const desk = await deskOf(app);
  const made: ReplyBody[] = (await desk.make({ businessDate })).body.data;
  for (const payout of made) {
    expect((await desk.approve(payout.id)).status).toBe(200);
    await waitFor(async () => {
      return (await desk.read(`/v1/payouts/${payout.id}`)).body.status === 'sent';
    });
    const [booking] = await bookedAtBank(app, payout.lender, payout.endToEndId);
    const proof = {
      endToEndId: payout.endToEndId,
      bankReference: booking?.reference,
      amount: fen(booking?.amount),
      bookedOn: new Date(),
    };
    const seen = await transact(app.db, (tx) => confirmPayout(tx, proof));
    expect(seen.outcome).toBe('paid');
  }
  return made;
}

it('ends a whole day: paid out, proven, closed, and every law holds', async () => {
  const scene = await sceneOf(app);
  const date = await today(app);
  await spendTheDay(scene);
  await expectLaws(app);
  await toDay(app, 1);
  const [payout, ...others] = await payOut(app, date);
  expect(others).toEqual([]);
  const kinds = payout?.gross.map((part: ReplyBody) => part.kind);
  expect(kinds).toEqual(['capture', 'conversion', 'refund']);
  const trial = await app.call('GET', '/v1/ledger/trial-balance', {
    token: await app.token('auditor'),
  });
  const books = trial.body.owners.find((one: ReplyBody) => one.owner === scene.hospitalCode);
  const of = (account: string) =>
    books.accounts.find((one: ReplyBody) => one.account === account)?.balance;
  expect(of('1203')).toBe('0.00');
  expect(of('1103')).toBe('0.00');
  expect(of('1102')).toBe(payout?.amount);
  const token = await app.token('financeChecker');
  const closed = await app.call('POST', `/v1/business-days/${date}/close`, { token });
  expect(closed.status, closed.text).toBe(200);
  expect(closed.body).toMatchObject({ status: 'closed', breaks: [] });
  expect(closed.body.totals.byFact.map((one: ReplyBody) => one.fact)).toEqual(
    expect.arrayContaining(['settlement.settled', 'settlement.converted', 'refund.completed']),
  );
  await expectLaws(app);
});
