// Role: a settlement as the platform writes it: setlinfo and setldetail (nhsa.md §2.8), money as
// JSON numbers, some amounts null.
import { parseYuan } from '../../money.ts';
import type { Visit } from './books.ts';
import type { Person, SplitRecord } from './events.ts';
import { identityFields, personTypeOf } from './person-facts.ts';
import { toWireNumber } from './wire-number.ts';

export interface SetlinfoParts {
  visit: Visit;
  person: Person;
  split: SplitRecord;
  /** null in a preview (2206). */
  setlId: string | null;
  setlTime: string | null;
  /** The sender's message id: medins_setl_id. */
  msgid: string;
  certType: string;
  medType: string;
  ratio: string;
  clrType: string;
  clrOptins: string | null;
  /** Of the own account after this record. */
  balance: string;
  today: string;
}

/** setlinfo of 2206 and 2207. */
export function setlinfoOf(parts: SetlinfoParts) {
  const { visit, person, split } = parts;
  const supplement = supplementField(visit.insutype);
  return {
    mdtrt_id: visit.mdtrtId,
    setl_id: parts.setlId,
    ...identityFields(person, parts.today),
    insutype: visit.insutype,
    psn_type: personTypeOf(person, parts.today),
    cvlserv_flag: '0',
    setl_time: parts.setlTime,
    mdtrt_cert_type: parts.certType,
    med_type: parts.medType,
    ...amountsOf(split, 1n),
    [supplement]: number(split.supplementFund),
    pool_prop_selfpay: Number(parts.ratio),
    balc: number(parts.balance),
    medins_setl_id: parts.msgid,
    clr_optins: parts.clrOptins,
    clr_way: parts.setlId === null ? null : '1',
    clr_type: parts.clrType,
    exp_content: null,
  };
}

/** setlinfo of 2208: every amount negated, three of them null, as real platforms answer. */
export function reversalInfoOf(parts: SetlinfoParts, cashField: 'psn_cash_pay' | 'pdn_cash_pay') {
  const { psn_cash_pay: _notNegated, ...rest } = setlinfoOf(parts);
  const { psn_cash_pay: cash, ...negated } = amountsOf(parts.split, -1n);
  return {
    ...rest,
    ...negated,
    [supplementField(parts.visit.insutype)]: number(parts.split.supplementFund, -1n),
    [cashField]: cash,
    psn_part_amt: null,
    hosp_part_amt: null,
    acct_mulaid_pay: null,
  };
}

/** setldetail: funds, and account and hospital rows too, so its sum is not fund_pay_sumamt. */
export function setldetailOf(split: SplitRecord, insutype: string, sign: 1n | -1n = 1n) {
  const isEmployee = insutype === '310';
  const rows: [string, string, string][] = [
    [
      isEmployee ? '310102' : '390102',
      isEmployee ? '职工门诊统筹' : '居民门诊统筹',
      split.poolFund,
    ],
    [isEmployee ? '330100' : '390200', isEmployee ? '大额补助' : '居民大病', split.supplementFund],
    ['310200', '个人账户', split.account],
    ['999996', '医院垫付', split.hospitalBorne],
  ];
  return rows
    .filter(([, , amount]) => amount !== '0.00')
    .map(([code, name, amount]) => ({
      fund_pay_type: code,
      inscp_scp_amt: number(split.inScope, sign),
      crt_payb_lmt_amt: null,
      fund_payamt: number(amount, sign),
      fund_pay_type_name: name,
      setl_proc_info: null,
    }));
}

/** clr_type by med_type; a patient of another city clears as 99963 (outpatient) or 99968 (stay). */
export function clearingTypeOf(
  medType: string,
  isCrossRegion: boolean,
  kind: 'outpatient' | 'stay',
): string {
  if (isCrossRegion) return kind === 'stay' ? '99968' : '99963';
  if (kind === 'stay') return '21';
  const types: Record<string, string> = { 12: '12', 13: '13', 1301: '13', 14: '14', 51: '53' };
  return types[medType] ?? '11';
}

export function amountsOf(split: SplitRecord, sign: 1n | -1n) {
  return {
    medfee_sumamt: number(split.total, sign),
    fulamt_ownpay_amt: number(split.fullyOwn, sign),
    overlmt_selfpay: number(split.overLimit, sign),
    preselfpay_amt: number(split.firstOwn, sign),
    inscp_scp_amt: number(split.inScope, sign),
    act_pay_dedc: number(split.deductible, sign),
    hifp_pay: number(split.poolFund, sign),
    cvlserv_pay: 0,
    hifes_pay: 0,
    hifmi_pay: 0,
    hifob_pay: 0,
    hifdm_pay: 0,
    maf_pay: 0,
    oth_pay: 0,
    fund_pay_sumamt: number(split.fund, sign),
    psn_part_amt: number(split.personalPart, sign),
    acct_pay: number(split.account, sign),
    acct_mulaid_pay: number(split.familyAccount, sign),
    psn_cash_pay: number(split.cash, sign),
    hosp_part_amt: number(split.hospitalBorne, sign),
  };
}

function supplementField(insutype: string): 'hifob_pay' | 'hifmi_pay' {
  return insutype === '310' ? 'hifob_pay' : 'hifmi_pay';
}

/** Zero stays plain 0: JSON has a −0 that no platform sends. */
function number(yuan: string, sign: 1n | -1n = 1n): number {
  return toWireNumber(parseYuan(yuan) * sign);
}
