// The chart of accounts, as data. Law: an account belongs to one kind of owner, hospital or lender.
// Hospital codes follow 政府会计 where it has the account (`governmentCode`).

/** Whose books: "H" a hospital's, "B" a lender's (the bank's). */
export type OwnerKind = 'H' | 'B';

export interface Account {
  owner: OwnerKind;
  zh: string;
  en: string;
  /** The side on which the account grows; legs on this side are what a correction undoes. */
  normal: 'debit' | 'credit';
  /** Account of the hospital's 政府会计 that this one is reported under. */
  governmentCode?: string;
  /** The account of the other owner that always shows the same amount with the other sign. */
  mirrorOf?: string;
  /** Memorandum account: balances only against other off-balance accounts. */
  isOffBalance?: true;
}

export const chart = {
  '1101': h('debit', '柜台现金', 'Cash in drawer, by shift', { governmentCode: '1001' }),
  '1102': h('debit', '银行存款（已到账）', 'Bank, confirmed', { governmentCode: '1002' }),
  '1103': h('debit', '在途拨付', 'Payout in transit', { governmentCode: '1021', mirrorOf: '2102' }),
  '1104': h('debit', '微信/支付宝/刷卡应收', 'WeChat, Alipay, card receivable', {
    governmentCode: '1021',
  }),
  '1201': h('debit', '应收医保-统筹基金', 'Insurer: funds', { governmentCode: '12120201' }),
  '1202': h('debit', '应收医保-个人账户', 'Insurer: accounts, shared ones included', {
    governmentCode: '12120201',
  }),
  '1203': h('debit', '应收贷款银行', 'Lender', { governmentCode: '121203', mirrorOf: '2101' }),
  '1204': h('debit', '医保质量保证金', "Insurer's quality deposit", { governmentCode: '12120201' }),
  '1205': h('debit', '应收资助方', 'Sponsor', { governmentCode: '121203' }),
  '1206': h('debit', '应收协作机构', 'Member institution owes', { mirrorOf: '2205' }),
  '1207': h('debit', '应收患者', 'Patient arrears', { governmentCode: '12120202' }),
  '2203': h('credit', '应退患者', 'Refundable to patient, by instrument or voucher'),
  '2204': h('credit', '已收未执行', 'Paid, not yet performed'),
  '2205': h('credit', '应付协作机构', 'Owed to member institution', { mirrorOf: '1206' }),
  '2305': h('credit', '住院预交金', 'Inpatient deposit', { governmentCode: '2305' }),
  '4101': h('credit', '医疗收费', 'Charges billed', { governmentCode: '4101' }),
  '4102': h('debit', '结算时医院承担', 'Borne by hospital at settlement'),
  '4103': h('debit', '医保事后扣款', "Insurer's deductions, later"),
  '1301': b('debit', '居民欠款本金', "Citizen's principal"),
  '1302': b('debit', '逾期费用（银行通知）', "Late charge, by the lender's notice"),
  '1311': b('debit', '还款收入款', 'Repayment money in'),
  '1321': b('debit', '清算付出款', 'Clearing money out'),
  '2101': b('credit', '应付医院', 'Payable to hospital', { mirrorOf: '1203' }),
  '2102': b('credit', '已发出拨付', 'Payout sent', { mirrorOf: '1103' }),
  '2201': b('credit', '应退居民', 'Refundable to citizen'),
  '5101': b('debit', '核销损失', 'Loss'),
  '5102': b('credit', '核销收回', 'Recovered'),
  '9201': b('debit', '在途扣款', 'Debit in transit', { isOffBalance: true }),
  '9202': b('credit', '在途扣款对方', 'Debit in transit, contra', { isOffBalance: true }),
  '9301': b('debit', '已核销仍追索', 'Written off, still claimed', { isOffBalance: true }),
  '9302': b('credit', '已核销仍追索对方', 'Written off, contra', { isOffBalance: true }),
} as const satisfies Record<string, Account>;

export type AccountCode = keyof typeof chart;
/** The accounts that a kind of owner has. */
export type AccountOf<K extends OwnerKind> = {
  [C in AccountCode]: (typeof chart)[C] extends Account & { owner: K } ? C : never;
}[AccountCode];

/** All codes in ascending order, as text. */
export const accountCodes = Object.keys(chart).sort() as AccountCode[];

/** The account of a code as plain data. */
export function accountOf(code: AccountCode): Account {
  return chart[code];
}

/** Name for people: Chinese first, English beside it. An unknown code names itself. */
export function accountName(code: string): string {
  const account: Account | undefined = (chart as Record<string, Account>)[code];
  return account ? `${account.zh} ${account.en}` : code;
}

type Extra = Pick<Account, 'governmentCode' | 'mirrorOf'>;

function h(normal: Account['normal'], zh: string, en: string, extra: Extra = {}) {
  return { owner: 'H' as const, normal, zh, en, ...extra };
}

function b(
  normal: Account['normal'],
  zh: string,
  en: string,
  extra: Extra & Pick<Account, 'isOffBalance'> = {},
) {
  return { owner: 'B' as const, normal, zh, en, ...extra };
}
