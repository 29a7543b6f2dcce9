// Law: an insurer's answer that breaks a money invariant (nhsa.md §2.9) is never booked. Pure.
import { type Fen, fenFromWire, formatYuan, sumFen } from '../money.ts';
import type { ClaimSplit, WireNode } from './insurer.ts';
import { node, text } from './wire.ts';
import { readWireDateTime } from './wire-time.ts';

export interface ExpectedSplit {
  /** Σ det_item_fee_sumamt of what was uploaded. */
  total: Fen;
  mdtrtId: string;
  /** Our message's own id, which the insurer echoes as medins_setl_id. */
  msgid?: string;
  /** Whose claim it must be; compared where the answer names a person. */
  psnNo?: string;
  /** True for 2206: no setl_id and no setl_time yet. */
  isPreview: boolean;
}

export interface SplitRules {
  /** Allowed difference of fund_pay_sumamt to its parts, in fen; null: not checked. */
  fundPartsTolerance: Fen | null;
}

/** fund_pay_sumamt's parts; all of them must be there for the sum to be checked (§2.9 no. 4). */
const FUND_PARTS = [
  'hifp_pay',
  'cvlserv_pay',
  'hifes_pay',
  'hifmi_pay',
  'hifob_pay',
  'maf_pay',
  'oth_pay',
] as const;
/** Funds that some regions count inside oth_pay and others beside it. */
const FLOATING_PARTS = ['hifdm_pay', 'pref_fund_pay'] as const;
/** psn_cash_pay is spelt so in 2208 of one edition, and so in 5203. */
const CASH_FIELDS = ['psn_cash_pay', 'pdn_cash_pay', 'cash_payamt'] as const;
const PERSONAL_FIELDS = ['psn_part_amt', 'psn_pay'] as const;

/**
 * Reads setlinfo of 2206, 2207 or 5203. Every applicable invariant holds in a returned split;
 * otherwise `broken` names each one that does not. Amounts in fen.
 */
export function readSplit(
  output: WireNode,
  expected: ExpectedSplit,
  rules: SplitRules = { fundPartsTolerance: 0n },
): { split: ClaimSplit } | { broken: string[] } {
  const setlinfo = node(output, 'setlinfo');
  if (!setlinfo) return { broken: ['setlinfo: absent'] };
  const amounts = new Amounts(setlinfo);
  const split = splitOf(setlinfo, amounts, expected);
  const broken = [
    ...brokenSums(amounts, split, expected),
    ...brokenFund(amounts, split.fund, rules),
    ...brokenIdentity(setlinfo, split, expected),
  ];
  // Last, so that it has seen every field that the checks above read.
  broken.unshift(...amounts.broken);
  return broken.length > 0 ? { broken } : { split };
}

/** What 2208 says: the reversal record's own id and time. Its amounts may be null (§2.9 no. 9). */
export function readReversal(output: WireNode): { setlId: string; setlTime: Date | null } {
  const setlinfo = node(output, 'setlinfo');
  return {
    setlId: text(setlinfo, 'setl_id'),
    setlTime: readWireDateTime(text(setlinfo, 'setl_time')),
  };
}

function splitOf(setlinfo: WireNode, amounts: Amounts, expected: ExpectedSplit): ClaimSplit {
  return {
    setlId: expected.isPreview ? '' : text(setlinfo, 'setl_id'),
    mdtrtId: text(setlinfo, 'mdtrt_id') || expected.mdtrtId,
    medinsSetlId: text(setlinfo, 'medins_setl_id'),
    total: amounts.required('medfee_sumamt'),
    fund: amounts.required('fund_pay_sumamt'),
    account: amounts.optional('acct_pay'),
    familyAccount: amounts.optional('acct_mulaid_pay'),
    hospitalBorne: amounts.optional('hosp_part_amt'),
    cash: amounts.oneOf(CASH_FIELDS),
    insutype: text(setlinfo, 'insutype'),
    clrType: text(setlinfo, 'clr_type'),
    clrOptins: text(setlinfo, 'clr_optins'),
    setlTime: readWireDateTime(text(setlinfo, 'setl_time')),
    fullyOwnPaid: amounts.optional('fulamt_ownpay_amt'),
    overLimit: amounts.optional('overlmt_selfpay'),
    firstOwnPaid: amounts.optional('preselfpay_amt'),
    inScope: amounts.optional('inscp_scp_amt'),
  };
}

