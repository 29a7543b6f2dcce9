// The roads of the sandbox insurer over its own wire: register, charge, preview, settle, cancel.
import { describe, expect, test } from 'vitest';
import {
  billedVisit,
  billingData,
  cancel,
  fenOf,
  newPerson,
  openVisit,
  preview,
  registration,
  reverse,
  setlinfoOf,
  settle,
  upload,
} from './visits.ts';
import { newMsgid, useInsurer } from './wire.ts';

const insurer = useInsurer();
const claimsAt = (visitNumber: string) => insurer.control.claims({ visitNumber });

describe('2207', () => {
  test('settles a batch and lists it in the books with yuan strings', async () => {
    const visit = await billedVisit(insurer);
    const sent = await settle(insurer, visit, { total: visit.total });
    const setlinfo = setlinfoOf(sent);
    expect(setlinfo.setl_id).toMatch(/^\d{30}$/);
    expect(setlinfo.medins_setl_id).toBe(sent.msgid);
    expect(setlinfo.medfee_sumamt).toBe(100);
    expect(await claimsAt(visit.visitNumber)).toEqual([
      {
        setlId: setlinfo.setl_id,
        mdtrtId: visit.mdtrtId,
        msgid: sent.msgid,
        fixmedinsCode: 'H35020000001',
        status: 'settled',
        medfeeSumamt: '100.00',
        fundPaySumamt: expect.stringMatching(/^\d+\.\d{2}$/),
        acctPay: '0.00',
        psnCashPay: expect.stringMatching(/^\d+\.\d{2}$/),
        setlTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/),
      },
    ]);
  });

  test('answers what 2206 answered before, which has neither setl_id nor time', async () => {
    const visit = await billedVisit(insurer, [
      { code: 'X1', quantity: '3', price: '12.345' },
      { code: 'X2', price: '80.10' },
    ]);
    const before = setlinfoOf(await preview(insurer, visit, { total: visit.total }));
    expect(before).toMatchObject({ setl_id: null, setl_time: null, clr_optins: null });
    const { fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt } = before;
    const extra = { fulamt_ownpay_amt, overlmt_selfpay, preselfpay_amt, inscp_scp_amt };
    const after = setlinfoOf(await settle(insurer, visit, { total: visit.total, extra }));
    for (const field of ['fund_pay_sumamt', 'psn_cash_pay', 'psn_part_amt', 'balc']) {
      expect(after[field]).toBe(before[field]);
    }
  });

  test('refuses a total that is not what was uploaded', async () => {
    const visit = await billedVisit(insurer);
    const sent = await settle(insurer, visit, { total: '99.99' });
    expect(sent.errMsg).toBe('医疗总费用与已上传费用不相等');
    expect(await claimsAt(visit.visitNumber)).toEqual([]);
  });

  test('refuses an echo of another preview', async () => {
    const visit = await billedVisit(insurer);
    const extra = { inscp_scp_amt: '1.00' };
    const sent = await settle(insurer, visit, { total: visit.total, extra });
    expect(sent.errMsg).toBe('预结算金额不匹配');
  });

  test('refuses a second settlement, of the same message too, and keeps one claim', async () => {
    const visit = await billedVisit(insurer);
    const first = await settle(insurer, visit, { total: visit.total });
    for (const msgid of [first.msgid, newMsgid()]) {
      const again = await settle(insurer, visit, { total: visit.total }, { msgid });
      expect(again.infcode).toBe(-1);
      expect(again.errMsg).toBe('门诊患者已结算请勿重复结算');
    }
    expect(await claimsAt(visit.visitNumber)).toHaveLength(1);
  });

  test('refuses the message again after its settlement was cancelled', async () => {
    const visit = await billedVisit(insurer);
    const first = await settle(insurer, visit, { total: visit.total });
    await cancel(insurer, visit, String(setlinfoOf(first).setl_id));
    const again = await settle(insurer, visit, { total: visit.total }, { msgid: first.msgid });
    expect(again.errMsg).toBe('门诊患者已结算请勿重复结算');
    const anew = await settle(insurer, visit, { total: visit.total });
    expect(anew.infcode).toBe(0);
  });

  test('refuses a visit without charges and one that was never described', async () => {
    const person = await newPerson(insurer);
    const empty = await openVisit(insurer, person);
    expect((await settle(insurer, empty, { total: '0.00' })).errMsg).toBe('费用明细List不能为空');
    const { mdtrtId } = await registered(person, 'undescribed');
    const visit = { ...empty, mdtrtId };
    await upload(insurer, visit, 'B1', [{ code: 'X', price: '5.00' }]);
    const sent = await settle(insurer, visit, { total: '5.00' });
    expect(sent.errMsg).toContain('请先上传门诊就诊信息');
  });

  test('refuses when cover is paused or gone since the registration', async () => {
    const person = await newPerson(insurer);
    const visit = await billedVisit(insurer, undefined, person);
    const pause = (status: 'paused' | 'none') =>
      insurer.control.addPerson({ ...personOf(person), insurance: { status } });
    await pause('paused');
    const paused = await settle(insurer, visit, { total: visit.total });
    expect(paused.errMsg).toContain('暂停参保');
    await pause('none');
    const none = await settle(insurer, visit, { total: visit.total });
    expect(none.errMsg).toContain('该参保人的参保信息为空');
    expect(await claimsAt(visit.visitNumber)).toEqual([]);
  });

  test('settles one batch of two, then the other, or both with one total', async () => {
    const visit = await billedVisit(insurer, [{ code: 'X', price: '10.00' }]);
    await upload(insurer, visit, 'B2', [{ code: 'Y', price: '7.00' }]);
    const first = await settle(insurer, visit, { total: '10.00', batch: 'B1' });
    expect(fenOf(setlinfoOf(first).medfee_sumamt)).toBe(1000n);
    const repeated = await settle(insurer, visit, { total: '10.00', batch: 'B1' });
    expect(repeated.errMsg).toBe('门诊患者已结算请勿重复结算');
    const second = await settle(insurer, visit, { total: '7.00', batch: 'B2' });
    expect(second.infcode).toBe(0);

    const other = await billedVisit(insurer, [{ code: 'X', price: '10.00' }]);
    await upload(insurer, other, 'B2', [{ code: 'Y', price: '7.00' }]);
    const both = await settle(insurer, other, { total: '17.00', batch: 'B2' });
    expect(fenOf(setlinfoOf(both).medfee_sumamt)).toBe(1700n);
  });

  test('takes the time of the insurer’s clock', async () => {
    const visit = await billedVisit(insurer);
    await insurer.control.setClock(400 * 86_400);
    const setlinfo = setlinfoOf(await settle(insurer, visit, { total: visit.total }));
    await insurer.control.setClock(0);
    const days =
      (Date.parse(`${String(setlinfo.setl_time).replace(' ', 'T')}+08:00`) - Date.now()) /
      86_400_000;
    expect(Math.round(days)).toBe(400);
  });
});

