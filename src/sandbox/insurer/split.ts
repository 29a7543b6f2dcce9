// Law (nhsa.md §2.9): medfee = fund + psn_part + hosp_part; psn_part = acct_pay + cash;
// acct_mulaid ⊂ acct_pay; fund = hifp + supplements; medfee = fulamt + overlmt + preself + inscp.
// Pure. All amounts are fen.
import { Decimal } from 'decimal.js';
import { type Fen, lineAmount, maxFen, minFen, ratioOf, sumFen } from '../../money.ts';
import type { CodeTerms } from './catalogue.ts';

export interface LineParts {
  amount: Fen;
  /** fulamt_ownpay_amt: 丙 or outside the insurance. */
  fullyOwn: Fen;
  /** overlmt_amt: above the price ceiling. */
  overLimit: Fen;
  /** preselfpay_amt: the patient's share of a 乙 item. */
  firstOwn: Fen;
  /** inscp_scp_amt: what the funds look at. */
  inScope: Fen;
}

/** hosp_appr_flag: "0" none, "1" approved by the hospital, "2" outside the insurance. */
export type ApprovalFlag = '0' | '1' | '2';

/** Splits one charge line; the four parts sum to its amount. */
export function splitLine(
  line: { amount: Fen; quantity: string; unitPrice: string; approval: ApprovalFlag },
  terms: CodeTerms,
): LineParts {
  const { amount } = line;
  const isOutside = line.approval === '2' || (terms.isLimitedUse && line.approval !== '1');
  if (isOutside || terms.cls === '丙') {
    return { amount, fullyOwn: amount, overLimit: 0n, firstOwn: 0n, inScope: 0n };
  }
  const overLimit = overLimitOf(line, terms.priceLimit);
  const firstOwn = ratioOf(amount - overLimit, terms.selfPayRatio);
  return { amount, fullyOwn: 0n, overLimit, firstOwn, inScope: amount - overLimit - firstOwn };
}

function overLimitOf(
  line: { amount: Fen; quantity: string; unitPrice: string },
  priceLimit: string | null,
): Fen {
  if (priceLimit === null || new Decimal(line.unitPrice).lte(priceLimit)) return 0n;
  return maxFen(0n, line.amount - lineAmount(line.quantity, priceLimit));
}

export interface BillInput {
  lines: readonly LineParts[];
  /** What is left of the year's deductible. */
  deductibleLeft: Fen;
  /** Decimal strings 0..1. */
  ratio: string;
  supplementRatio: string;
  hospitalBorneRatio: string;
  /** acct_used_flag: 0 none, 1 own account, 2 own first, then the family's. */
  accountUse: '0' | '1' | '2';
  ownBalance: Fen;
  familyBalance: Fen;
}

export interface BillSplit {
  total: Fen;
  fullyOwn: Fen;
  overLimit: Fen;
  firstOwn: Fen;
  inScope: Fen;
  /** act_pay_dedc */
  deductible: Fen;
  /** hifp_pay */
  poolFund: Fen;
  /** hifob_pay of employees, hifmi_pay of residents. */
  supplementFund: Fen;
  /** fund_pay_sumamt */
  fund: Fen;
  /** psn_part_amt */
  personalPart: Fen;
  /** acct_pay, the family's part included. */
  account: Fen;
  /** acct_mulaid_pay */
  familyAccount: Fen;
  /** psn_cash_pay */
  cash: Fen;
  /** hosp_part_amt */
  hospitalBorne: Fen;
  /** balc: the own account after this settlement. */
  balanceAfter: Fen;
}

/** Splits a bill between funds, accounts, hospital and patient. */
export function splitBill(input: BillInput): BillSplit {
  const total = sumOf(input.lines, 'amount');
  const inScope = sumOf(input.lines, 'inScope');
  const deductible = minFen(inScope, input.deductibleLeft);
  const poolFund = poolFundOf(total, inScope - deductible, input.ratio);
  const rest = maxFen(0n, inScope - deductible - poolFund);
  const supplementFund = ratioOf(rest, input.supplementRatio);
  const fund = poolFund + supplementFund;
  const hospitalBorne = minFen(total - fund, ratioOf(rest, input.hospitalBorneRatio));
  const personalPart = total - fund - hospitalBorne;
  const own = input.accountUse === '0' ? 0n : minFen(personalPart, input.ownBalance);
  const familyAccount =
    input.accountUse === '2' ? minFen(personalPart - own, input.familyBalance) : 0n;
  const account = own + familyAccount;
  return {
    total,
    fullyOwn: sumOf(input.lines, 'fullyOwn'),
    overLimit: sumOf(input.lines, 'overLimit'),
    firstOwn: sumOf(input.lines, 'firstOwn'),
    inScope,
    deductible,
    poolFund,
    supplementFund,
    fund,
    personalPart,
    account,
    familyAccount,
    cash: personalPart - account,
    hospitalBorne,
    balanceAfter: input.ownBalance - own,
  };
}

/**
 * A ratio strictly between 0 and 1 pays at least one fen and never the whole bill, also of a bill
 * of 0.02 where rounding would say otherwise (one fen cannot be shared).
 */
function poolFundOf(total: Fen, base: Fen, ratio: string): Fen {
  const paid = minFen(base, ratioOf(base, ratio));
  const isShare = new Decimal(ratio).gt(0) && new Decimal(ratio).lt(1);
  if (!isShare || base < 1n || total < 2n) return paid;
  return minFen(maxFen(paid, 1n), total - 1n);
}

function sumOf(lines: readonly LineParts[], part: keyof LineParts): Fen {
  return sumFen(lines.map((line) => line[part]));
}
