// Role: what the insurer pays for: class and ratio of a code, ratio and deductible of a bill.
// Law (api.md, Sandbox): unless told otherwise no deductible, and every code, known or not, is paid
// more than 0 and less than 100 %. So an unknown code is 甲 or 乙, never 丙.
import { type Fen, parseYuan } from '../../money.ts';
import type { CatalogueItem, HospitalItem, Rules } from './control-schemas.ts';

export type ChargeClass = '甲' | '乙' | '丙';
export type InsuranceType = 'employee' | 'resident';

export interface CodeTerms {
  cls: ChargeClass;
  /** selfpay_prop: "0" of 甲, "1" of 丙, what the catalogue says of 乙. */
  selfPayRatio: string;
  /** Price ceiling in yuan (six decimals at most); null: none. */
  priceLimit: string | null;
  /** 限制使用: paid only with hosp_appr_flag 1. */
  isLimitedUse: boolean;
}

/** Share of the in-scope amount by hospital level: lower levels pay better, as in the real cities. */
const defaultRatios: Record<InsuranceType, Record<1 | 2 | 3, string>> = {
  employee: { 1: '0.85', 2: '0.80', 3: '0.70' },
  resident: { 1: '0.65', 2: '0.55', 3: '0.50' },
};

const defaultSelfPayRatios = ['0.05', '0.10', '0.20'] as const;

/** Terms of one code: the loaded catalogue's, else 甲 or 乙 by a hash of the code. */
export function termsOf(code: string, catalogue: ReadonlyMap<string, CatalogueItem>): CodeTerms {
  const item = catalogue.get(code);
  if (item === undefined) return termsOfUnknownCode(code);
  const ratio = { 甲: '0', 乙: item.selfPayRatio ?? '0.10', 丙: '1' }[item.class];
  return {
    cls: item.class,
    selfPayRatio: ratio,
    priceLimit: item.priceLimit ?? null,
    isLimitedUse: item.isLimitedUse ?? false,
  };
}

function termsOfUnknownCode(code: string): CodeTerms {
  const hash = hashOf(code);
  const rest = { priceLimit: null, isLimitedUse: false };
  if (hash % 2 === 0) return { cls: '甲', selfPayRatio: '0', ...rest };
  const index = Math.floor(hash / 2) % defaultSelfPayRatios.length;
  return { cls: '乙', selfPayRatio: defaultSelfPayRatios[index]!, ...rest };
}

/** FNV-1a, so that a code has the same class in every run and process. */
function hashOf(code: string): number {
  let hash = 0x811c9dc5;
  for (const char of code) {
    hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
  }
  return hash >>> 8;
}

export interface BillTerms {
  ratio: string;
  /** Deductible of a whole year for this insurance type. */
  yearlyDeductible: Fen;
  supplementRatio: string;
  hospitalBorneRatio: string;
}

/** Terms of a bill: by insurance type and hospital level (3 where the hospital is not known). */
export function billTermsOf(rules: Rules, type: InsuranceType, hospital?: HospitalItem): BillTerms {
  const level = hospital?.level ?? 3;
  const { deductible } = rules;
  const yearly = typeof deductible === 'object' ? deductible[type] : deductible;
  return {
    ratio: rules.ratios?.[type]?.[level] ?? defaultRatios[type][level],
    yearlyDeductible: parseYuan(yearly ?? '0.00'),
    supplementRatio: rules.supplementRatio ?? '0',
    hospitalBorneRatio: rules.hospitalBorneRatio ?? '0',
  };
}