describe('accounts', () => {
  test('pay from the own balance only as far as it goes, and give it back on cancel', async () => {
    const person = await newPerson(insurer, { accountBalance: '8.00' });
    const visit = await billedVisit(insurer, undefined, person);
    const before = setlinfoOf(
      await preview(insurer, visit, { total: visit.total, accountUse: '1' }),
    );
    expect(before).toMatchObject({ acct_pay: 8, acct_mulaid_pay: 0, balc: 0 });
    const after = setlinfoOf(await settle(insurer, visit, { total: visit.total, accountUse: '1' }));
    expect(after).toMatchObject({ acct_pay: 8, balc: 0 });
    expect(await balanceOf(person)).toBe(0);
    await cancel(insurer, visit, String(after.setl_id));
    expect(await balanceOf(person)).toBe(8);
  });

  test('are not touched with flag 0, nor a relative’s with flag 1', async () => {
    const parent = await newPerson(insurer, { accountBalance: '500.00' });
    const person = await newPerson(insurer, { type: 'resident' }, [parent]);
    const visit = await billedVisit(insurer, undefined, person);
    for (const accountUse of ['0', '1']) {
      const info = setlinfoOf(await preview(insurer, visit, { total: visit.total, accountUse }));
      expect(info).toMatchObject({ acct_pay: 0, acct_mulaid_pay: 0 });
    }
  });

  test('with flag 2 pay the own one first, then the relative’s, which is in acct_pay', async () => {
    const parent = await newPerson(insurer, { accountBalance: '500.00' });
    const person = await newPerson(insurer, { accountBalance: '3.00' }, [parent]);
    const visit = await billedVisit(insurer, undefined, person);
    const info = setlinfoOf(await settle(insurer, visit, { total: visit.total, accountUse: '2' }));
    expect(info.psn_cash_pay).toBe(0);
    expect(info.acct_pay).toBe(info.psn_part_amt);
    expect(fenOf(info.acct_pay) - fenOf(info.acct_mulaid_pay)).toBe(300n);
    expect(fenOf(await balanceOf(parent))).toBe(50_000n - fenOf(info.acct_mulaid_pay));
    await reverse(insurer, visit, String(info.medins_setl_id));
    expect(await balanceOf(parent)).toBe(500);
    expect(await balanceOf(person)).toBe(3);
  });
});

