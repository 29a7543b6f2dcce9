import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { confirmPayout, type PayoutProof } from '../../src/payout/move-payout.ts';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import {
  balance,
  bookedAtBank,
  type Desk,
  deskOf,
  onCredit,
  refundLine,
  runPayoutJobs,
  toDay,
  today,
} from './support.ts';

const app = useApp({ worker: false });
const LENDER = 'LWB';
const OTHER = 'H35020000002';
let scene: Scene;
let desk: Desk;
/** Business days from real time; each test has days of its own. */
let days = 0;

beforeAll(async () => {
  scene = await sceneOf(app);
  desk = await deskOf(app);
});
beforeEach(async () => {
  days += 3;
  await toDay(app, days);
});

/** Lets the day end and pays what it left; returns the payouts made. */
async function payOutDay(wish: Record<string, unknown> = {}): Promise<ReplyBody[]> {
  const businessDate = await today(app);
  await toDay(app, ++days);
  const made = await desk.make({ businessDate, ...wish });
  expect(made.status, made.text).toBe(201);
  return made.body.data;
}

async function sent(wish: Record<string, unknown> = {}): Promise<ReplyBody> {
  const [payout] = await payOutDay(wish);
  expect((await desk.approve(payout.id)).status).toBe(200);
  await runPayoutJobs(app);
  return (await desk.read(`/v1/payouts/${payout.id}`)).body;
}

const prove = (proof: Partial<PayoutProof> & Pick<PayoutProof, 'endToEndId'>) =>
  transact(app.db, (tx) =>
    confirmPayout(tx, { bankReference: 'B1', amount: 30_000n, bookedOn: new Date(), ...proof }),
  );

