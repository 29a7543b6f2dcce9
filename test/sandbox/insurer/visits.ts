// Roads that many insurer tests share: a person, a registered visit with charges, a settlement.
import { formatYuan, lineAmount, parseYuan, sumFen } from '../../../src/money.ts';
import { type Insurer, type Node, newIdNumber, type SendOptions, type Sent } from './wire.ts';

export interface TestPerson {
  idNumber: string;
  name: string;
  psnNo: string;
  insutype: string;
  region: string;
}

let people = 0;
let visits = 0;

export async function newPerson(
  insurer: Insurer,
  insurance: {
    status?: 'active' | 'paused' | 'none';
    type?: 'employee' | 'resident';
    region?: string;
    accountBalance?: string;
    filed?: boolean;
  } = {},
  kin: { idNumber: string }[] = [],
): Promise<TestPerson> {
  people += 1;
  const idNumber = `${newIdNumber().slice(0, 14)}${String(people).padStart(3, '0')}X`;
  const name = `测试${people}`;
  const type = insurance.type ?? 'employee';
  const region = insurance.region ?? '350200';
  const { psnNo } = await insurer.control.addPerson({
    idNumber,
    name,
    insurance: { status: 'active', type, region, ...insurance },
    kin: kin.map(({ idNumber: relative }) => ({ idNumber: relative })),
  });
  return { idNumber, name, psnNo, insutype: type === 'employee' ? '310' : '390', region };
}

export interface TestVisit {
  person: TestPerson;
  mdtrtId: string;
  visitNumber: string;
  begntime: string;
}

/** 2201 and 2203. */
export async function openVisit(
  insurer: Insurer,
  person: TestPerson,
  options: { medType?: string; header?: Record<string, unknown> } = {},
): Promise<TestVisit> {
  visits += 1;
  const visitNumber = `V${visits}`;
  const begntime = '2026-11-21 09:00:00';
  const header = { insuplc_admdvs: person.region, ...options.header };
  const registered = await insurer.send('2201', registration(person, visitNumber), { header });
  if (registered.infcode !== 0) throw new Error(registered.text);
  const mdtrtId = String(registered.at('output.data.mdtrt_id'));
  const described = await insurer.send('2203', {
    mdtrtinfo: {
      mdtrt_id: mdtrtId,
      psn_no: person.psnNo,
      med_type: options.medType ?? '11',
      begntime,
    },
    diseinfo: [diagnosis],
  });
  if (described.infcode !== 0) throw new Error(described.text);
  return { person, mdtrtId, visitNumber, begntime };
}

export function registration(person: TestPerson, visitNumber: string) {
  return {
    data: {
      psn_no: person.psnNo,
      insutype: person.insutype,
      begntime: '2026-11-21 09:00:00',
      mdtrt_cert_type: '02',
      mdtrt_cert_no: person.idNumber,
      psn_cert_type: '01',
      certno: person.idNumber,
      psn_type: '11',
      psn_name: person.name,
      ipt_otp_no: visitNumber,
      atddr_no: 'D350200000001',
      dr_name: '李医生',
      dept_code: 'A03',
      dept_name: '内科',
      caty: 'A03',
    },
  };
}

const diagnosis = {
  diag_type: '1',
  diag_srt_no: '1',
  diag_code: 'J06.900',
  diag_name: '急性上呼吸道感染',
  diag_dept: 'A03',
  dise_dor_no: 'D350200000001',
  dise_dor_name: '李医生',
  diag_time: '2026-11-21 09:05:00',
  vali_flag: '1',
};

export interface TestCharge {
  sn?: string;
  code: string;
  quantity?: string;
  price: string;
  amount?: string;
  approval?: string;
}

let lines = 0;