describe('2208', () => {
  test('negates every amount, with a setl_id of its own, and frees the lines', async () => {
    const visit = await billedVisit(insurer);
    const settled = setlinfoOf(await settle(insurer, visit, { total: visit.total }));
    const info = setlinfoOf(await cancel(insurer, visit, String(settled.setl_id)));
    expect(info.setl_id).toMatch(/^\d{30}$/);
    expect(info.setl_id).not.toBe(settled.setl_id);
    expect(info).toMatchObject({ psn_part_amt: null, hosp_part_amt: null, acct_mulaid_pay: null });
    for (const field of ['medfee_sumamt', 'fund_pay_sumamt', 'inscp_scp_amt', 'hifp_pay']) {
      expect(fenOf(info[field])).toBe(-fenOf(settled[field]));
    }
    expect(fenOf(info.psn_cash_pay ?? info.pdn_cash_pay)).toBe(-fenOf(settled.psn_cash_pay));
    const [claim] = await claimsAt(visit.visitNumber);
    expect(claim).toMatchObject({ status: 'cancelled', setlId: settled.setl_id });
    expect((await settle(insurer, visit, { total: visit.total })).infcode).toBe(0);
    expect((await claimsAt(visit.visitNumber)).map(({ status }) => status)).toEqual([
      'cancelled',
      'settled',
    ]);
  });

  test('spells the cash field both ways', async () => {
    const fields = new Set<string>();
    for (let i = 0; i < 4; i += 1) {
      const visit = await billedVisit(insurer);
      const settled = setlinfoOf(await settle(insurer, visit, { total: visit.total }));
      if (i % 2 === 1) await newPerson(insurer);
      const info = setlinfoOf(await cancel(insurer, visit, String(settled.setl_id)));
      for (const name of Object.keys(info)) if (name.endsWith('_cash_pay')) fields.add(name);
    }
    expect([...fields].sort()).toEqual(['pdn_cash_pay', 'psn_cash_pay']);
  });

  test('refuses a repetition and an unknown or foreign settlement', async () => {
    const visit = await billedVisit(insurer);
    const setlId = String(setlinfoOf(await settle(insurer, visit, { total: visit.total })).setl_id);
    expect((await cancel(insurer, visit, '3'.repeat(30))).errMsg).toBe(
      '未查询到任何有效相关的记录',
    );
    const data = { setl_id: setlId, mdtrt_id: visit.mdtrtId, psn_no: visit.person.psnNo };
    const foreign = await insurer.send('2208', { data }, { header: { fixmedins_code: 'H99' } });
    expect(foreign.errMsg).toBe('未查询到任何有效相关的记录');
    await cancel(insurer, visit, setlId);
    expect((await cancel(insurer, visit, setlId)).errMsg).toBe('该笔结算已撤销，请勿重复办理');
  });
});

