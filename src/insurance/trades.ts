// Role: the input node of each outpatient trade and query (nhsa.md §2.4–§2.13), from typed parameters. Pure.
// Money goes out as yuan strings, times as Shanghai texts, ids as they came.
import { type Fen, formatYuan } from '../money.ts';
import { type Coded, claimDefaults, type Diagnosis } from './claim-defaults.ts';
import { expContent } from './exp-content.ts';
import { feeRow, traceRows } from './fee-rows.ts';
import type { ClaimSplit } from './insurer.ts';
import type { InsuredPerson } from './person.ts';
import { regionRules } from './regions.ts';
import { wireDate, wireDateTime } from './wire-time.ts';

/** A message's input: node name → node. */
export type TradeInput = Record<string, unknown>;

export interface ClaimVisit {
  /** ipt_otp_no. */
  visitNumber: string;
  /** Begin of the visit; a late claim keeps it. */
  startedAt: Date;
  /** See `medTypeOf`. */
  medType: string;
  diseaseCode?: string;
  department?: Coded;
  doctor?: Coded;
  diagnoses: readonly Diagnosis[];
  /** mdtrtarea_admvs: where the patient is treated. */
  treatRegion?: string;
  /** Counts as filed when the patient is insured elsewhere (nhsa.md §6). */
  isEmergency?: boolean;
  /** Only of inpatients: they are claimed by trades of their own (claim-trades.ts). */
  stay?: Stay;
}

/** A hospital stay as the insurer sees it. */
export interface Stay {
  admission: {
    number?: string;
    bed?: string;
    ward?: string;
    contactName?: string;
    contactPhone?: string;
    type?: AdmissionType;
  };
  /** Null while admitted. */
  dischargedAt: Date | null;
  /** The stay goes on after this settlement (mid_setl_flag 1). */
  isInterim: boolean;
  /** What was found at discharge; empty: the admission's diagnoses stand. */
  dischargeDiagnoses: readonly Diagnosis[];
}

/** IPT_TYPE of patients insured elsewhere: 1, 2, 3 (nhsa.md §6). */
export type AdmissionType = 'ordinary' | 'emergency' | 'transfer';

export interface ClaimCharge {
  lineNumber: number;
  code: string;
  name: string;
  /** Decimal strings. */
  quantity: string;
  unitPrice: string;
  amount: Fen;
  occurredAt: Date;
  isOutsideInsurance: boolean;
  hospitalItemCode?: string;
  doctor?: Coded;
  department?: Coded;
  prescriptionNumber?: string;
  traceCodes?: readonly string[];
}

/** 0 no account money, 1 the patient's own, 2 a relative's (共济) as well. */
export type AcctUsedFlag = '0' | '1' | '2';

export interface SettleParameters {
  person: InsuredPerson;
  visit: ClaimVisit;
  mdtrtId: string;
  chrgBchno: string;
  total: Fen;
  acctUsedFlag: AcctUsedFlag;
}

/** med_type of a visit: what the terminal said, else by kind (nhsa.md §2.14). */
export function medTypeOf(kind: string, given?: string, treatRegion = ''): string {
  if (given) return given;
  if (kind === 'inpatient') return regionRules(treatRegion).inpatientMedType;
  if (kind === 'emergency') return '13';
  return kind === 'registration' ? '12' : '11';
}

/** acct_used_flag from the patient's wishes. */
export function acctUsedFlagOf(wish: { personal: boolean; family: boolean }): AcctUsedFlag {
  if (wish.family) return '2';
  return wish.personal ? '1' : '0';
}

/** Names the clinical fields that a production claim needs and this visit lacks. */
export function missingForClaim(clinical: {
  doctor?: Coded | null;
  diagnoses?: readonly Diagnosis[] | null;
}): string[] {
  const missing: string[] = [];
  if (!clinical.doctor) missing.push('doctor');
  if (!clinical.diagnoses || clinical.diagnoses.length === 0) missing.push('diagnoses');
  return missing;
}

/** 2201 registration. */
export function register2201(person: InsuredPerson, visit: ClaimVisit): TradeInput {
  const department = visit.department ?? claimDefaults.department;
  const doctor = visit.doctor ?? claimDefaults.doctor;
  return {
    data: {
      ...certificateOf(person),
      insutype: person.insutype,
      begntime: wireDateTime(visit.startedAt),
      ipt_otp_no: visit.visitNumber,
      atddr_no: doctor.code,
      dr_name: doctor.name,
      dept_code: department.code,
      dept_name: department.name,
      caty: department.code,
      ...expContent(person, visit),
    },
  };
}

/** 2202 undoes a registration. */
export function cancelRegistration2202(
  person: InsuredPerson,
  visit: Pick<ClaimVisit, 'visitNumber'>,
  mdtrtId: string,
): TradeInput {
  return { data: { psn_no: person.psnNo, mdtrt_id: mdtrtId, ipt_otp_no: visit.visitNumber } };
}

