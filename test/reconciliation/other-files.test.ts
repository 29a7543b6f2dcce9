// The insurer is asked, a bank's statement proves payouts, channels' bills know references: each by its own keys.
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Counterparty } from '../../src/reconciliation/break-catalogue.ts';
import { importStatement } from '../../src/reconciliation/import-statement.ts';
import type { RunRow } from '../../src/reconciliation/run-store.ts';
import type { StatementRow } from '../../src/reconciliation/statement.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { type Finance, financeOf, post } from '../finance/support.ts';
import { chargedVisit, newPatient, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { atHour, breaksOf, paidBill, readRun } from './support.ts';

const app = useApp({ worker: false });
let finance: Finance;
let scene: Scene;
beforeAll(async () => {
  finance = await financeOf(app);
  scene = await sceneOf(app);
});

/** A statement of these rows, as its reader would give it. */
function compare(
  counterparty: Counterparty,
  businessDate: string,
  rows: Partial<StatementRow>[],
): Promise<RunRow> {
  const whole = rows.map((row, index) => ({
    ...{ rowNumber: index + 2, kind: 'payment', key: '', key2: null, amount: 0n, fee: 0n },
    ...{ occurredOn: businessDate, detail: {} },
    ...row,
  }));
  const text = JSON.stringify(whole, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  return importStatement(
    app.deps,
    {
      ...{ counterparty, businessDate, hospitalCode: scene.hospitalCode, lender: null },
      ...{ format: 'test', fileHash: createHash('sha256').update(text).digest('hex') },
      createdBy: 'test',
    },
    () => ({
      rows: (async function* () {
        yield whole;
      })(),
      meta: () => ({}),
      claimedTotals: () => null,
    }),
  );
}

const kindsOf = (run: RunRow) => (run.detail as { byKind: Record<string, number> }).byKind;

describe('a channel’s bill', () => {
  it('is joined by reference; refunds, fees and strangers are told apart', async () => {
    const day = await atHour(app, 12, 3);
    const references: string[] = [];
    for (const amount of ['10.00', '20.00', '30.00']) {
      const { settlement } = await paidBill(scene, [['wechatPay', amount]]);
      references.push(settlement.tenders[0].reference);
    }
    const [good, lost, dear] = references;
    const refunded = { kind: 'refund', key: 'REFUND-1', amount: -500n };
    const run = await compare('wechatPay', day, [
      { key: good as string, amount: 1000n, fee: 6n, detail: { 费率: '0.60%' } },
      { key: dear as string, amount: 3000n, fee: 99n, detail: { 费率: '0.60%' } },
      { key: 'of-nobody', amount: 700n },
      { ...refunded, detail: { 商户订单号: good as string } },
      { ...refunded, key: 'REFUND-2', detail: { 商户订单号: 'of-nobody-else' } },
    ]);
    expect(lost).toBeDefined();
    expect(kindsOf(run)).toEqual({
      ...{ fee: 1, missingAtPlatform: 1, statusMismatch: 1, orphanRefund: 1, missingAtBank: 1 },
    });
    expect(run.matched).toBe(1);
  });

  it('joins a refund under another number by its payment and its money, if only one fits', async () => {
    const day = await atHour(app, 12, 6);
    const { settlement } = await paidBill(scene, [['wechatPay', '10.00']]);
    const path = `/v1/settlements/${settlement.id}/refunds`;
    const made = await post(app, path, scene.terminal, { all: true, reason: '退号' });
    expect(made.status).toBeLessThan(300);
    await runWorkerOnce(app.deps);
    const reference = settlement.tenders[0].reference as string;
    const back = { kind: 'refund', amount: -1000n, detail: { 商户订单号: reference } };
    const paid = { key: reference, amount: 1000n };
    const run = await compare('wechatPay', day, [paid, { ...back, key: made.body.id }]);
    expect([kindsOf(run), run.matched]).toEqual([{}, 2]);
    const twice = await compare('wechatPay', day, [
      ...[paid, { ...back, key: made.body.id }],
      { ...back, key: 'REFUND-9', rowNumber: 3 },
    ]);
    expect(kindsOf(twice)).toEqual({ statusMismatch: 3 });
  });

  it('that lists one payment twice is a duplicate', async () => {
    const day = await atHour(app, 12, 7);
    const { settlement } = await paidBill(scene, [['alipay', '10.00']]);
    const row = { key: settlement.tenders[0].reference, amount: 1000n };
    const run = await compare('alipay', day, [row, { ...row, rowNumber: 9 }]);
    expect(kindsOf(run)).toEqual({ duplicateExternal: 1 });
  });
});

describe('a bank’s statement', () => {
  const payoutOf = async (id: string, amount: bigint, sentAt: Date) => {
    const endToEndId = `LWB-${scene.hospitalCode}-${id}`;
    await app.db.transaction(async (tx) => {
      await tx.execute(sql`set local session_replication_role = replica`);
      await tx.execute(sql`
        insert into payout (id, lender, hospital_code, business_date, run, amount, status, maker, checker,
          end_to_end_id, created_at, approved_at, sent_at)
        select ${`pay_${id}`}, 'LWB', ${scene.hospitalCode}, ${sentAt.toISOString()}::timestamptz::date,
          ${Number(id)}::int, ${amount.toString()}::bigint, 'sent', 'm', 'c', ${endToEndId}, at, at, at
        from (select ${sentAt.toISOString()}::timestamptz as at) t`);
      const { postEntry } = await import('../../src/ledger/post.ts');
      const { sentLegs } = await import('../../src/payout/payout.ts');
      const pair = { lender: 'LWB', hospitalCode: scene.hospitalCode };
      const legs = sentLegs(pair, amount);
      await postEntry(tx, {
        fact: 'payout.sent',
        subjectId: `pay_${id}`,
        occurredAt: sentAt,
        legs,
      });
    });
    return endToEndId;
  };
  const statusOf = async (id: string) => {
    const [row] = await app.db.execute(sql`select status from payout where id = ${`pay_${id}`}`);
    return row?.status;
  };

  it('proves payouts, also by a cut remark; what is late clears when it comes', async () => {
    const day = await atHour(app, 14, 9);
    const at = new Date(`${day}T14:00:00+08:00`);
    const whole = await payoutOf('11', 1000n, at);
    const cut = await payoutOf('12', 2000n, at);
    await payoutOf('13', 3000n, at);
    const late = await payoutOf('14', 4000n, at);
    await payoutOf('15', 7000n, at);
    await payoutOf('16', 7000n, at);
    const row = { kind: 'credit' };
    const run = await compare('bank', day, [
      { ...row, key: whole, amount: 1000n, detail: { AcctSvcrRef: 'B1' } },
      { ...row, key2: cut.slice(0, 20), amount: 2000n, detail: { AcctSvcrRef: 'B2' } },
      { ...row, amount: 3000n, detail: { AcctSvcrRef: 'B3' } },
      { ...row, amount: 7000n, detail: { AcctSvcrRef: 'B4' } },
    ]);
    expect(kindsOf(run)).toEqual({ ambiguous: 3, missingAtBank: 1 });
    expect(await Promise.all(['11', '12', '13', '14', '15'].map(statusOf))).toEqual([
      ...['paid', 'paid', 'paid', 'sent', 'sent'],
    ]);
    const next = await atHour(app, 14, 10);
    const second = await compare('bank', next, [
      { ...row, key: late, amount: 4000n, detail: { AcctSvcrRef: 'C1' } },
      { ...row, key: whole, amount: 1000n, detail: { AcctSvcrRef: 'C2' } },
    ]);
    expect(kindsOf(second)).toEqual({ duplicateExternal: 1 });
    expect(await statusOf('14')).toBe('paid');
    const open = (await breaksOf(app, finance.maker, run.id)).filter(
      (each) => each.status === 'open',
    );
    expect(open.map((each) => each.kind)).toEqual(['ambiguous', 'ambiguous', 'ambiguous']);
  });
});

describe('the insurer', () => {
  it('is asked for a hospital’s day, and agrees', async () => {
    const day = await atHour(app, 12, 20);
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const { body } = await settle(scene, visit.id);
    expect(body.insurance.status).toBe('claimed');
    const asked = await app.call(
      'POST',
      `/v1/reconciliations?counterparty=insurer&businessDate=${day}&hospital=${scene.hospitalCode}`,
      { token: finance.maker },
    );
    expect(asked.status, asked.text).toBe(202);
    const run = await readRun(app, finance.maker, asked.body.id);
    expect(run.breaks.byKind).toEqual({});
    expect(run).toMatchObject({ matched: 1, totals: { ours: { count: 1, amount: '300.00' } } });
  });
});
