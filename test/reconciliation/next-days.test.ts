// A difference lives as long as it is one: what another day explains is cleared on both days and stays so; what
// it does not explain is never hidden as a matter of days.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Finance, financeOf, post } from '../finance/support.ts';
import { nextNumber, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { atHour, breaksOf, type HisRow, hisRows, paidBill, reconcile } from './support.ts';

const app = useApp({ worker: false });
let finance: Finance;
let scene: Scene;
let day = '';
let days = 0;
beforeAll(async () => {
  finance = await financeOf(app);
});
beforeEach(async () => {
  days += 4;
  day = await atHour(app, 12, days);
  scene = await sceneOf(app);
});

const run = (businessDate: string, rows: HisRow[]) =>
  reconcile(
    scene,
    finance.maker,
    businessDate,
    rows.map((row) => ({ ...row, businessDate })),
  );
const nextDay = () => atHour(app, 12, days + 1);
const open = async () => {
  const path = `/v1/breaks?status=open&limit=100&hospital=${scene.hospitalCode}`;
  const { body } = await app.call('GET', path, { token: finance.maker });
  return body.data
    .filter((each: { businessDate: string }) => each.businessDate >= day)
    .map((each: { kind: string; businessDate: string }) => [each.businessDate, each.kind]);
};
/** So that a file is never empty, and another version has other bytes. */
const filler = async () => hisRows(scene, await paidBill(scene, [['cash', '1.00']]));

describe('a day that explains another', () => {
  it('may come again in another version, in whatever order', async () => {
    await atHour(app, 23.75, days);
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const first = await filler();
    await run(day, first);
    const next = await nextDay();
    const second = await filler();
    await run(next, [...second, ...hisRows(scene, paid)]);
    expect(await open()).toEqual([]);
    const again = second.map((row) => ({ ...row, shift: 'B' }));
    const rerun = await run(next, [...again, ...hisRows(scene, paid)]);
    expect(rerun.breaks.total).toBe(0);
    expect(await open()).toEqual([]);
    await run(
      day,
      first.map((row) => ({ ...row, shift: 'B' })),
    );
    expect(await open()).toEqual([]);
  });

  it('and does not any more in its corrected version leaves the difference open', async () => {
    await atHour(app, 23.75, days);
    const paid = await paidBill(scene, [['cash', '30.00']]);
    await run(day, await filler());
    const next = await nextDay();
    const second = await filler();
    await run(next, [...second, ...hisRows(scene, paid)]);
    expect(await open()).toEqual([]);
    await run(next, second);
    expect((await open()).map(([date]: string[]) => date)).toEqual([day]);
  });

  it('must have the same money of the same kind', async () => {
    await atHour(app, 23.75, days);
    const paid = await paidBill(scene, [['cash', '30.00']]);
    await run(day, await filler());
    const next = await nextDay();
    await run(next, [...(await filler()), ...hisRows(scene, paid, { kind: 'wechatPay' })]);
    expect((await open()).length).toBeGreaterThan(0);
  });

  it('is none when it only tells of a refund of the bill that is missing', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    await run(day, await filler());
    expect(await open()).toEqual([[day, 'missingAtHospital']]);
    const next = await nextDay();
    const refunds = `/v1/settlements/${paid.settlement.id}/refunds`;
    expect((await post(app, refunds, scene.terminal, { all: true, reason: '退费' })).status).toBe(
      201,
    );
    await run(next, [
      ...(await filler()),
      ...hisRows(scene, paid, {
        ...{ receiptNumber: nextNumber('R'), refundOf: paid.receipt ?? '', amount: '-30.00' },
      }),
    ]);
    expect(await open()).toEqual([[day, 'missingAtHospital']]);
  });
});

describe('yesterday’s receipt in today’s file', () => {
  it('is a duplicate when yesterday had it, too', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    await run(day, hisRows(scene, paid));
    const next = await nextDay();
    const today = await run(next, [...(await filler()), ...hisRows(scene, paid)]);
    expect(today.breaks.byKind).toEqual({ duplicateExternal: 1 });
    const [found] = await breaksOf(app, finance.maker, today.id);
    expect(found?.isSelfClearing).toBe(false);
  });

  it('turns out to be one when yesterday’s file comes later', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const next = await nextDay();
    await run(next, [...(await filler()), ...hisRows(scene, paid)]);
    expect(await open()).toEqual([[next, 'dateCutoff']]);
    await run(day, hisRows(scene, paid));
    expect(await open()).toEqual([[next, 'duplicateExternal']]);
  });
});