export function feeRows(visit: TestVisit, batch: string, charges: readonly TestCharge[]) {
  return charges.map((charge) => {
    lines += 1;
    const quantity = charge.quantity ?? '1';
    return {
      feedetl_sn: charge.sn ?? String(lines),
      mdtrt_id: visit.mdtrtId,
      psn_no: visit.person.psnNo,
      chrg_bchno: batch,
      fee_ocur_time: '2026-11-21 09:10:00',
      med_list_codg: charge.code,
      medins_list_codg: charge.code,
      det_item_fee_sumamt: charge.amount ?? formatYuan(lineAmount(quantity, charge.price)),
      cnt: quantity,
      pric: charge.price,
      bilg_dept_codg: 'A03',
      bilg_dept_name: '内科',
      bilg_dr_codg: 'D350200000001',
      bilg_dr_name: '李医生',
      hosp_appr_flag: charge.approval ?? '0',
    };
  });
}

/** 2204 of one batch; returns the answer. */
export function upload(
  insurer: Insurer,
  visit: TestVisit,
  batch: string,
  charges: readonly TestCharge[],
): Promise<Sent> {
  return insurer.send('2204', { feedetail: feeRows(visit, batch, charges) });
}

export interface Billing {
  total: string;
  batch?: string;
  accountUse?: string;
  extra?: Record<string, unknown>;
}

export function billingData(visit: TestVisit, bill: Billing) {
  const { person } = visit;
  return {
    data: {
      psn_no: person.psnNo,
      mdtrt_cert_type: '02',
      mdtrt_cert_no: person.idNumber,
      psn_cert_type: '01',
      certno: person.idNumber,
      psn_type: '11',
      psn_name: person.name,
      med_type: '11',
      medfee_sumamt: bill.total,
      psn_setlway: '01',
      mdtrt_id: visit.mdtrtId,
      chrg_bchno: bill.batch ?? 'B1',
      acct_used_flag: bill.accountUse ?? '0',
      insutype: person.insutype,
      ...bill.extra,
    },
  };
}

/** 2207. */
export function settle(
  insurer: Insurer,
  visit: TestVisit,
  bill: Billing,
  options: SendOptions = {},
): Promise<Sent> {
  return insurer.send('2207', billingData(visit, bill), options);
}

export function preview(insurer: Insurer, visit: TestVisit, bill: Billing): Promise<Sent> {
  return insurer.send('2206', billingData(visit, bill));
}

/** 2208. */
export function cancel(insurer: Insurer, visit: TestVisit, setlId: string): Promise<Sent> {
  return insurer.send('2208', {
    data: { setl_id: setlId, mdtrt_id: visit.mdtrtId, psn_no: visit.person.psnNo },
  });
}

/** 2601 of a message. */
export function reverse(
  insurer: Insurer,
  visit: TestVisit,
  omsgid: string,
  oinfno = '2207',
): Promise<Sent> {
  return insurer.send('2601', { data: { psn_no: visit.person.psnNo, omsgid, oinfno } });
}

/** A person, a visit, one uploaded batch B1. */
export async function billedVisit(
  insurer: Insurer,
  charges: readonly TestCharge[] = [{ code: '甲项', price: '100.00' }],
  person?: TestPerson,
): Promise<TestVisit & { total: string }> {
  const visit = await openVisit(insurer, person ?? (await newPerson(insurer)));
  const uploaded = await upload(insurer, visit, 'B1', charges);
  if (uploaded.infcode !== 0) throw new Error(uploaded.text);
  const rows = uploaded.listAt('output.result');
  const total = sumFen(rows.map((row) => fenOf(row.det_item_fee_sumamt)));
  return { ...visit, total: formatYuan(total) };
}

/** The setlinfo of an answer. */
export function setlinfoOf(sent: Sent): Node {
  if (sent.infcode !== 0) throw new Error(sent.text);
  return sent.nodeAt('output.setlinfo');
}

/** An amount of an answer as exact fen. */
export function fenOf(value: unknown): bigint {
  if (typeof value !== 'number') throw new Error(`not a JSON number: ${String(value)}`);
  const negative = value < 0;
  const fen = parseYuan(Math.abs(value).toFixed(2));
  return negative ? -fen : fen;
}
