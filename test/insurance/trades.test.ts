// Role: the nodes that go to the insurer, and the look-up of a person.
import { describe, expect, it } from 'vitest';
import { claimDefaults } from '../../src/insurance/claim-defaults.ts';
import type { Answer, Message } from '../../src/insurance/insurer.ts';
import { lookUpPerson } from '../../src/insurance/person.ts';
import { findRegistrations, readRegistration } from '../../src/insurance/registration.ts';
import {
  acctUsedFlagOf,
  cancelRegistration2202,
  cancelSettle2208,
  feeCancel2205,
  feeUpload2204,
  medTypeOf,
  missingForClaim,
  preSettle2206,
  querySettlement5203,
  queryVisits5201,
  register2201,
  reverse2601,
  settle2207,
  visitInfo2203,
} from '../../src/insurance/trades.ts';
import { charge, person, visit } from './people.ts';

const settling = {
  person,
  visit,
  mdtrtId: 'M1',
  chrgBchno: 'B1',
  total: 2469n,
  acctUsedFlag: '1',
} as const;
const preview = {
  setlId: '',
  mdtrtId: 'M1',
  medinsSetlId: '',
  total: 2469n,
  fund: 1000n,
  account: 0n,
  familyAccount: 0n,
  hospitalBorne: 0n,
  cash: 1469n,
  insutype: '310',
  clrType: '11',
  clrOptins: '',
  setlTime: null,
  fullyOwnPaid: 469n,
  overLimit: 0n,
  firstOwnPaid: 100n,
  inScope: 1900n,
};

