// The sandbox insurer's inpatient trades and filings on the wire, with their quirks (nhsa.md §2.11, §6).
import { describe, expect, test } from 'vitest';
import {
  billingData,
  newPerson,
  reverse,
  setlinfoOf,
  type TestPerson,
  type TestVisit,
} from './visits.ts';
import { type Sent, useInsurer } from './wire.ts';

const insurer = useInsurer();
let stays = 0;
let lines = 0;

function admission(person: TestPerson, number: string, extra: Record<string, unknown> = {}) {
  return {
    mdtrtinfo: {
      psn_no: person.psnNo,
      insutype: person.insutype,
      begntime: '2026-11-01 09:00:00',
      mdtrt_cert_type: '02',
      mdtrt_cert_no: person.idNumber,
      cert_type: '01',
      certno: person.idNumber,
      med_type: '2101',
      ipt_no: number,
      atddr_no: 'D350200000001',
      chfpdr_name: '李医生',
      adm_diag_dscr: '心绞痛',
      adm_dept_codg: 'A03',
      adm_dept_name: '内科',
      adm_bed: '12',
      dscg_maindiag_code: 'I20.000',
      dscg_maindiag_name: '不稳定型心绞痛',
      insuplc_admdvs: person.region,
      mdtrtarea_admvs: '350200',
      ...extra,
    },
    diseinfo: [{ diag_type: '1', maindiag_flag: '1', diag_srt_no: '1', diag_code: 'I20.000' }],
  };
}

async function admit(person?: TestPerson, extra?: Record<string, unknown>): Promise<TestVisit> {
  const who = person ?? (await newPerson(insurer));
  stays += 1;
  const visitNumber = `ZY${stays}`;
  const header = { insuplc_admdvs: who.region };
  const sent = await insurer.send('2401', admission(who, visitNumber, extra), { header });
  if (sent.infcode !== 0) throw new Error(sent.text);
  const mdtrtId = String(sent.at('output.result.mdtrt_id'));
  return { person: who, mdtrtId, visitNumber, begntime: '2026-11-01 09:00:00' };
}

function upload(visit: TestVisit, batch = 'B1', amount = '100.00'): Promise<Sent> {
  lines += 1;
  return insurer.send('2301', {
    feedetail: [
      {
        feedetl_sn: String(lines),
        mdtrt_id: visit.mdtrtId,
        psn_no: visit.person.psnNo,
        chrg_bchno: batch,
        fee_ocur_time: '2026-11-02 09:10:00',
        med_list_codg: '甲项',
        medins_list_codg: '甲项',
        det_item_fee_sumamt: amount,
        cnt: '1',
        pric: amount,
        med_type: '2101',
      },
    ],
  });
}

function bill(visit: TestVisit, isInterim: boolean, batch = 'B1', total = '100.00') {
  const extra = {
    mid_setl_flag: isInterim ? '1' : '0',
    insuplc_admdvs: visit.person.region,
    mdtrtarea_admvs: '350200',
    dscgTime: '',
  };
  return billingData(visit, { total, batch, extra });
}

const of = ({ mdtrtId, person }: TestVisit) => ({ mdtrt_id: mdtrtId, psn_no: person.psnNo });
const discharge = (visit: TestVisit) =>
  insurer.send('2402', {
    dscginfo: { ...of(visit), insutype: visit.person.insutype, endtime: '2026-11-08 10:00:00' },
    diseinfo: [],
  });
const cancelDischarge = (visit: TestVisit) => insurer.send('2405', { data: of(visit) });
const cancelAdmission = (visit: TestVisit) => insurer.send('2404', { data: of(visit) });
const emptied = (visit: TestVisit) =>
  insurer.send('2302', { data: [{ feedetl_sn: '0000', ...of(visit) }] });
const cancel = (visit: TestVisit, setlId: string) =>
  insurer.send('2305', { data: { ...of(visit), setl_id: setlId } });

async function billed(): Promise<TestVisit> {
  const visit = await admit();
  expect((await upload(visit)).infcode).toBe(0);
  return visit;
}

