// Law: a channel's bill is read by the names in its header, and agrees with its own totals or is refused.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeZip } from '../../../src/insurance/write-zip.ts';
import { DAY, readFile, refusalOf } from './support.ts';

const columns =
  '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';
const summaryColumns =
  '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额';

type Cells = Record<string, string>;
const paid: Cells = {
  交易时间: `${DAY} 08:15:00`,
  商户号: '1600000001',
  微信订单号: '4200000000000001',
  商户订单号: 'WX1',
  交易状态: 'SUCCESS',
  货币种类: 'CNY',
  应结订单金额: '30.00',
  代金券金额: '0.00',
  退款金额: '0.00',
  充值券退款金额: '0.00',
  商品名称: '门诊',
  手续费: '0.18000',
  费率: '0.60%',
  订单金额: '30.00',
  申请退款金额: '0.00',
};
const refunded: Cells = {
  ...paid,
  交易时间: '2026-11-20 09:00:00',
  微信订单号: '4200000000000000',
  商户订单号: 'WX0',
  交易状态: 'REFUND',
  应结订单金额: '0.00',
  订单金额: '0.00',
  微信退款单号: '50300000001',
  商户退款单号: 'RF1',
  退款金额: '10.00',
  申请退款金额: '10.00',
  手续费: '-0.06000',
};
const tick = (names: string, cells: Cells) =>
  names
    .split(',')
    .map((name) => `\`${cells[name] ?? ''}`)
    .join(',');
const said: Cells = {
  总交易单数: '2',
  应结订单总金额: '30.00',
  退款总金额: '10.00',
  充值券退款总金额: '0.00',
  手续费总金额: '0.12000',
  订单总金额: '30.00',
  申请退款总金额: '10.00',
};
const bill = (rows: Cells[] = [paid, refunded], summary: Cells = said, names = columns) =>
  `\ufeff${[names, ...rows.map((row) => tick(names, row)), summaryColumns, tick(summaryColumns, summary)].join('\r\n')}\r\n`;
const wechat = (text: string | Buffer, format: string | null = null) =>
  readFile('wechatPay', text, { format });