describe('the trades of a visit', () => {
  it('register with the certificate, the person and the original begin in Shanghai time', () => {
    expect(register2201(person, visit)).toEqual({
      data: {
        psn_no: person.psnNo,
        insutype: '310',
        begntime: '2026-01-02 10:30:00',
        mdtrt_cert_type: '02',
        mdtrt_cert_no: '35020319900101123X',
        card_sn: '',
        psn_cert_type: '01',
        certno: '35020319900101123X',
        psn_type: '11',
        psn_name: '李四',
        ipt_otp_no: 'V-1',
        atddr_no: claimDefaults.doctor.code,
        dr_name: claimDefaults.doctor.name,
        dept_code: 'A02',
        dept_name: '全科医疗科',
        caty: 'A02',
      },
    });
    expect(cancelRegistration2202(person, visit, 'M1')).toEqual({
      data: { psn_no: person.psnNo, mdtrt_id: 'M1', ipt_otp_no: 'V-1' },
    });
  });

  it('carry the doctor and the diagnoses where the terminal sent them', () => {
    const doctor = { code: 'D350200000001', name: '王医生' };
    const department = { code: 'A03', name: '内科' };
    const diagnoses = [
      { code: 'J06.900', name: '上呼吸道感染' },
      { code: 'BNP120', name: '感冒', type: '2', at: new Date('2026-01-02T03:00:00Z') },
    ];
    expect(visitInfo2203(person, { ...visit, doctor, department, diagnoses }, 'M1')).toEqual({
      mdtrtinfo: {
        mdtrt_id: 'M1',
        psn_no: person.psnNo,
        med_type: '11',
        begntime: '2026-01-02 10:30:00',
        main_cond_dscr: '',
        dise_codg: 'J06.900',
        dise_name: '上呼吸道感染',
      },
      diseinfo: [
        {
          diag_type: '1',
          diag_srt_no: '1',
          diag_code: 'J06.900',
          diag_name: '上呼吸道感染',
          diag_dept: '内科',
          dise_dor_no: 'D350200000001',
          dise_dor_name: '王医生',
          diag_time: '2026-01-02 10:30:00',
          vali_flag: '1',
        },
        {
          diag_type: '2',
          diag_srt_no: '2',
          diag_code: 'BNP120',
          diag_name: '感冒',
          diag_dept: '内科',
          dise_dor_no: 'D350200000001',
          dise_dor_name: '王医生',
          diag_time: '2026-01-02 11:00:00',
          vali_flag: '1',
        },
      ],
    });
    expect(visitInfo2203(person, visit, 'M1').diseinfo).toMatchObject([
      { diag_code: claimDefaults.diagnosis.code },
    ]);
  });

  it('upload each charge with yuan texts and its own time, marked when outside insurance', () => {
    const outside = { ...charge, lineNumber: 8, isOutsideInsurance: true, hospitalItemCode: 'X9' };
    const input = feeUpload2204({ ...settling, charges: [charge, outside] });
    expect(input.feedetail).toMatchObject([
      {
        feedetl_sn: '7',
        mdtrt_id: 'M1',
        psn_no: person.psnNo,
        chrg_bchno: 'B1',
        cnt: '2',
        pric: '12.345',
        det_item_fee_sumamt: '24.69',
        fee_ocur_time: '2026-01-03 00:05:06',
        med_list_codg: '001101000010000',
        medins_list_codg: '001101000010000',
        hosp_appr_flag: '0',
      },
      { feedetl_sn: '8', medins_list_codg: 'X9', hosp_appr_flag: '2' },
    ]);
    expect(feeCancel2205(person, 'M1')).toEqual({
      data: { mdtrt_id: 'M1', chrg_bchno: '0000', psn_no: person.psnNo },
    });
  });

  it('preview, and settle with the sums of the preview echoed', () => {
    const data = {
      psn_no: person.psnNo,
      med_type: '11',
      medfee_sumamt: '24.69',
      psn_setlway: '01',
      mdtrt_id: 'M1',
      chrg_bchno: 'B1',
      acct_used_flag: '1',
      insutype: '310',
    };
    expect(preSettle2206(settling)).toMatchObject({ data });
    expect(settle2207({ ...settling, preview })).toMatchObject({
      data: {
        ...data,
        fulamt_ownpay_amt: '4.69',
        overlmt_selfpay: '0.00',
        preselfpay_amt: '1.00',
        inscp_scp_amt: '19.00',
      },
    });
    expect(settle2207({ ...settling, preview })).not.toHaveProperty('drug_trac_info');
    const traced = { ...charge, traceCodes: ['81000001', '81000002'] };
    expect(settle2207({ ...settling, preview, charges: [traced] })).toMatchObject({
      drug_trac_info: [
        { feedetl_sn: '7', drug_trac_codg: '81000001' },
        { drug_trac_codg: '81000002' },
      ],
    });
  });

  it('cancel, reverse and ask by the ids of then', () => {
    expect(cancelSettle2208(person, { setlId: 'S1', mdtrtId: 'M1' })).toEqual({
      data: { setl_id: 'S1', mdtrt_id: 'M1', psn_no: person.psnNo },
    });
    expect(reverse2601(person, { msgid: 'MSG', infno: '2207' })).toEqual({
      data: { psn_no: person.psnNo, omsgid: 'MSG', oinfno: '2207' },
    });
    const period = { from: visit.startedAt, to: new Date('2026-01-02T16:00:00Z') };
    expect(queryVisits5201(person, visit, period)).toEqual({
      data: {
        psn_no: person.psnNo,
        begntime: '2026-01-02 00:00:00',
        endtime: '2026-01-03 23:59:59',
        med_type: '11',
        mdtrt_id: '',
      },
    });
    expect(querySettlement5203(person, { mdtrtId: 'M1' })).toEqual({
      data: { psn_no: person.psnNo, setl_id: '', mdtrt_id: 'M1' },
    });
  });

  it('choose the kind of visit and whose account money is used', () => {
    expect(
      ['outpatient', 'online', 'emergency', 'registration'].map((kind) => medTypeOf(kind)),
    ).toEqual(['11', '11', '13', '12']);
    expect(medTypeOf('emergency', '1301')).toBe('1301');
    expect(acctUsedFlagOf({ personal: false, family: false })).toBe('0');
    expect(acctUsedFlagOf({ personal: true, family: false })).toBe('1');
    expect(acctUsedFlagOf({ personal: true, family: true })).toBe('2');
  });

  it('name what a production claim lacks', () => {
    expect(missingForClaim({})).toEqual(['doctor', 'diagnoses']);
    expect(missingForClaim({ doctor: null, diagnoses: [] })).toEqual(['doctor', 'diagnoses']);
    expect(
      missingForClaim({ doctor: claimDefaults.doctor, diagnoses: [claimDefaults.diagnosis] }),
    ).toEqual([]);
  });

  it('find a registration again by the visit number', () => {
    expect(readRegistration({ data: { mdtrt_id: '300178725' } })).toBe('300178725');
    expect(readRegistration({})).toBeNull();
    const rows = [
      { mdtrt_id: 'M2', ipt_otp_no: 'V-1', begntime: '2026-01-03 00:00:00' },
      { mdtrt_id: 'M9', ipt_otp_no: 'V-2', begntime: '2026-01-01 00:00:00' },
      { mdtrt_id: 'M1', ipt_otp_no: 'V-1', begntime: '2026-01-02 00:00:00' },
    ];
    expect(findRegistrations({ mdtrtinfo: rows }, 'V-1')).toEqual(['M1', 'M2']);
    expect(findRegistrations({}, 'V-1')).toEqual([]);
  });
});