describe('a stay', () => {
  test('is settled in parts and as a whole, cleared as a stay, each with a setl_id of its own', async () => {
    const visit = await billed();
    expect(setlinfoOf(await insurer.send('2303', bill(visit, true))).setl_id).toBeNull();
    const first = setlinfoOf(await insurer.send('2304', bill(visit, true)));
    expect(first).toMatchObject({ clr_type: '21', medfee_sumamt: 100 });
    await upload(visit, 'B2', '50.00');
    const last = setlinfoOf(await insurer.send('2304', bill(visit, false, 'B2', '50.00')));
    const claims = await insurer.control.claims({ visitNumber: visit.visitNumber });
    expect(claims.map(({ setlId, status }) => [setlId, status])).toEqual([
      [first.setl_id, 'settled'],
      [last.setl_id, 'settled'],
    ]);
  });

  test('is found by its number in 5201, in hospital until 2402', async () => {
    const visit = await admit();
    const ask = () =>
      insurer.send('5201', {
        data: {
          psn_no: visit.person.psnNo,
          begntime: '2026-11-01 00:00:00',
          endtime: '2026-11-30 23:59:59',
          med_type: '2101',
        },
      });
    const row = async () => (await ask()).listAt('output.mdtrtinfo')[0];
    expect(await row()).toMatchObject({ ipt_otp_no: visit.visitNumber, inhosp_stas: '1' });
    await discharge(visit);
    expect(await row()).toMatchObject({ inhosp_stas: '0', endtime: '2026-11-08 10:00:00' });
  });

  test('is nobody’s to the outpatient trades, and an outpatient visit to the inpatient ones', async () => {
    const visit = await billed();
    const paid = setlinfoOf(await insurer.send('2304', bill(visit, false)));
    const tries: [string, object][] = [
      ['2202', { data: { ...of(visit), ipt_otp_no: visit.visitNumber } }],
      ['2205', { data: { ...of(visit), chrg_bchno: '0000' } }],
      ['2206', bill(visit, false)],
      ['2208', { data: { ...of(visit), setl_id: paid.setl_id } }],
    ];
    for (const [infno, input] of tries) {
      const sent = await insurer.send(infno, input as Record<string, unknown>);
      expect([infno, sent.infcode, sent.errMsg]).toEqual([infno, -1, '未查询到任何有效相关的记录']);
    }
  });

  test('is not settled where the patient must have left first, until they have', async () => {
    await insurer.control.setRules({ dischargeBeforeSettlement: true });
    const visit = await billed();
    const refused = await insurer.send('2304', bill(visit, false));
    expect(refused.errMsg).toBe('在院状态不允许结算');
    await discharge(visit);
    expect((await insurer.send('2304', bill(visit, true))).errMsg).toContain('不能办理中途结算');
    expect((await insurer.send('2304', bill(visit, false))).infcode).toBe(0);
    await insurer.control.setRules({});
  });
});

describe('2402, 2404 and 2405', () => {
  test('refuse repeats in words that say it is done', async () => {
    const visit = await admit();
    expect((await cancelDischarge(visit)).errMsg).toContain('未办理出院');
    expect((await discharge(visit)).infcode).toBe(0);
    expect((await discharge(visit)).errMsg).toContain('已办理出院');
    expect((await upload(visit)).errMsg).toContain('已出院');
    expect((await cancelAdmission(visit)).errMsg).toContain('不能撤销入院登记');
    expect((await cancelDischarge(visit)).infcode).toBe(0);
    expect((await cancelAdmission(visit)).infcode).toBe(0);
    expect((await cancelAdmission(visit)).errMsg).toContain('已撤销');
  });

  test('refuse while the stay holds charges or a claim', async () => {
    const visit = await billed();
    expect((await cancelAdmission(visit)).errMsg).toContain('费用明细');
    const paid = setlinfoOf(await insurer.send('2304', bill(visit, false)));
    await discharge(visit);
    expect((await cancelDischarge(visit)).errMsg).toContain('有效的出院结算信息');
    expect((await cancel(visit, String(paid.setl_id))).infcode).toBe(0);
    expect((await cancelDischarge(visit)).infcode).toBe(0);
    expect((await emptied(visit)).infcode).toBe(0);
    expect((await emptied(visit)).errMsg).toBe('未查询到任何有效相关的记录');
    expect((await cancelAdmission(visit)).infcode).toBe(0);
  });

  test('leave a stay with an interim claim to be taken back into hospital', async () => {
    const visit = await billed();
    await insurer.send('2304', bill(visit, true));
    await discharge(visit);
    expect((await cancelDischarge(visit)).infcode).toBe(0);
  });
});

