// 2204 and 2205 of the sandbox insurer: charge lines, their split by the catalogue, their undoing.
import { describe, expect, test } from 'vitest';
import {
  billedVisit,
  feeRows,
  fenOf,
  newPerson,
  openVisit,
  preview,
  setlinfoOf,
  settle,
  type TestVisit,
  upload,
} from './visits.ts';
import { useInsurer } from './wire.ts';

const insurer = useInsurer();
const freshVisit = async () => openVisit(insurer, await newPerson(insurer));

describe('2204', () => {
  test('splits every line into four parts that sum to it', async () => {
    const visit = await freshVisit();
    const charges = Array.from({ length: 30 }, (_, i) => ({
      code: `未知${i}`,
      quantity: '1.5',
      price: `${i}.37`,
    }));
    const sent = await upload(insurer, visit, 'B1', charges);
    const rows = sent.listAt('output.result');
    expect(rows).toHaveLength(30);
    for (const row of rows) {
      const parts = ['fulamt_ownpay_amt', 'overlmt_amt', 'preselfpay_amt', 'inscp_scp_amt'];
      const sum = parts.reduce((total, part) => total + fenOf(row[part]), 0n);
      expect(sum).toBe(fenOf(row.det_item_fee_sumamt));
      expect(['01', '02']).toContain(row.chrgitm_lv);
    }
    expect(new Set(rows.map((row) => row.chrgitm_lv)).size).toBe(2);
  });

  test('follows the loaded catalogue: class, ratio, ceiling, limited use', async () => {
    await insurer.control.setCatalogue([
      { code: 'A', class: '甲' },
      { code: 'B', class: '乙', selfPayRatio: '0.15' },
      { code: 'C', class: '丙' },
      { code: 'CAP', class: '甲', priceLimit: '60.5' },
      { code: 'LIMITED', class: '甲', isLimitedUse: true },
    ]);
    const charge = (code: string, approval = '0') => ({ code, price: '100.00', approval });
    const sent = await upload(insurer, await freshVisit(), 'B1', [
      charge('A'),
      charge('B'),
      charge('C'),
      charge('CAP'),
      charge('LIMITED'),
      charge('LIMITED', '1'),
      charge('A', '2'),
    ]);
    const rows = sent.listAt('output.result');
    const split = rows.map((row) => [
      row.chrgitm_lv,
      row.selfpay_prop,
      row.fulamt_ownpay_amt,
      row.overlmt_amt,
      row.preselfpay_amt,
      row.inscp_scp_amt,
    ]);
    expect(split).toEqual([
      ['01', 0, 0, 0, 0, 100],
      ['02', 0.15, 0, 0, 15, 85],
      ['03', 1, 100, 0, 0, 0],
      ['01', 0, 0, 39.5, 0, 60.5],
      ['03', 1, 100, 0, 0, 0],
      ['01', 0, 0, 0, 0, 100],
      ['03', 1, 100, 0, 0, 0],
    ]);
    expect(rows[0]?.pric_uplmt_amt).toBe(999_999);
    expect(rows[3]?.pric_uplmt_amt).toBe(60.5);
  });

  test('takes all lines or none', async () => {
    const visit = await freshVisit();
    const refused = await upload(insurer, visit, 'B1', [
      { code: 'X', price: '10.00' },
      { code: 'Y', price: '10.00', amount: '11.00' },
    ]);
    expect(refused.errMsg).toContain('数量乘单价与明细项目费用总额不相等');
    expect((await preview(insurer, visit, { total: '10.00' })).errMsg).toBe('费用明细List不能为空');
  });

  test('accepts a rounding difference of one fen and no more', async () => {
    const visit = await freshVisit();
    const near = await upload(insurer, visit, 'B1', [
      { code: 'X', price: '3.333', amount: '3.34' },
    ]);
    expect(near.infcode).toBe(0);
    const far = await upload(insurer, visit, 'B2', [{ code: 'X', price: '3.333', amount: '3.35' }]);
    expect(far.infcode).toBe(-1);
  });

  test('refuses an empty list, a taken line number, a taken batch and a foreign visit', async () => {
    const visit = await freshVisit();
    const empty = await insurer.send('2204', { feedetail: [] });
    expect(empty.errMsg).toBe('费用明细List不能为空');
    await upload(insurer, visit, 'B1', [{ code: 'X', price: '1.00', sn: 'L1' }]);
    const taken = await upload(insurer, visit, 'B2', [{ code: 'X', price: '1.00', sn: 'L1' }]);
    expect(taken.errMsg).toContain('费用明细流水号L1重复');
    const batch = await upload(insurer, visit, 'B1', [{ code: 'X', price: '1.00', sn: 'L2' }]);
    expect(batch.errMsg).toContain('收费批次B1已上传');
    const unknown: TestVisit = { ...visit, mdtrtId: '123' };
    const foreign = await upload(insurer, unknown, 'B3', [{ code: 'X', price: '1.00' }]);
    expect(foreign.errMsg).toBe('未查询到任何有效相关的记录');
    const [row] = feeRows(visit, 'B4', [{ code: 'X', price: '1.00' }]);
    const [other] = feeRows(visit, 'B4', [{ code: 'X', price: '1.00' }]);
    const diseases = await insurer.send('2204', {
      feedetail: [
        { ...row, dise_codg: 'M1' },
        { ...other, dise_codg: 'M2' },
      ],
    });
    expect(diseases.errMsg).toContain('病种编码不一致');
  });

  test.each(['-1.00', 'abc', '1.001', ''])('refuses the amount %j', async (amount) => {
    const sent = await upload(insurer, await freshVisit(), 'B1', [
      { code: 'X', price: '1.00', amount },
    ]);
    expect(sent.infcode).toBe(-1);
  });

  test('reads money and quantities as JSON numbers too', async () => {
    const visit = await freshVisit();
    const [row] = feeRows(visit, 'B1', [{ code: 'X', price: '4.52' }]);
    const asNumbers = { ...row, cnt: 1, pric: 4.52, det_item_fee_sumamt: 4.52 };
    expect((await insurer.send('2204', { feedetail: [asNumbers] })).infcode).toBe(0);
    expect((await settle(insurer, visit, { total: '4.52' })).infcode).toBe(0);
  });
});

