// Role: one charge as 2204 uploads it, and its trace codes as 2207 may carry them (nhsa.md §2.7).
import { formatYuan } from '../money.ts';
import { claimDefaults } from './claim-defaults.ts';
import type { InsuredPerson } from './person.ts';
import type { ClaimCharge, ClaimVisit } from './trades.ts';
import { wireDateTime } from './wire-time.ts';

/** A row of feedetail. Doctor and department: of the charge, else of the visit, else the default. */
export function feeRow(
  parameters: { person: InsuredPerson; visit: ClaimVisit; mdtrtId: string; chrgBchno: string },
  charge: ClaimCharge,
): Record<string, string> {
  const { visit } = parameters;
  const department = charge.department ?? visit.department ?? claimDefaults.department;
  const doctor = charge.doctor ?? visit.doctor ?? claimDefaults.doctor;
  return {
    feedetl_sn: String(charge.lineNumber),
    mdtrt_id: parameters.mdtrtId,
    psn_no: parameters.person.psnNo,
    chrg_bchno: parameters.chrgBchno,
    dise_codg: visit.diseaseCode ?? '',
    rxno: charge.prescriptionNumber ?? '',
    rx_circ_flag: '0',
    fee_ocur_time: wireDateTime(charge.occurredAt),
    med_list_codg: charge.code,
    medins_list_codg: charge.hospitalItemCode ?? charge.code,
    medins_list_name: charge.name,
    det_item_fee_sumamt: formatYuan(charge.amount),
    cnt: charge.quantity,
    pric: charge.unitPrice,
    bilg_dept_codg: department.code,
    bilg_dept_name: department.name,
    bilg_dr_codg: doctor.code,
    bilg_dr_name: doctor.name,
    // 2 = the hospital says: outside insurance, all of it is the patient's own (nhsa.md §2.7).
    hosp_appr_flag: charge.isOutsideInsurance ? '2' : '0',
  };
}

/** Hubei takes drug trace codes with the settlement; elsewhere they are not asked for. */
export function traceRows(charge: ClaimCharge): Record<string, string>[] {
  return (charge.traceCodes ?? []).map((code) => ({
    feedetl_sn: String(charge.lineNumber),
    drug_trac_codg: code,
    trdn_flag: '0',
  }));
}