describe('2601', () => {
  test('takes back a settlement by its message id, answers nothing, and works once', async () => {
    const visit = await billedVisit(insurer);
    const { msgid } = await settle(insurer, visit, { total: visit.total });
    const done = await reverse(insurer, visit, msgid);
    expect(done.infcode).toBe(0);
    expect(done.at('output')).toBeNull();
    expect((await claimsAt(visit.visitNumber))[0]?.status).toBe('reversed');
    const again = await reverse(insurer, visit, msgid);
    expect(again.errMsg).toContain('退费结算标志不为未退费');
    expect((await settle(insurer, visit, { total: visit.total })).infcode).toBe(0);
  });

  test('is refused after 2208 in the real words', async () => {
    const visit = await billedVisit(insurer);
    const sent = await settle(insurer, visit, { total: visit.total });
    await cancel(insurer, visit, String(setlinfoOf(sent).setl_id));
    expect((await reverse(insurer, visit, sent.msgid)).errMsg).toContain(
      '冲正的结算信息退费结算标志不为未退费，不能办理冲正交易',
    );
  });

  test('does not know other messages, hospitals and persons, and only reverses settlements', async () => {
    const visit = await billedVisit(insurer);
    const { msgid } = await settle(insurer, visit, { total: visit.total });
    expect((await reverse(insurer, visit, newMsgid())).errMsg).toBe('未查询到原交易信息');
    const other = await newPerson(insurer);
    const asOther = await reverse(insurer, { ...visit, person: other }, msgid);
    expect(asOther.errMsg).toBe('未查询到原交易信息');
    const data = { psn_no: visit.person.psnNo, omsgid: msgid, oinfno: '2207' };
    const foreign = await insurer.send('2601', { data }, { header: { fixmedins_code: 'H99' } });
    expect(foreign.errMsg).toBe('未查询到原交易信息');
    expect((await reverse(insurer, visit, msgid, '2201')).errMsg).toBe('仅门诊结算/撤销支持冲正');
    expect((await claimsAt(visit.visitNumber))[0]?.status).toBe('settled');
  });

  test('of a 2208 makes the settlement live again, unless its lines moved on', async () => {
    const person = await newPerson(insurer, { accountBalance: '5.00' });
    const visit = await billedVisit(insurer, undefined, person);
    const bill = { total: visit.total, accountUse: '1' };
    const setlId = String(setlinfoOf(await settle(insurer, visit, bill)).setl_id);
    const cancelled = await cancel(insurer, visit, setlId);
    expect((await reverse(insurer, visit, cancelled.msgid, '2208')).infcode).toBe(0);
    expect((await claimsAt(visit.visitNumber))[0]?.status).toBe('settled');
    expect(await balanceOf(person)).toBe(0);
    const second = await cancel(insurer, visit, setlId);
    await settle(insurer, visit, bill);
    const refused = await reverse(insurer, visit, second.msgid, '2208');
    expect(refused.errMsg).toContain('明细已变动');
  });
});

async function balanceOf(person: { idNumber: string }): Promise<unknown> {
  const data = { mdtrt_cert_type: '02', mdtrt_cert_no: person.idNumber };
  const rows = (await insurer.send('1101', { data })).listAt('output.insuinfo');
  return rows.find((row) => row.psn_insu_stas === '1')?.balc;
}

async function registered(person: Awaited<ReturnType<typeof newPerson>>, visitNumber: string) {
  const sent = await insurer.send('2201', registration(person, visitNumber));
  return { mdtrtId: String(sent.at('output.data.mdtrt_id')) };
}

const personOf = ({ idNumber, name }: { idNumber: string; name: string }) => ({ idNumber, name });

test('2206 and 2207 need every starred field', async () => {
  const visit = await billedVisit(insurer);
  const { data } = billingData(visit, { total: visit.total });
  for (const field of ['medfee_sumamt', 'chrg_bchno', 'acct_used_flag', 'psn_setlway']) {
    const sent = await insurer.send('2207', { data: { ...data, [field]: '' } });
    expect(sent.errMsg).toContain(`${field}不能为空`);
  }
  const bare = await insurer.send('2206', { data: { ...data, mdtrt_cert_no: null } });
  expect(bare.errMsg).toMatch(/^就诊凭证编号不能为空\(.+@.+\)$/);
});