/** Invariants 1, 2, 3, 5 and 6, exactly. */
function brokenSums(amounts: Amounts, split: ClaimSplit, expected: ExpectedSplit): string[] {
  const carried = split.account + split.cash;
  const personalField = PERSONAL_FIELDS.find((field) => amounts.has(field));
  const personal = personalField ? amounts.required(personalField) : carried;
  const scopes = split.fullyOwnPaid + split.overLimit + split.firstOwnPaid + split.inScope;
  return [
    differ(
      'medfee_sumamt = fund + psn_part + hosp_part',
      split.total,
      split.fund + personal + split.hospitalBorne,
    ),
    differ('psn_part_amt = acct_pay + cash', personal, carried),
    split.familyAccount > split.account ? 'acct_mulaid_pay is more than acct_pay' : null,
    differ('medfee_sumamt = fulamt + overlmt + preself + inscp', split.total, scopes),
    differ('medfee_sumamt = what was uploaded', split.total, expected.total),
  ].filter((line) => line !== null);
}

/** Invariant 4, where the answer lists the funds. */
function brokenFund(amounts: Amounts, fund: Fen, rules: SplitRules): string[] {
  const tolerance = rules.fundPartsTolerance;
  if (tolerance === null || !FUND_PARTS.every((field) => amounts.isListed(field))) return [];
  const inside = sumFen(FUND_PARTS.map((field) => amounts.optional(field)));
  const beside = inside + sumFen(FLOATING_PARTS.map((field) => amounts.optional(field)));
  const isClose = [inside, beside].some(
    (sum) => fund - sum <= tolerance && sum - fund <= tolerance,
  );
  return isClose
    ? []
    : [`fund_pay_sumamt = its parts: ${formatYuan(fund)} ≠ ${formatYuan(inside)}`];
}

function brokenIdentity(setlinfo: WireNode, split: ClaimSplit, expected: ExpectedSplit): string[] {
  const broken: string[] = [];
  if (!expected.isPreview && split.setlId === '') broken.push('setl_id: absent');
  if (split.mdtrtId !== expected.mdtrtId) broken.push('mdtrt_id: another visit');
  if (expected.msgid && split.medinsSetlId !== '' && split.medinsSetlId !== expected.msgid) {
    broken.push('medins_setl_id: another message');
  }
  const psnNo = text(setlinfo, 'psn_no');
  if (expected.psnNo && psnNo !== '' && psnNo !== expected.psnNo) {
    broken.push('psn_no: another person');
  }
  if (split.setlTime && !isSensible(split.setlTime)) broken.push('setl_time: out of this world');
  if (text(setlinfo, 'refd_setl_flag') === '1') broken.push('refd_setl_flag: reversed');
  return broken;
}

/** A year that a claim can have, and that the database can hold. */
function isSensible(at: Date): boolean {
  const year = at.getUTCFullYear();
  return year >= 2000 && year < 2200;
}

function differ(law: string, left: Fen, right: Fen): string | null {
  return left === right ? null : `${law}: ${formatYuan(left)} ≠ ${formatYuan(right)}`;
}

/** Reads amounts of one node and remembers what is missing, malformed or negative. */
class Amounts {
  readonly broken: string[] = [];
  private readonly setlinfo: WireNode;

  constructor(setlinfo: WireNode) {
    this.setlinfo = setlinfo;
  }

  /** True when the field carries something; null and "" are nothing. */
  has(field: string): boolean {
    const value = Object.hasOwn(this.setlinfo, field) ? this.setlinfo[field] : null;
    return value !== null && value !== undefined && value !== '';
  }

  /** True when the answer names the field, be it null. */
  isListed(field: string): boolean {
    return Object.hasOwn(this.setlinfo, field);
  }

  /** An absent amount counts as 0: the sums are checked all the same (§1.3, §2.9 no. 9). */
  optional(field: string): Fen {
    return this.has(field) ? this.required(field) : 0n;
  }

  required(field: string): Fen {
    const fen = fenFromWire(this.setlinfo[field]);
    if (fen === null) this.complain(`${field}: not an amount in fen`);
    else if (fen < 0n) this.complain(`${field}: negative`);
    return fen ?? 0n;
  }

  /** The spellings of one amount; where there are several they must agree. */
  oneOf(fields: readonly string[]): Fen {
    const present = fields.filter((field) => this.has(field));
    const [first, ...others] = present.map((field) => this.required(field));
    if (first === undefined) this.complain(`${fields[0]}: absent`);
    if (others.some((other) => other !== first)) this.complain(`${present.join(', ')}: differ`);
    return first ?? 0n;
  }

  private complain(line: string): void {
    if (!this.broken.includes(line)) this.broken.push(line);
  }
}
