// Role: the input node of each inpatient trade (nhsa.md §2.11), from the same parameters as the
// outpatient ones. Pure. Of an undefined stay nothing is sent: claim-inputs.ts chooses by it.
import { type Fen, formatYuan } from '../money.ts';
import { claimDefaults, type Diagnosis } from './claim-defaults.ts';
import { expContent } from './exp-content.ts';
import { feeRow, traceRows } from './fee-rows.ts';
import type { ClaimSplit } from './insurer.ts';
import type { InsuredPerson } from './person.ts';
import {
  type ClaimCharge,
  type ClaimVisit,
  certificateOf,
  type SettleParameters,
  settleData,
  type TradeInput,
} from './trades.ts';
import { wireDateTime } from './wire-time.ts';

/** What the terminal did not say of an admission; the sandbox insurer takes it and warns. */
const BED = '待定';

/** 2401 admission. ipt_no is our visit number: 5201 finds a lost one by it. */
export function admit2401(person: InsuredPerson, visit: ClaimVisit): TradeInput {
  const admission = visit.stay?.admission ?? {};
  const department = visit.department ?? claimDefaults.department;
  const doctor = visit.doctor ?? claimDefaults.doctor;
  const diagnoses = orDefault(visit.diagnoses);
  const main = diagnoses[0] ?? claimDefaults.diagnosis;
  return {
    mdtrtinfo: {
      ...certificateOf(person),
      insutype: person.insutype,
      coner_name: admission.contactName ?? '',
      tel: admission.contactPhone ?? '',
      begntime: wireDateTime(visit.startedAt),
      cert_type: person.psnCertType,
      med_type: visit.medType,
      ipt_no: visit.visitNumber,
      medrcdno: admission.number ?? '',
      atddr_no: doctor.code,
      chfpdr_name: doctor.name,
      adm_diag_dscr: main.name,
      adm_dept_codg: department.code,
      adm_dept_name: admission.ward ?? department.name,
      adm_bed: admission.bed ?? BED,
      dscg_maindiag_code: main.code,
      dscg_maindiag_name: main.name,
      ...regionsOf(person, visit),
      ...expContent(person, visit),
    },
    diseinfo: diagnosisRows(person, visit, diagnoses),
  };
}

/** 2402 discharge. */
export function discharge2402(
  person: InsuredPerson,
  visit: ClaimVisit,
  mdtrtId: string,
): TradeInput {
  const found = visit.stay?.dischargeDiagnoses ?? [];
  const diagnoses = orDefault(found.length > 0 ? found : visit.diagnoses);
  return {
    dscginfo: {
      mdtrt_id: mdtrtId,
      psn_no: person.psnNo,
      insutype: person.insutype,
      endtime: wireDateTime(visit.stay?.dischargedAt ?? visit.startedAt),
      dscg_dept_codg: (visit.department ?? claimDefaults.department).code,
      dscg_dept_name: (visit.department ?? claimDefaults.department).name,
      dscg_bed: visit.stay?.admission.bed ?? BED,
      dscg_way: '1',
    },
    diseinfo: diagnosisRows(person, visit, diagnoses).map((row) => ({
      ...row,
      mdtrt_id: mdtrtId,
    })),
  };
}

/** 2404 undoes an admission. */
export function cancelAdmission2404(
  person: InsuredPerson,
  _visit: Pick<ClaimVisit, 'visitNumber'>,
  mdtrtId: string,
): TradeInput {
  return { data: { mdtrt_id: mdtrtId, psn_no: person.psnNo } };
}

/** 2405 undoes a discharge: the patient is in hospital again. */
export function cancelDischarge2405(person: InsuredPerson, mdtrtId: string): TradeInput {
  return { data: { mdtrt_id: mdtrtId, psn_no: person.psnNo } };
}

/** 2301 uploads charges of a stay. */
export function feeUpload2301(parameters: {
  person: InsuredPerson;
  visit: ClaimVisit;
  mdtrtId: string;
  chrgBchno: string;
  charges: readonly ClaimCharge[];
}): TradeInput {
  const { medType } = parameters.visit;
  return {
    feedetail: parameters.charges.map((charge) => ({
      init_feedetl_sn: '',
      drord_no: charge.prescriptionNumber ?? '',
      med_type: medType,
      ...feeRow(parameters, charge),
    })),
  };
}

/** 2302 takes back all charges of a stay that no settlement holds. */
export function feeCancel2302(person: InsuredPerson, mdtrtId: string): TradeInput {
  return { data: [{ feedetl_sn: '0000', mdtrt_id: mdtrtId, psn_no: person.psnNo }] };
}

/** 2303 computes the split and settles nothing. */
export function preSettle2303(parameters: SettleParameters): TradeInput {
  return { data: stayData(parameters) };
}

/** 2304 settles; it echoes the four sums of 2303's answer. */
export function settle2304(
  parameters: SettleParameters & { preview: ClaimSplit; charges?: readonly ClaimCharge[] },
): TradeInput {
  const { preview } = parameters;
  const traced = (parameters.charges ?? []).flatMap(traceRows);
  const yuan = (amount: Fen) => formatYuan(amount);
  return {
    data: {
      ...stayData(parameters),
      invono: '',
      fulamt_ownpay_amt: yuan(preview.fullyOwnPaid),
      overlmt_selfpay: yuan(preview.overLimit),
      preselfpay_amt: yuan(preview.firstOwnPaid),
      inscp_scp_amt: yuan(preview.inScope),
    },
    ...(traced.length > 0 ? { drug_trac_info: traced } : {}),
  };
}

/** 2305 cancels a settlement of a stay as a whole. */
export function cancelSettle2305(
  person: Pick<InsuredPerson, 'psnNo'>,
  claim: { setlId: string; mdtrtId: string },
): TradeInput {
  return { data: { mdtrt_id: claim.mdtrtId, setl_id: claim.setlId, psn_no: person.psnNo } };
}

function stayData(parameters: SettleParameters): Record<string, string> {
  const { person, visit } = parameters;
  const dischargedAt = visit.stay?.dischargedAt ?? null;
  return {
    ...settleData(parameters),
    mid_setl_flag: visit.stay?.isInterim ? '1' : '0',
    ...regionsOf(person, visit),
    // camelCase in the standard itself.
    dscgTime: dischargedAt ? wireDateTime(dischargedAt) : '',
  };
}

/** Inpatient trades repeat both header codes in their data (nhsa.md §6). */
function regionsOf(person: InsuredPerson, visit: ClaimVisit) {
  return {
    insuplc_admdvs: person.insuredRegion,
    mdtrtarea_admvs: visit.treatRegion ?? person.insuredRegion,
  };
}

const orDefault = (diagnoses: readonly Diagnosis[]): readonly Diagnosis[] =>
  diagnoses.length > 0 ? diagnoses : [claimDefaults.diagnosis];

function diagnosisRows(
  person: InsuredPerson,
  visit: ClaimVisit,
  diagnoses: readonly Diagnosis[],
): Record<string, string>[] {
  const department = visit.department ?? claimDefaults.department;
  const doctor = visit.doctor ?? claimDefaults.doctor;
  return diagnoses.map((diagnosis, index) => ({
    psn_no: person.psnNo,
    diag_type: diagnosis.type ?? '1',
    maindiag_flag: index === 0 ? '1' : '0',
    diag_srt_no: String(index + 1),
    diag_code: diagnosis.code,
    diag_name: diagnosis.name,
    diag_dept: department.name,
    dise_dor_no: doctor.code,
    dise_dor_name: doctor.name,
    diag_time: wireDateTime(diagnosis.at ?? visit.startedAt),
  }));
}
