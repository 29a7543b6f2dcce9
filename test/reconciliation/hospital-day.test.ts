// A hospital's day file against our books: what agrees is counted, what differs is one break of the right kind.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Finance, financeOf, post } from '../finance/support.ts';
import { expectLaws, nextNumber, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import {
  atHour,
  breaksOf,
  type HisRow,
  hisFile,
  hisRows,
  paidBill,
  reconcile,
  send,
} from './support.ts';

const app = useApp({ worker: false });
let finance: Finance;
let scene: Scene;
let day = '';
let days = 0;
beforeAll(async () => {
  finance = await financeOf(app);
});
// Every test has a day of its own, so that no other's bills are in its file.
beforeEach(async () => {
  days += 3;
  day = await atHour(app, 12, days);
  scene = await sceneOf(app);
});

const kindsOf = async (rows: HisRow[]) => {
  const run = await reconcile(scene, finance.maker, day, rows);
  return { run, breaks: await breaksOf(app, finance.maker, run.id) };
};

describe('a hospital’s day', () => {
  it('agrees when every tender is there, in one row or in several', async () => {
    const one = await paidBill(scene, [
      ['cash', '30.00'],
      ['wechatPay', '20.00'],
    ]);
    const two = await paidBill(scene, [['alipay', '12.30']]);
    const [row] = hisRows(scene, two);
    if (!row) throw new Error('a row');
    const halves = [
      { ...row, amount: '10.00' },
      { ...row, amount: '2.30' },
    ];
    const { run, breaks } = await kindsOf([...hisRows(scene, one), ...halves]);
    expect(run).toMatchObject({
      status: 'done',
      totals: { ours: { count: 3, amount: '62.30' }, theirs: { count: 4, amount: '62.30' } },
      matched: 4,
      breaks: { total: 0, byKind: {} },
    });
    expect(breaks).toEqual([]);
    expect(run.fileHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is joined by settlement id, or by visit, when a side has no receipt of ours', async () => {
    const bySettlement = await paidBill(scene, [['cash', '11.00']], { receipt: null });
    const byVisit = await paidBill(scene, [['cash', '12.00']], { receipt: null });
    const { run } = await kindsOf([
      ...hisRows(scene, bySettlement),
      ...hisRows(scene, byVisit, { settlementId: '' }),
    ]);
    expect(run).toMatchObject({ matched: 2, breaks: { total: 0 } });
  });

  it('lists what only one side has', async () => {
    const ours = await paidBill(scene, [['cash', '30.00']]);
    const same = await paidBill(scene, [['cash', '31.00']]);
    const [stranger] = hisRows(scene, same, {
      ...{ receiptNumber: nextNumber('R'), visitNumber: nextNumber('V'), settlementId: '' },
      amount: '8.00',
    });
    const { run, breaks } = await kindsOf([...hisRows(scene, same), stranger as HisRow]);
    expect(run.breaks).toEqual({
      total: 2,
      byKind: { missingAtHospital: 1, missingAtPlatform: 1 },
    });
    const missing = breaks.find((each) => each.kind === 'missingAtHospital');
    expect(missing).toMatchObject({
      ...{ ourAmount: '30.00', theirAmount: null, settlementId: ours.settlement.id },
      ...{ status: 'open', owner: null, isSelfClearing: false, hospitalCode: scene.hospitalCode },
    });
    expect(missing?.evidence.ours).toMatchObject([{ kind: 'cash', amount: '30.00' }]);
    const unknown = breaks.find((each) => each.kind === 'missingAtPlatform');
    expect(unknown).toMatchObject({ ourAmount: null, theirAmount: '8.00' });
    expect(JSON.stringify(unknown)).not.toContain('王');
  });

  it('tells over, under and another split', async () => {
    const over = await paidBill(scene, [['cash', '30.00']]);
    const under = await paidBill(scene, [['cash', '30.00']]);
    const split = await paidBill(scene, [
      ['cash', '30.00'],
      ['wechatPay', '20.00'],
    ]);
    const swapped = hisRows(scene, split).map((row) => ({
      ...row,
      amount: row.kind === 'cash' ? '20.00' : '30.00',
    }));
    const { run } = await kindsOf([
      ...hisRows(scene, over, { amount: '33.00' }),
      ...hisRows(scene, under, { amount: '27.00' }),
      ...swapped,
    ]);
    expect(run.breaks.byKind).toEqual({ amountOver: 1, amountUnder: 1, splitMismatch: 1 });
    expect(run.matched).toBe(0);
  });

  it('knows refunds: of both, of one side, and of nobody’s payment', async () => {
    const both = await paidBill(scene, [['cash', '30.00']]);
    const oursOnly = await paidBill(scene, [['cash', '31.00']]);
    const theirsOnly = await paidBill(scene, [['cash', '32.00']]);
    for (const { settlement } of [both, oursOnly]) {
      const path = `/v1/settlements/${settlement.id}/refunds`;
      expect((await post(app, path, scene.terminal, { all: true, reason: '退费' })).status).toBe(
        201,
      );
    }
    const refundOf = (paid: typeof both, refundOf = paid.receipt ?? '') =>
      hisRows(scene, paid, {
        ...{ receiptNumber: nextNumber('R'), refundOf },
        amount: `-${paid.settlement.total}`,
      });
    const { run } = await kindsOf([
      ...[both, oursOnly, theirsOnly].flatMap((paid) => hisRows(scene, paid)),
      ...refundOf(both),
      ...refundOf(theirsOnly),
      ...refundOf(theirsOnly, 'R-of-nobody').map((row) => ({
        ...row,
        settlementId: '',
        visitNumber: '',
      })),
    ]);
    expect(run.breaks.byKind).toEqual({ statusMismatch: 2, orphanRefund: 1 });
    await expectLaws(app);
  });

  it('tells the same twice, on either side, from other particulars', async () => {
    const twice = await paidBill(scene, [['cash', '30.00']]);
    const again = await paidBill(scene, [['cash', '31.00']]);
    const other = await paidBill(scene, [['cash', '32.00']]);
    const { run } = await kindsOf([
      ...hisRows(scene, twice),
      ...hisRows(scene, twice, { occurredAt: `${day}T12:00:05+08:00` }),
      ...hisRows(scene, again),
      ...hisRows(scene, again, { receiptNumber: nextNumber('R') }),
      ...hisRows(scene, other, { visitNumber: nextNumber('V') }),
    ]);
    expect(run.breaks.byKind).toEqual({ duplicateExternal: 2, dataMismatch: 1 });
  });

  it('never decides between several that fit', async () => {
    const visitNumber = nextNumber('V');
    const first = await paidBill(scene, [['cash', '30.00']], { receipt: null });
    const change = { settlementId: '', visitNumber: first.visitNumber };
    const { run, breaks } = await kindsOf([
      ...hisRows(scene, first, { ...change, receiptNumber: nextNumber('R') }),
      ...hisRows(scene, first, { ...change, receiptNumber: nextNumber('R') }),
      ...hisRows(scene, first, {
        ...change,
        visitNumber,
        receiptNumber: nextNumber('R'),
        amount: '1.00',
      }),
    ]);
    expect(run.breaks.byKind).toEqual({ ambiguous: 3, missingAtPlatform: 1 });
    expect(breaks.filter((each) => each.kind === 'ambiguous')).toHaveLength(3);
  });

  it('waits for a conversion instead of calling it a difference', async () => {
    await app.fault({ mode: 'refuseConnection' });
    const { newPatient, openVisit, charge, item, settle } = await import(
      '../settlement/support.ts'
    );
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person, { visitNumber: nextNumber('V') });
    await charge(scene, visit.id, [item(1, '100.00')]);
    const receipt = nextNumber('R');
    const { body } = await settle(scene, visit.id, { receiptNumber: receipt });
    await app.fault({ mode: 'none' });
    expect(body.insurance.status).toBe('awaitingInsurance');
    const paid = { settlement: body, visitNumber: visit.visitNumber, receipt };
    const insured = hisRows(scene, paid, { kind: 'insuranceFund' });
    const { run, breaks } = await kindsOf(insured);
    expect(run.breaks.byKind).toEqual({ conversionPending: 1 });
    expect(breaks[0]?.isSelfClearing).toBe(true);
  });
});

describe('a file that comes again', () => {
  it('is the same run; a corrected one clears what it mends', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const wrong = hisRows(scene, paid, { amount: '33.00' });
    const first = await reconcile(scene, finance.maker, day, wrong);
    const again = await reconcile(scene, finance.maker, day, wrong);
    expect(again.id).toBe(first.id);
    const [open] = await breaksOf(app, finance.maker, first.id);
    expect(open).toMatchObject({ kind: 'amountOver', status: 'open' });
    const mended = await reconcile(scene, finance.maker, day, hisRows(scene, paid));
    expect(mended.id).not.toBe(first.id);
    expect(mended.breaks.total).toBe(0);
    const [closed] = await breaksOf(app, finance.maker, first.id);
    expect(closed).toMatchObject({
      status: 'cleared',
      resolution: { by: 'reconciliation', reconciliationId: mended.id },
    });
  });

  it('by two people at once is one run', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const file = hisFile(hisRows(scene, paid, { amount: '31.00' }));
    const query = { counterparty: 'hospital', businessDate: day, hospital: scene.hospitalCode };
    const sent = await Promise.all(
      Array.from({ length: 6 }, (_, i) =>
        send(app, i % 2 ? finance.maker : finance.checker, query, file),
      ),
    );
    expect(sent.map((reply) => reply.status)).toEqual([202, 202, 202, 202, 202, 202]);
    expect(new Set(sent.map((reply) => reply.body.id)).size).toBe(1);
    expect(await breaksOf(app, finance.maker, sent[0]?.body.id)).toHaveLength(1);
  });

  it('under one key gives one reply', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const query = new URLSearchParams({
      ...{ counterparty: 'hospital', businessDate: day, hospital: scene.hospitalCode },
    });
    const ask = () =>
      app.call('POST', `/v1/reconciliations?${query}`, {
        token: finance.maker,
        body: hisFile(hisRows(scene, paid)),
        headers: { 'content-type': 'text/csv' },
        key: `key-${paid.receipt}`,
      });
    const first = await ask();
    const second = await ask();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.text).toBe(first.text);
  });

  it('that is broken leaves its refusal, and nothing else', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const bad = hisRows(scene, paid, { amount: 'thirty' });
    const query = { counterparty: 'hospital', businessDate: day, hospital: scene.hospitalCode };
    const reply = await send(app, finance.maker, query, hisFile([...hisRows(scene, paid), ...bad]));
    expect(reply.status).toBe(422);
    expect(reply.body).toMatchObject({ code: 'file/bad-value', row: 3, column: 'amount' });
    const { body } = await app.call('GET', `/v1/reconciliations?businessDate=${day}`, {
      token: finance.maker,
    });
    expect(body.data).toMatchObject([
      { status: 'failed', problem: { code: 'file/bad-value', row: 3 } },
    ]);
    const mended = await reconcile(scene, finance.maker, day, hisRows(scene, paid));
    expect(mended.breaks.total).toBe(0);
  });
});
