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
}

/** A charge line as 2204 brought it and as the catalogue split it. */
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
}

/** The record that 2208 writes beside the settlement it takes back. */
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