describe('2305 and 2601', () => {
  test('take a stay’s claim back once, with some amounts null', async () => {
    const visit = await billed();
    const paid = setlinfoOf(await insurer.send('2304', bill(visit, false)));
    const back = setlinfoOf(await cancel(visit, String(paid.setl_id)));
    expect(back).toMatchObject({ medfee_sumamt: -100, psn_part_amt: null, setl_type: '2' });
    expect((await cancel(visit, String(paid.setl_id))).errMsg).toContain('已撤销');
    expect((await insurer.send('2304', bill(visit, false))).infcode).toBe(0);
  });

  test('reverse a 2304, a 2305 and an empty 2401 by their message', async () => {
    const visit = await billed();
    const paid = await insurer.send('2304', bill(visit, false));
    expect((await reverse(insurer, visit, paid.msgid, '2304')).infcode).toBe(0);
    expect((await reverse(insurer, visit, paid.msgid, '2304')).errMsg).toContain('不能办理冲正');
    const again = await insurer.send('2304', bill(visit, false));
    const taken = await cancel(visit, String(setlinfoOf(again).setl_id));
    expect((await reverse(insurer, visit, taken.msgid, '2305')).infcode).toBe(0);
    const person = await newPerson(insurer);
    const lost = await insurer.send('2401', admission(person, 'ZY-lost'));
    const at = { ...visit, person };
    expect((await reverse(insurer, at, lost.msgid, '2401')).infcode).toBe(0);
    expect((await reverse(insurer, at, 'nothing-like-it', '2401')).infcode).toBe(-1);
  });
});

describe('treatment elsewhere', () => {
  const visitor = (filed: boolean) => newPerson(insurer, { region: '310000', filed });
  const check = (person: TestPerson, more: Record<string, unknown> = {}) =>
    insurer.send(
      '2001',
      {
        data: {
          psn_no: person.psnNo,
          insutype: person.insutype,
          fixmedins_code: 'H35020000001',
          med_type: '11',
          begntime: '2026-11-01 09:00:00',
          ...more,
        },
      },
      { header: { insuplc_admdvs: person.region } },
    );
  const flagOf = (sent: Sent) => sent.listAt('output.trtinfo')[0]?.trt_enjymnt_flag;

  test('needs a filing, which 2001 tells and 2501 makes', async () => {
    const person = await visitor(false);
    expect(flagOf(await check(person))).toBe('0');
    const visit = await admit(person);
    await upload(visit);
    const refused = await insurer.send('2304', bill(visit, false));
    expect(refused.errMsg).toContain('未办理异地就医备案');
    const filed = await insurer.send('2501', {
      refmedin: {
        psn_no: person.psnNo,
        insutype: person.insutype,
        refl_type: '3',
        mdtrtarea_admdvs: '350200',
      },
    });
    expect(String(filed.at('output.result.trt_dcla_detl_sn'))).not.toBe('');
    expect(flagOf(await check(person))).toBe('1');
    const paid = setlinfoOf(await insurer.send('2304', bill(visit, false)));
    expect(paid.clr_type).toBe('99968');
  });

  test('is free of it in an emergency, by med_type or exp_content', async () => {
    const person = await visitor(false);
    expect(flagOf(await check(person, { med_type: '13' }))).toBe('1');
    expect(flagOf(await check(person, { exp_content: '{"OTP_ER_REFL_FLAG":"3"}' }))).toBe('1');
    expect(flagOf(await check(person, { exp_content: '{"OTP_ER_REFL_FLAG":"2"}' }))).toBe('0');
    expect(flagOf(await check(person, { exp_content: 'nonsense' }))).toBe('0');
    const visit = await admit(person, { exp_content: '{"IPT_TYPE":"2"}' });
    await upload(visit);
    expect((await insurer.send('2304', bill(visit, false))).infcode).toBe(0);
  });
});
