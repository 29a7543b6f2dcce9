// An inpatient's money is back within three working days, or a person is told.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { findLateRefunds } from '../../src/inpatient/late-refunds.ts';
import { refundDueBy } from '../../src/inpatient/refund-clock.ts';
import { defaultStayPolicy } from '../../src/inpatient/stay-policy.ts';
import { newPatient, nextNumber, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { admit, chargeDay } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterAll(() => app.clock(0));

describe('the day by which money is due', () => {
  const plain = { refundWorkingDays: 3, holidays: [], extraWorkdays: [] };
  it.each([
    ['Monday', '2026-03-02T10:00:00+08:00', '2026-03-05'],
    ['Wednesday, over a weekend', '2026-03-04T10:00:00+08:00', '2026-03-09'],
    ['Friday', '2026-03-06T23:59:59+08:00', '2026-03-11'],
    ['Saturday at midnight', '2026-03-07T00:00:00+08:00', '2026-03-11'],
    ['Sunday', '2026-03-08T12:00:00+08:00', '2026-03-11'],
  ])('from %s', (_, since, dueBy) => {
    expect(refundDueBy(new Date(since), plain)).toBe(dueBy);
  });

  it('leaves out the national holiday and counts weekends that are worked', () => {
    const before = new Date('2026-09-30T10:00:00+08:00');
    expect(refundDueBy(before, defaultStayPolicy)).toBe('2026-10-10');
    expect(refundDueBy(before, plain)).toBe('2026-10-05');
  });

  it('is the same day where the policy gives no day', () => {
    const since = new Date('2026-03-07T10:00:00+08:00');
    expect(refundDueBy(since, { ...plain, refundWorkingDays: 0 })).toBe('2026-03-07');
  });
});

/** Seconds from now to noon in Shanghai of a date. */
const noonOf = (date: string) =>
  Math.round((Date.parse(`${date}T12:00:00+08:00`) - Date.now()) / 1000);

const casesOf = () =>
  rows<{ subject_id: string; detail: ReplyBody }>(
    app.db,
    sql`select subject_id, detail from finance_case where kind = 'refund/late'`,
  );

it('tells how long the hospital has to give back what a deposit was too much', async () => {
  await app.clock(noonOf('2026-11-27'));
  const { person } = await newPatient(app, { isEnrolled: false });
  const visit = await admit(scene, person);
  await chargeDay(scene, visit.id, 1);
  const deposit = { kind: 'deposit', amount: '1000.00', reference: nextNumber('D') };
  const paid = await settle(scene, visit.id, { counterTenders: [deposit] });
  expect(paid.status, paid.text).toBe(200);
  const [unused] = paid.body.unused;
  // 27 November 2026 is a Friday.
  expect(unused).toMatchObject({ kind: 'deposit', refundBy: '2026-12-02' });
});

it('opens one case for money that is not back on the fourth working day, and not before', async () => {
  await app.clock(noonOf('2026-11-27'));
  const { person } = await newPatient(app, { isEnrolled: false });
  const visit = await admit(scene, person);
  await chargeDay(scene, visit.id, 1);
  const cash = { kind: 'cash', amount: '300.00', reference: nextNumber('C') };
  const paid = await settle(scene, visit.id, { insurance: 'skip', counterTenders: [cash] });
  const refund = await app.call('POST', `/v1/settlements/${paid.body.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退' },
  });
  expect(refund.body.tenders, refund.text).toMatchObject([{ kind: 'cash', status: 'voucher' }]);
  await app.clock(noonOf('2026-12-02'));
  expect(await findLateRefunds(app.deps)).toBe(0);
  await app.clock(noonOf('2026-12-03'));
  expect(await findLateRefunds(app.deps)).toBe(1);
  expect(await findLateRefunds(app.deps)).toBe(0);
  const [late] = await casesOf();
  expect(late?.detail).toMatchObject({
    settlementId: paid.body.id,
    kind: 'cash',
    status: 'voucher',
    amount: '100.00',
    dueBy: '2026-12-02',
  });
});

it('says nothing of what is paid out, nor of outpatients', async () => {
  await app.clock(noonOf('2026-12-08'));
  const before = (await casesOf()).length;
  for (const kind of ['inpatient', 'outpatient']) {
    const { person } = await newPatient(app, { isEnrolled: false });
    const visit = await admit(scene, person, { kind });
    await chargeDay(scene, visit.id, 1);
    const cash = { kind: 'cash', amount: '300.00', reference: nextNumber('C') };
    const paid = await settle(scene, visit.id, { insurance: 'skip', counterTenders: [cash] });
    const refund = await app.call('POST', `/v1/settlements/${paid.body.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退' },
    });
    if (kind === 'outpatient') continue;
    const { voucherCode } = refund.body.tenders[0];
    const path = `/v1/refund-vouchers/${voucherCode}/payout`;
    expect((await app.call('POST', path, { token: scene.terminal })).status).toBe(200);
  }
  await app.clock(noonOf('2026-12-28'));
  expect(await findLateRefunds(app.deps)).toBe(0);
  expect(await casesOf()).toHaveLength(before);
});