describe('payouts', () => {
  it('pays what was captured, proven by the statement (row 12)', async () => {
    const { settlement } = await onCredit(scene);
    const before = await balance(app, 'H', scene.hospitalCode, '1203');
    const payout = await sent();
    expect(payout).toMatchObject({ status: 'sent', amount: '300.00', lender: LENDER, run: 1 });
    expect(payout.legs).toMatchObject([
      { kind: 'capture', settlementId: settlement.id, amount: '300.00' },
    ]);
    expect(payout.endToEndId.length).toBeLessThanOrEqual(35);
    expect(await balance(app, 'H', scene.hospitalCode, '1203')).toBe(before - 30_000n);
    expect(await balance(app, 'B', LENDER, '2102')).toBe(-30_000n);
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toMatchObject([
      { direction: 'debit', amount: '300.00' },
    ]);
    await expectLaws(app);

    const { endToEndId } = payout;
    expect(await prove({ endToEndId, amount: 1n })).toMatchObject({
      outcome: 'amountDiffers',
      expected: 30_000n,
    });
    expect(await prove({ endToEndId })).toMatchObject({ outcome: 'paid', payoutId: payout.id });
    expect(await prove({ endToEndId })).toMatchObject({ outcome: 'alreadyPaid' });
    expect(await prove({ endToEndId, bankReference: 'B2' })).toMatchObject({
      outcome: 'paidTwice',
    });
    expect(await prove({ endToEndId: 'nobody' })).toEqual({ outcome: 'unknown' });
    expect(await balance(app, 'H', scene.hospitalCode, '1103')).toBe(0n);
    expect(await balance(app, 'H', scene.hospitalCode, '1102')).toBe(30_000n);
    expect(await balance(app, 'B', LENDER, '1321')).toBe(-30_000n);
    expect((await desk.read(`/v1/payouts/${payout.id}`)).body).toMatchObject({
      status: 'paid',
      bankReference: 'B1',
    });
    const told = await rows<{ data: ReplyBody }>(
      app.db,
      sql`select data from event where type = 'payout.paid'`,
    );
    expect(told).toMatchObject([{ data: { payoutId: payout.id, amount: '300.00' } }]);
    await expectLaws(app);
  });

  it('lists captures and refunds gross and pays them net, nothing twice', async () => {
    const { settlement } = await onCredit(scene);
    await refundLine(scene, settlement.id, 1);
    const [payout] = await payOutDay();
    expect(payout).toMatchObject({
      amount: '200.00',
      gross: [
        { kind: 'capture', count: 1, amount: '300.00' },
        { kind: 'refund', count: 1, amount: '-100.00' },
      ],
    });
    const again = await desk.make({ businessDate: payout.businessDate });
    expect(again.body.data).toEqual([]);
    await expectLaws(app);
  });

  it('carries a negative day into the next payout (row 3c)', async () => {
    const { settlement } = await onCredit(scene);
    const [first] = await payOutDay();
    expect((await desk.approve(first.id)).status).toBe(200);
    await runPayoutJobs(app);
    await refundLine(scene, settlement.id, 2);
    const [negative] = await payOutDay();
    expect(negative).toMatchObject({ status: 'carried', amount: '-200.00' });
    expect((await desk.approve(negative.id)).body.code).toBe('payout/wrong-state');
    // A day of nothing new carries nothing on.
    expect(await payOutDay()).toEqual([]);
    await onCredit(scene);
    const [next] = await payOutDay();
    expect(next).toMatchObject({ status: 'proposed', amount: '100.00' });
    expect((await desk.read(`/v1/payouts/${negative.id}`)).body.carriedInto).toBe(next.id);
    await expectLaws(app);
    // Declined, it gives back what it had carried, and the next one takes it.
    expect((await desk.decline(next.id)).body.status).toBe('declined');
    expect((await desk.read(`/v1/payouts/${negative.id}`)).body.carriedInto).toBeNull();
    await expectLaws(app);
    const [again] = (await desk.make({ businessDate: next.businessDate })).body.data;
    expect(again).toMatchObject({ amount: '100.00', run: 2, status: 'proposed' });
    await expectLaws(app);
  });

  it.each(['sent', 'paid'])('reopens a returned payout that was %s (row 13)', async (state) => {
    await onCredit(scene);
    const payout = await sent();
    const { endToEndId } = payout;
    if (state === 'paid')
      await prove({ endToEndId, amount: BigInt(payout.amount.replace('.', '')) });
    const transit = await balance(app, 'H', scene.hospitalCode, '1103');
    const bank = await balance(app, 'H', scene.hospitalCode, '1102');
    const open = await balance(app, 'H', scene.hospitalCode, '1203');
    const amount = BigInt(payout.amount.replace('.', ''));
    expect((await desk.returned(payout.id)).body).toMatchObject({ status: 'returned' });
    expect(await balance(app, 'H', scene.hospitalCode, '1203')).toBe(open + amount);
    expect(await balance(app, 'H', scene.hospitalCode, state === 'sent' ? '1103' : '1102')).toBe(
      (state === 'sent' ? transit : bank) - amount,
    );
    await expectLaws(app);
    expect((await desk.returned(payout.id)).body.code).toBe('payout/wrong-state');
    const [again] = (await desk.make({ businessDate: payout.businessDate })).body.data;
    expect(again).toMatchObject({ amount: payout.amount, run: 2, status: 'proposed' });
    expect((await desk.approve(again.id)).status).toBe(200);
    await runPayoutJobs(app);
    await expectLaws(app);
  });

  it('is proposed by one person and approved by another, for a day that is over', async () => {
    await onCredit(scene);
    const businessDate = await today(app);
    expect((await desk.make({ businessDate })).body.code).toBe('payout/day-not-over');
    const both = await app.token('financeMaker', { subject: 'both' });
    await toDay(app, ++days);
    const made = await app.call('POST', '/v1/payouts', { token: both, body: { businessDate } });
    const checker = await app.token('financeChecker', { subject: 'both' });
    const id = made.body.data[0].id;
    const same = await app.call('POST', `/v1/payouts/${id}/approve`, { token: checker });
    expect(same.status).toBe(403);
    expect(same.body.code).toBe('finance/same-person');
    const forbidden = await app.call('POST', `/v1/payouts/${id}/approve`, { token: both });
    expect(forbidden.body.code).toBe('access/forbidden');
    expect((await desk.approve(id)).body).toMatchObject({ status: 'approved' });
    expect((await desk.approve(id)).body.code).toBe('payout/wrong-state');
    await runPayoutJobs(app);
  });

  it('lists a leg once although makers race', async () => {
    await Promise.all([onCredit(scene), onCredit(scene)]);
    const businessDate = await today(app);
    await toDay(app, ++days);
    const made = await Promise.all(Array.from({ length: 5 }, () => desk.make({ businessDate })));
    expect(made.map((reply) => reply.status)).toEqual([201, 201, 201, 201, 201]);
    expect(made.flatMap((reply) => reply.body.data)).toMatchObject([{ amount: '600.00' }]);
    await expectLaws(app);
  });

  it('shows a role of one hospital its own only, and pays only those', async () => {
    const there = await sceneOf(app, OTHER);
    await Promise.all([onCredit(scene), onCredit(there)]);
    const businessDate = await today(app);
    await toDay(app, ++days);
    const theirs = await app.token('financeMaker', { hospitalCode: OTHER });
    const denied = await app.call('POST', '/v1/payouts', {
      token: theirs,
      body: { businessDate, hospitalCode: scene.hospitalCode },
    });
    expect(denied.body.code).toBe('access/forbidden');
    const made = await app.call('POST', '/v1/payouts', { token: theirs, body: { businessDate } });
    expect(made.body.data).toMatchObject([{ hospitalCode: OTHER, amount: '300.00' }]);
    const [ours] = (await desk.make({ businessDate })).body.data;
    expect(ours.hospitalCode).toBe(scene.hospitalCode);
    const hidden = await app.call('GET', `/v1/payouts/${ours.id}`, { token: theirs });
    expect(hidden.status).toBe(404);
    const list = await app.call('GET', `/v1/payouts?businessDate=${businessDate}`, {
      token: theirs,
    });
    expect(list.body.data.map((one: ReplyBody) => one.hospitalCode)).toEqual([OTHER]);
    const city = await desk.read(`/v1/payouts?businessDate=${businessDate}&limit=1`);
    expect(city.body.data).toHaveLength(1);
    const rest = await desk.read(
      `/v1/payouts?businessDate=${businessDate}&limit=1&cursor=${city.body.nextCursor}`,
    );
    expect(rest.body.data).toHaveLength(1);
    expect(rest.body.nextCursor).toBeNull();
  });

  it('answers as CSV and XLSX, and advises the hospital leg by leg', async () => {
    const { settlement } = await onCredit(scene);
    await refundLine(scene, settlement.id, 1);
    const [payout] = await payOutDay();
    const list = await desk.read(`/v1/payouts?businessDate=${payout.businessDate}`, 'text/csv');
    expect(list.text).toContain(`${payout.id},${payout.businessDate},1,LWB,`);
    const sheet = await desk.read(
      `/v1/payouts?businessDate=${payout.businessDate}`,
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    );
    expect(sheet.text.slice(0, 2)).toBe('PK');
    const advice = await desk.read(`/v1/payouts/${payout.id}/advice`, 'text/csv');
    const [header, ...lines] = advice.text.replace('\uFEFF', '').trim().split('\r\n');
    expect(header).toBe(
      'payoutId,businessDate,lender,fixmedinsCode,settlementId,receiptNumber,kind,amount',
    );
    const start = `${payout.id},${payout.businessDate},LWB,${scene.hospitalCode},${settlement.id},`;
    expect(lines).toEqual([`${start},capture,300.00`, `${start},refund,-100.00`]);
    const legs = await desk.read(`/v1/payouts/${payout.id}/legs?limit=1`);
    expect(legs.body.data).toMatchObject([{ position: 1, kind: 'capture' }]);
    const last = await desk.read(`/v1/payouts/${payout.id}/legs?cursor=${legs.body.nextCursor}`);
    expect(last.body).toMatchObject({ data: [{ position: 2, kind: 'refund' }], nextCursor: null });
  });
});
