// Bills of an account beside bills of trades, and an insurer's groups that share a file: nothing is invented.
import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Counterparty } from '../../src/reconciliation/break-catalogue.ts';
import { parseStatement } from '../../src/reconciliation/files/parse-statement.ts';
import { importStatement } from '../../src/reconciliation/import-statement.ts';
import { type Finance, financeOf } from '../finance/support.ts';
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

async function importText(counterparty: Counterparty, businessDate: string, text: string) {
  const hospitalCode = scene.hospitalCode;
  const run = await importStatement(
    app.deps,
    {
      ...{ counterparty, businessDate, hospitalCode, lender: null, format: 'auto' },
      ...{ fileHash: createHash('sha256').update(text).digest('hex'), createdBy: 'test' },
    },
    () =>
      parseStatement({
        ...{ counterparty, format: null, businessDate, hospitalCode },
        body: (async function* () {
          yield Buffer.from(text);
        })(),
      }),
  );
  return (run.detail as { byKind: Record<string, number> }).byKind;
}

describe('an Alipay account’s bill', () => {
  it('agrees though it lists fees and withdrawals; a refund is no part of its payment', async () => {
    const day = await atHour(app, 12, 3);
    const { settlement } = await paidBill(scene, [['alipay', '30.00']]);
    const order = settlement.tenders[0].reference;
    const row = (n: number, key: string, come: string, go: string, type: string) =>
      `${n},20261,${key},门诊,${day} 12:00:05,x,${come},${go},0.00,支付宝,${type},`;
    const bill = (rows: string[], come: string, go: string) =>
      [
        '账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注',
        ...rows,
        '#列表结束',
        `#支出合计：${go}`,
        `#收入合计：${come}`,
      ].join('\n');
    const paid = row(1, order, '30.00', '0.00', '在线支付');
    const fee = row(2, order, '0.00', '-0.18', '收费');
    const away = row(3, '', '0.00', '-29.82', '提现');
    const whole = bill([paid, fee, away], '1笔，共30.00元', '2笔，共-30.00元');
    expect(await importText('alipay', day, whole)).toEqual({});
    const back = row(4, order, '0.00', '-5.00', '交易退款');
    const refunded = bill([paid, fee, away, back], '1笔，共30.00元', '3笔，共-35.00元');
    // The payment agrees; only the refund, which we know nothing of, is listed.
    expect(await importText('alipay', day, refunded)).toEqual({ statusMismatch: 1 });
  });
});

describe('a WeChat Pay bill', () => {
  it('whose fee was taken of what remained after a coupon has the right fee', async () => {
    const day = await atHour(app, 12, 6);
    const { settlement } = await paidBill(scene, [['wechatPay', '100.00']]);
    const names =
      '交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,货币种类,应结订单金额,代金券金额,手续费,费率,订单金额';
    const cells = `${day} 12:00:00,wx,1900,4200,${settlement.tenders[0].reference},SUCCESS,CNY,90.00,10.00,0.54000,0.60%,100.00`;
    const tick = (line: string) => line.replace(/(^|,)/g, '$1`');
    const text = [
      ...[names, tick(cells), '总交易单数,应结订单总金额,手续费总金额,订单总金额'],
      tick('1,90.00,0.54000,100.00'),
    ].join('\n');
    expect(await importText('wechatPay', day, text)).toEqual({});
  });
});

describe('the insurer', () => {
  it('asked about two kinds of insurance, one of them not flat, tells each claim once', async () => {
    const day = await atHour(app, 12, 20);
    const claims: string[] = [];
    for (const type of ['employee', 'resident'] as const) {
      const { person } = await newPatient(app);
      const insurance = {
        status: 'active',
        type,
        region: '350200',
        accountBalance: '0.00',
      } as const;
      await app.register(person, { score: 650, insurance });
      const visit = await chargedVisit(scene, person);
      claims.push((await settle(scene, visit.id)).body.insurance.claimId);
    }
    const faults = { faults: [{ kind: 'amount', setlId: claims[0], add: '-1.50' }] };
    const put = await app.call('PUT', '/sandbox/insurer/statement-faults', { body: faults });
    expect(put.status, put.text).toBe(200);
    const query = `counterparty=insurer&businessDate=${day}&hospital=${scene.hospitalCode}`;
    const asked = await app.call('POST', `/v1/reconciliations?${query}`, { token: finance.maker });
    expect(asked.status, asked.text).toBe(202);
    const run = await readRun(app, finance.maker, asked.body.id);
    const found = await breaksOf(app, finance.maker, run.id);
    expect(found.map(({ kind }) => kind)).toEqual(['amountUnder']);
    expect(run.matched).toBe(1);
    await app.call('PUT', '/sandbox/insurer/statement-faults', { body: {} });
  });
});
