// Role: the facts in the insurer's journal. Amounts are yuan strings, times Shanghai texts.
import type { ChargeClass, InsuranceType } from './catalogue.ts';
import type { CatalogueItem, HospitalItem, Rules } from './control-schemas.ts';

export interface Person {
  idNumber: string;
  name: string;
  phone: string | null;
  psnNo: string;
  cardNumbers: string[];
  status: 'active' | 'paused' | 'none';
  type: InsuranceType;
  region: string;
  /** False: not filed for treatment elsewhere (异地就医备案). */
  isFiled?: boolean;
}

export interface VisitRecord {
  mdtrtId: string;
  psnNo: string;
  hospitalCode: string;
  /** mdtrtarea_admvs of the registration. */
  treatRegion: string;
  /** ipt_otp_no: the hospital's own visit number. */
  visitNumber: string;
  begntime: string;
  insutype: string;
  /** Only of a 2401: what it said, and its message id. */
  stay?: { medType: string; msgid: string };
  /** By exp_content: an emergency, which counts as filed. */
  isEmergency?: boolean;
}

/** A charge line as 2204 or 2301 brought it and as the catalogue split it. */
export interface LineRecord {
  sn: string;
  batch: string;
  code: string;
  cls: ChargeClass;
  selfPayRatio: string;
  priceLimit: string | null;
  isLimitedUse: boolean;
  quantity: string;
  unitPrice: string;
  amount: string;
  fullyOwn: string;
  overLimit: string;
  firstOwn: string;
  inScope: string;
}

export interface SplitRecord {
  total: string;
  fullyOwn: string;
  overLimit: string;
  firstOwn: string;
  inScope: string;
  deductible: string;
  poolFund: string;
  supplementFund: string;
  fund: string;
  personalPart: string;
  account: string;
  familyAccount: string;
  cash: string;
  hospitalBorne: string;
  balanceAfter: string;
}

export interface SettlementRecord {
  setlId: string;
  msgid: string;
  mdtrtId: string;
  psnNo: string;
  hospitalCode: string;
  setlTime: string;
  insutype: string;
  medType: string;
  clrType: string;
  clrOptins: string;
  /** Share the pool paid (pool_prop_selfpay). */
  ratio: string;
  invoiceNumber: string | null;
  certType: string;
  split: SplitRecord;
  /** Whose accounts paid what; the patient's own first. */
  draws: { idNumber: string; amount: string }[];
  lineNumbers: string[];
  /** mid_setl_flag 1: the stay goes on. */
  isInterim?: boolean;
}

/** The record that 2208 or 2305 writes beside the settlement it takes back. */
export interface ReversalRecord {
  setlId: string;
  msgid: string;
  setlTime: string;
  balanceAfter: string;
}

export type InsurerEvent =
  | { type: 'personKnown'; serial: number; person: Person; balance: string; kin: string[] }
  | { type: 'signedIn'; operator: string; day: string; signNo: string; serial: number }
  | { type: 'signedOut'; operator: string }
  | { type: 'visitRegistered'; serial: number; visit: VisitRecord }
  | { type: 'visitCancelled'; mdtrtId: string }
  | { type: 'visitDescribed'; mdtrtId: string; medType: string }
  | { type: 'visitDischarged'; mdtrtId: string; endtime: string }
  | { type: 'dischargeCancelled'; mdtrtId: string }
  | { type: 'filingSet'; psnNo: string; isFiled: boolean }
  | { type: 'feesUploaded'; mdtrtId: string; lines: LineRecord[] }
  | { type: 'feesCancelled'; mdtrtId: string; lineNumbers: string[] }
  | { type: 'settled'; serial: number; settlement: SettlementRecord }
  | { type: 'settlementCancelled'; serial: number; setlId: string; reversal: ReversalRecord }
  | { type: 'settlementReversed'; setlId: string; msgid: string }
  | { type: 'cancellationReversed'; setlId: string; msgid: string }
  | { type: 'clockSet'; offsetSeconds: number }
  | { type: 'catalogueLoaded'; items: CatalogueItem[] }
  | { type: 'rulesSet'; rules: Rules }
  | { type: 'hospitalsLoaded'; items: HospitalItem[] };