/** 2203 kind of visit and diagnoses. */
export function visitInfo2203(
  person: InsuredPerson,
  visit: ClaimVisit,
  mdtrtId: string,
): TradeInput {
  const diagnoses = visit.diagnoses.length > 0 ? visit.diagnoses : [claimDefaults.diagnosis];
  const department = visit.department ?? claimDefaults.department;
  const doctor = visit.doctor ?? claimDefaults.doctor;
  return {
    mdtrtinfo: {
      mdtrt_id: mdtrtId,
      psn_no: person.psnNo,
      med_type: visit.medType,
      begntime: wireDateTime(visit.startedAt),
      main_cond_dscr: '',
      dise_codg: visit.diseaseCode ?? diagnoses[0]?.code ?? '',
      dise_name: diagnoses[0]?.name ?? '',
    },
    diseinfo: diagnoses.map((diagnosis, index) => ({
      diag_type: diagnosis.type ?? '1',
      diag_srt_no: String(index + 1),
      diag_code: diagnosis.code,
      diag_name: diagnosis.name,
      diag_dept: department.name,
      dise_dor_no: doctor.code,
      dise_dor_name: doctor.name,
      diag_time: wireDateTime(diagnosis.at ?? visit.startedAt),
      vali_flag: '1',
    })),
  };
}

/** 2204 uploads one batch of charges, whole, in one call. */
export function feeUpload2204(parameters: {
  person: InsuredPerson;
  visit: ClaimVisit;
  mdtrtId: string;
  chrgBchno: string;
  charges: readonly ClaimCharge[];
}): TradeInput {
  return { feedetail: parameters.charges.map((charge) => feeRow(parameters, charge)) };
}

/** 2205 takes back one uploaded batch; "0000" (the default) takes back all that is unsettled. */
export function feeCancel2205(
  person: InsuredPerson,
  mdtrtId: string,
  chrgBchno = '0000',
): TradeInput {
  return { data: { mdtrt_id: mdtrtId, chrg_bchno: chrgBchno, psn_no: person.psnNo } };
}

/** 2206 computes the split and settles nothing. */
export function preSettle2206(parameters: SettleParameters): TradeInput {
  return { data: settleData(parameters) };
}

/** 2207 settles; it echoes the four sums of 2206's answer. */
export function settle2207(
  parameters: SettleParameters & {
    preview: ClaimSplit;
    charges?: readonly ClaimCharge[];
    invoiceNumber?: string;
  },
): TradeInput {
  const { preview } = parameters;
  const traced = (parameters.charges ?? []).flatMap(traceRows);
  return {
    data: {
      ...settleData(parameters),
      invono: parameters.invoiceNumber ?? '',
      fulamt_ownpay_amt: formatYuan(preview.fullyOwnPaid),
      overlmt_selfpay: formatYuan(preview.overLimit),
      preselfpay_amt: formatYuan(preview.firstOwnPaid),
      inscp_scp_amt: formatYuan(preview.inScope),
    },
    ...(traced.length > 0 ? { drug_trac_info: traced } : {}),
  };
}

/** 2208 cancels a settlement as a whole; the insurer knows no part of one. */
export function cancelSettle2208(
  person: Pick<InsuredPerson, 'psnNo'>,
  claim: { setlId: string; mdtrtId: string },
): TradeInput {
  return { data: { setl_id: claim.setlId, mdtrt_id: claim.mdtrtId, psn_no: person.psnNo } };
}

/** 2601 reverses a message of unknown fate by its msgid. */
export function reverse2601(
  person: Pick<InsuredPerson, 'psnNo'>,
  message: { msgid: string; infno: string },
): TradeInput {
  return { data: { psn_no: person.psnNo, omsgid: message.msgid, oinfno: message.infno } };
}

/** 5201 lists the registrations of whole days, to find the one of an unknown 2201. */
export function queryVisits5201(
  person: InsuredPerson,
  visit: Pick<ClaimVisit, 'medType'>,
  period: { from: Date; to: Date },
): TradeInput {
  return {
    data: {
      psn_no: person.psnNo,
      begntime: `${wireDate(period.from)} 00:00:00`,
      endtime: `${wireDate(period.to)} 23:59:59`,
      med_type: visit.medType,
      mdtrt_id: '',
    },
  };
}

/** 5203 reads a settlement; without a setl_id only some regions answer. */
export function querySettlement5203(
  person: Pick<InsuredPerson, 'psnNo'>,
  claim: { mdtrtId: string; setlId?: string },
): TradeInput {
  return {
    data: { psn_no: person.psnNo, setl_id: claim.setlId ?? '', mdtrt_id: claim.mdtrtId },
  };
}

/** The insured person and the certificate shown, as most trades repeat them. */
export function certificateOf(person: InsuredPerson): Record<string, string> {
  return {
    psn_no: person.psnNo,
    mdtrt_cert_type: person.certType,
    mdtrt_cert_no: person.certNo,
    card_sn: person.cardSn,
    psn_cert_type: person.psnCertType,
    certno: person.idNumber,
    psn_type: person.psnType,
    psn_name: person.name,
  };
}

/** What pre-settlement and settlement of outpatients and inpatients have in common. */
export function settleData(parameters: SettleParameters): Record<string, string> {
  const { person, visit } = parameters;
  return {
    ...certificateOf(person),
    med_type: visit.medType,
    medfee_sumamt: formatYuan(parameters.total),
    psn_setlway: '01',
    mdtrt_id: parameters.mdtrtId,
    chrg_bchno: parameters.chrgBchno,
    acct_used_flag: parameters.acctUsedFlag,
    insutype: person.insutype,
    ...expContent(person, visit),
  };
}