describe('the share of the fund', () => {
  test.each(['0.02', '0.03', '0.10', '1.00', '361.00', '98765.43'])(
    'of a bill of %s is more than nothing and less than all, whatever the code',
    async (price) => {
      for (const code of ['甲项', 'XB05BA', '330100001', '未知药品', 'Z']) {
        for (const type of ['employee', 'resident'] as const) {
          const person = await newPerson(insurer, { type });
          const visit = await billedVisit(insurer, [{ code, price }], person);
          const info = setlinfoOf(await preview(insurer, visit, { total: visit.total }));
          expect(fenOf(info.fund_pay_sumamt)).toBeGreaterThan(0n);
          expect(fenOf(info.fund_pay_sumamt)).toBeLessThan(fenOf(info.medfee_sumamt));
        }
      }
    },
  );

  test('follows insurance type, hospital level, deductible and supplement as told', async () => {
    await insurer.control.setCatalogue([{ code: 'A', class: '甲' }]);
    await insurer.control.setHospitals([{ code: 'H35020000001', level: 1, region: '350200' }]);
    const fund = async (type: 'employee' | 'resident') => {
      const person = await newPerson(insurer, { type });
      const visit = await billedVisit(insurer, [{ code: 'A', price: '100.00' }], person);
      return setlinfoOf(await preview(insurer, visit, { total: '100.00' }));
    };
    const firstLevel = await fund('employee');
    expect(firstLevel.fund_pay_sumamt).toBe(85);
    expect((await fund('resident')).fund_pay_sumamt).toBe(65);
    await insurer.control.setRules({
      deductible: { resident: '40.00' },
      ratios: { resident: { 1: '0.50' } },
      supplementRatio: '0.10',
      hospitalBorneRatio: '0.20',
    });
    expect(await fund('resident')).toMatchObject({
      act_pay_dedc: 40,
      hifp_pay: 30,
      hifmi_pay: 3,
      fund_pay_sumamt: 33,
      hosp_part_amt: 6,
      psn_part_amt: 61,
    });
    await insurer.control.setRules({});
    await insurer.control.setHospitals([{ code: 'H35020000001', level: 3, region: '350200' }]);
    expect((await fund('employee')).fund_pay_sumamt).toBe(70);
  });

  test('takes the deductible once a year and gives it back on cancel', async () => {
    await insurer.control.setCatalogue([{ code: 'A', class: '甲' }]);
    await insurer.control.setRules({ deductible: '150.00' });
    const person = await newPerson(insurer);
    const settled = async () => {
      const visit = await billedVisit(insurer, [{ code: 'A', price: '100.00' }], person);
      return { visit, info: setlinfoOf(await settle(insurer, visit, { total: '100.00' })) };
    };
    const first = await settled();
    expect(first.info.act_pay_dedc).toBe(100);
    expect((await settled()).info.act_pay_dedc).toBe(50);
    expect((await settled()).info.act_pay_dedc).toBe(0);
    await insurer.send('2208', {
      data: {
        setl_id: first.info.setl_id,
        mdtrt_id: first.visit.mdtrtId,
        psn_no: person.psnNo,
      },
    });
    expect((await settled()).info.act_pay_dedc).toBe(100);
    await insurer.control.setRules({});
  });
});

describe('2205', () => {
  const cancelFees = (visit: TestVisit, batch: string) =>
    insurer.send('2205', {
      data: { mdtrt_id: visit.mdtrtId, chrg_bchno: batch, psn_no: visit.person.psnNo },
    });

  test('takes back one batch or, with 0000, all unsettled ones', async () => {
    const visit = await billedVisit(insurer, [{ code: 'X', price: '5.00', sn: 'a' }]);
    await upload(insurer, visit, 'B2', [{ code: 'X', price: '6.00', sn: 'b' }]);
    await upload(insurer, visit, 'B3', [{ code: 'X', price: '7.00', sn: 'c' }]);
    expect((await cancelFees(visit, 'B2')).infcode).toBe(0);
    expect((await preview(insurer, visit, { total: '12.00' })).infcode).toBe(0);
    expect((await cancelFees(visit, '0000')).infcode).toBe(0);
    expect((await cancelFees(visit, '0000')).errMsg).toBe('未查询到任何有效相关的记录');
    const anew = await upload(insurer, visit, 'B1', [{ code: 'X', price: '9.00', sn: 'a' }]);
    expect(anew.infcode).toBe(0);
  });

  test('leaves settled lines alone', async () => {
    const visit = await billedVisit(insurer, [{ code: 'X', price: '5.00' }]);
    await settle(insurer, visit, { total: '5.00' });
    expect((await cancelFees(visit, 'B1')).errMsg).toBe('费用明细已结算，不能撤销');
    expect((await cancelFees(visit, '0000')).errMsg).toBe('未查询到任何有效相关的记录');
  });
});