describe('a WeChat Pay trade bill', () => {
  it('gives payments and refunds with the numbers that join', async () => {
    const { rows, totals, meta } = await wechat(bill());
    expect(rows[0]).toMatchObject({
      rowNumber: 2,
      kind: 'payment',
      key: 'WX1',
      key2: '4200000000000001',
      amount: 3000n,
      fee: 18n,
      occurredOn: DAY,
    });
    expect(rows[1]).toMatchObject({
      kind: 'refund',
      key: 'RF1',
      amount: -1000n,
      fee: -6n,
      occurredOn: DAY,
    });
    expect(rows[1]?.detail).toMatchObject({ 商户订单号: 'WX0', 微信退款单号: '50300000001' });
    expect(rows[0]?.detail).not.toHaveProperty('用户标识');
    expect(totals).toMatchObject({ count: 2, amount: 2000n });
    expect(meta).toEqual({ format: 'trade', merchants: ['1600000001'] });
  });

  it('is read by name whatever the order, with commas in names of goods', async () => {
    const names = columns.split(',').reverse().join(',');
    const { rows } = await wechat(
      bill([{ ...paid, 商品名称: '药,"A",布' }, refunded], said, names),
    );
    expect(rows.map((row) => row.key)).toEqual(['WX1', 'RF1']);
  });

  it.each(Object.keys(said))('is refused when its %s lies', async (column) => {
    const lie = column === '总交易单数' ? '3' : column === '手续费总金额' ? '0.13000' : '99.99';
    const text = bill(undefined, { ...said, [column]: lie });
    expect(await refusalOf(wechat(text))).toEqual(['file/totals-lie', 5, column]);
    // Money is told in yuan, as the bill has it.
    await expect(wechat(text)).rejects.toThrow(`合计 ${lie}`);
  });

  it('cut anywhere is refused, or says the same', async () => {
    const text = Buffer.from(bill());
    const whole = await wechat(text);
    for (let bytes = 0; bytes < text.length; bytes += 1) {
      const cut = await wechat(text.subarray(0, bytes)).catch((error) => ({ code: error.code }));
      if ('rows' in cut) expect(cut).toEqual(whole);
      else expect(cut.code).toMatch(/^file\//);
    }
  });

  it('gives the same rows however its bytes arrive', async () => {
    const text = Buffer.from(bill());
    const whole = await wechat(text);
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, async (some) => {
        expect(await readFile('wechatPay', text, {}, some)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it.each<[string, Cells, (string | number)[]]>([
    ['another day', { 交易时间: '2026-11-20 08:00:00' }, ['file/bad-value', 2, '交易时间']],
    ['another currency', { 货币种类: 'USD' }, ['file/bad-value', 2, '货币种类']],
    ['half a fen', { 订单金额: '30.001' }, ['file/bad-value', 2, '订单金额']],
    ['a formula for a number', { 商户订单号: '=1+1' }, ['file/formula', 2, '商户订单号']],
    ['no order number', { 商户订单号: '' }, ['file/bad-value', 2, '商户订单号']],
  ])('is refused for %s', async (_name, over, refusal) => {
    expect(await refusalOf(wechat(bill([{ ...paid, ...over }, refunded])))).toEqual(refusal);
  });

  it('is refused without a column, in GBK, with rows after its totals, and as another bill', async () => {
    const header = bill().replace('商户订单号', '订单');
    expect(await refusalOf(wechat(header))).toEqual(['file/wrong-header', 1, '商户订单号']);
    const gbk = Buffer.from([0xbd, 0xbb, 0xd2, 0xd7, 0xca, 0xb1, 0xbc, 0xe4, 0x0a]);
    expect(await refusalOf(wechat(gbk))).toEqual(['file/wrong-encoding', 1]);
    const after = `${bill()}${tick(columns, paid)}\n`;
    expect(await refusalOf(wechat(after))).toEqual(['file/bad-value', 6]);
    expect((await refusalOf(wechat(bill(), 'fundflow')))[0]).toBe('file/wrong-header');
    expect(await refusalOf(wechat('a,b\n1,2\n'))).toEqual(['file/unknown-format']);
  });
});

describe('a WeChat Pay fund-flow bill', () => {
  const names =
    '记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号';
  const flow = (over: Cells): Cells => ({
    记账时间: `${DAY} 10:00:00`,
    微信支付业务单号: '5001',
    资金流水单号: '1',
    业务名称: '交易',
    业务类型: '交易',
    收支类型: '收入',
    '收支金额(元)': '30.00',
    '账户结余(元)': '30.00',
    业务凭证号: 'WX1',
    ...over,
  });
  const out = flow({
    业务类型: '扣除交易手续费',
    收支类型: '支出',
    '收支金额(元)': '0.18',
    业务凭证号: 'WX1',
  });
  const file = (rows: Cells[], totals: string) =>
    [
      names,
      ...rows.map((row) => tick(names, row)),
      '资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额',
      totals,
    ].join('\n');

  it('gives signed movements and agrees with its totals', async () => {
    const { rows, totals } = await wechat(file([flow({}), out], '`2,`1,`30.00,`1,`0.18'));
    expect(rows.map(({ kind, key, amount }) => [kind, key, amount])).toEqual([
      ['payment', 'WX1', 3000n],
      ['fee', 'WX1', -18n],
    ]);
    expect(totals?.amount).toBe(2982n);
  });

  it('is refused when a row was left out', async () => {
    const reading = wechat(file([flow({})], '`2,`1,`30.00,`1,`0.18'));
    expect(await refusalOf(reading)).toEqual(['file/totals-lie', 4, '资金流水总笔数']);
  });
});

describe('an Alipay bill', () => {
  const gbk = (text: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures', text));
  const zipped = (name: string) =>
    writeZip([
      { name: '2088_20261121_业务明细.csv', data: gbk(name) },
      { name: '2088_20261121_业务明细(汇总).csv', data: gbk(name) },
    ]);
  const alipay = (content: Buffer, format: string | null = null) =>
    readFile('alipay', content, { format });

  it('of trades comes zipped in GBK, with # lines, tabs and totals', async () => {
    const { rows, totals, meta } = await alipay(zipped('alipay-trade.gbk.csv'));
    expect(rows.map(({ kind, key, key2, amount, fee }) => [kind, key, key2, amount, fee])).toEqual([
      ['payment', 'AL1', '2026112122001', 3000n, 18n],
      ['payment', 'AL2', '2026112122002', 1250n, 8n],
      ['refund', 'RF9', '2026112122001', -1000n, -6n],
    ]);
    expect(rows[0]?.occurredOn).toBe(DAY);
    expect(rows[0]?.detail).not.toHaveProperty('对方账户');
    expect(totals).toMatchObject({ count: 3, amount: 3250n });
    expect(meta).toEqual({ format: 'trade', account: '2088000000000001' });
  });

  it('of the account gives what came in and went out', async () => {
    const { rows } = await alipay(gbk('alipay-account.gbk.csv'));
    expect(rows.map(({ kind, key, amount }) => [kind, key, amount])).toEqual([
      ['payment', 'AL1', 3000n],
      ['fee', 'AL1', -18n],
    ]);
  });

  it('may come in UTF-8 and unzipped', async () => {
    const text = new TextDecoder('gb18030').decode(gbk('alipay-trade.gbk.csv'));
    expect((await alipay(Buffer.from(text))).rows).toHaveLength(3);
  });

  it('is refused when its totals lie or are missing, or it is the other bill', async () => {
    const text = new TextDecoder('gb18030').decode(gbk('alipay-trade.gbk.csv'));
    const lie = Buffer.from(text.replace('交易合计：2笔', '交易合计：3笔'));
    expect(await refusalOf(alipay(lie))).toEqual(['file/totals-lie', 10, '交易笔数']);
    const cut = Buffer.from(text.slice(0, text.indexOf('#退款合计')));
    expect((await refusalOf(alipay(cut)))[0]).toBe('file/truncated');
    const account = gbk('alipay-account.gbk.csv');
    expect((await refusalOf(alipay(account, 'trade')))[0]).toBe('file/wrong-header');
  });

  it('is refused in neither encoding, and empty without totals', async () => {
    const broken = Buffer.concat([
      gbk('alipay-trade.gbk.csv').subarray(0, 900),
      Buffer.from([0xff, 0xff, 0x0a]),
    ]);
    expect((await refusalOf(alipay(broken)))[0]).toBe('file/wrong-encoding');
    const text = new TextDecoder('gb18030').decode(gbk('alipay-trade.gbk.csv'));
    const lines = text.split('\r\n');
    const empty = [...lines.slice(0, 5), lines[8]];
    expect((await refusalOf(alipay(Buffer.from(empty.join('\n')))))[0]).toBe('file/truncated');
    const quiet = [...empty, '#交易合计：0笔，商家实收共0.00元，商家优惠共0.00元'];
    expect((await alipay(Buffer.from(quiet.join('\n')))).rows).toEqual([]);
  });

  it('is refused when its zip is cut, damaged, empty or holds something else', async () => {
    const zip = zipped('alipay-trade.gbk.csv');
    for (const bytes of [10, 100, zip.length - 30, zip.length - 1]) {
      expect((await refusalOf(alipay(zip.subarray(0, bytes))))[0]).toBe('file/truncated');
    }
    const damaged = Buffer.from(zip);
    damaged[120] = (damaged[120] ?? 0) ^ 0xff;
    expect((await refusalOf(alipay(damaged)))[0]).toMatch(/^file\/(truncated|zip-bomb)$/);
    const wrongSum = Buffer.from(zip);
    const entry = wrongSum.indexOf(Buffer.from('PK\x01\x02', 'latin1'));
    wrongSum.writeUInt32LE(1, entry + 16);
    expect((await refusalOf(alipay(wrongSum)))[0]).toBe('file/truncated');
    expect(await refusalOf(alipay(writeZip([])))).toEqual(['file/unknown-format']);
    const other = writeZip([{ name: 'a.exe', data: Buffer.from('x') }]);
    expect(await refusalOf(alipay(other))).toEqual(['file/unknown-format']);
    const climbing = writeZip([{ name: '../a.csv', data: Buffer.from('x') }]);
    expect(await refusalOf(alipay(climbing))).toEqual(['file/bad-value']);
  });

  it('is refused as a bomb by what comes out of it, by its claims and by its number of files', async () => {
    const zeros = writeZip([{ name: 'a.csv', data: Buffer.alloc(32 * 1024 * 1024, '#\n') }]);
    expect(await refusalOf(alipay(zeros))).toEqual(['file/zip-bomb']);
    const liar = Buffer.from(zeros);
    // The directory says that 10 bytes come out.
    const directory = liar.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
    liar.writeUInt32LE(10, directory + 24);
    expect(await refusalOf(alipay(liar))).toEqual(['file/zip-bomb']);
    const many = Array.from({ length: 65 }, (_, i) => ({
      name: `${i}.csv`,
      data: Buffer.from('x'),
    }));
    expect(await refusalOf(alipay(writeZip(many)))).toEqual(['file/zip-bomb']);
  });
});

const realBills = join(process.env.EGRET_REAL_DATA ?? '/nowhere', 'wechatpay', 'bills');
describe.skipIf(!existsSync(realBills))('real bills', () => {
  it.each([
    ['trade_ALL_01.csv', '2021-01-28', 3n],
    ['trade_SUCCESS_01.csv', '2021-02-01', 1n],
    ['trade_REFUND_01.csv', '2021-02-01', -2n],
  ])('%s is read and agrees with its totals', async (name, businessDate, amount) => {
    const content = readFileSync(join(realBills, name));
    const { totals } = await readFile('wechatPay', content, { businessDate });
    expect(totals?.amount).toBe(amount);
  });
});