describe('looking a person up', () => {
  const ctx = {
    hospital: { code: 'H35020000001', name: '示范市第一医院', region: '350200' },
    operator: { id: 'op1', name: '张三' },
    msgid: 'MSG',
  };
  const row = {
    insutype: '310',
    psn_insu_stas: '1',
    insuplc_admdvs: '350200',
    psn_type: '11',
    balc: '12.3',
  };
  const base = {
    psn_no: person.psnNo,
    psn_name: '李四',
    certno: person.idNumber,
    psn_cert_type: '01',
  };
  const answerOf = (insuinfo: object[], baseinfo: object | null = base): Answer => ({
    outcome: 'ok',
    output: { baseinfo, insuinfo } as never,
  });
  const lookUp = (answer: Answer, seen: Message[] = []) => {
    const send = async (message: Message) => {
      seen.push(message);
      return answer;
    };
    const insurer = { send };
    return lookUpPerson(
      insurer,
      ctx,
      { certType: '02', certNo: person.certNo, name: '李四' },
      1_000,
    );
  };

  it('finds who is insured', async () => {
    const seen: Message[] = [];
    expect(await lookUp(answerOf([row]), seen)).toEqual({ outcome: 'found', person });
    expect(seen).toMatchObject([
      {
        infno: '1101',
        msgid: 'MSG',
        insuredRegion: null,
        input: {
          data: {
            mdtrt_cert_type: '02',
            mdtrt_cert_no: person.certNo,
            certno: person.certNo,
            psn_name: '李四',
          },
        },
      },
    ]);
  });

  it('keeps the name and number of who is paused or never was insured', async () => {
    expect(await lookUp(answerOf([{ ...row, psn_insu_stas: '2' }]))).toMatchObject({
      outcome: 'notInsured',
      person: { name: '李四', idNumber: person.idNumber, status: 'paused' },
    });
    expect(await lookUp(answerOf([]))).toMatchObject({
      outcome: 'notInsured',
      person: { name: '李四', status: 'none' },
    });
  });

  it('knows nobody behind a refused credential', async () => {
    expect(await lookUp({ outcome: 'rejected', reason: '凭证失效' })).toEqual({
      outcome: 'unknownPerson',
      reason: '凭证失效',
    });
    expect(await lookUp({ outcome: 'notInsured', reason: '基本信息为空' })).toEqual({
      outcome: 'notInsured',
      reason: '基本信息为空',
    });
  });

  it('is offline when the answer cannot be trusted, because asking changes nothing', async () => {
    for (const answer of [
      { outcome: 'offline', reason: 'x' },
      { outcome: 'unknown', reason: 'x' },
      answerOf([row], null),
      answerOf([row], { ...base, certno: '35020319900101999X' }),
    ] as Answer[]) {
      expect(await lookUp(answer)).toMatchObject({ outcome: 'offline' });
    }
  });
});
