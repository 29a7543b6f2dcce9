// The catalogue of differences (domain.md, Payout and reconciliation): what each means, who looks after it,
// what is usually done. Law: it is closed; the database knows the same seventeen kinds.

/** Whose desk a difference usually lands on; a person takes it by name (PATCH owner). */
export type Desk = 'hospital' | 'platform' | 'bank' | 'insurer';

export const remedies = [
  'markExplained',
  'waitNextDay',
  'adjust',
  'collectPayment',
  'returnMoney',
  'confirmPayout',
] as const;
/** What may be proposed; apply-remedy.ts has the effect of each. */
export type Remedy = (typeof remedies)[number];

interface KindOfBreak {
  zh: string;
  en: string;
  desk: Desk;
  /** True: it ends by itself when the other side catches up, so it needs no owner. */
  isSelfClearing: boolean;
  remedy: Remedy;
  /** Days after which it is late: a person should have looked. */
  days: number;
}

const soon = { isSelfClearing: false, days: 1 } as const;
const itself = { isSelfClearing: true, remedy: 'waitNextDay' } as const;

export const breakCatalogue = {
  missingAtHospital: {
    zh: '我方有、医院无',
    en: 'We have it, the hospital does not',
    ...{ ...soon, desk: 'hospital', remedy: 'markExplained' },
  },
  missingAtPlatform: {
    zh: '对方有、我方无',
    en: 'The other side has it, we do not',
    ...{ ...soon, desk: 'platform', remedy: 'collectPayment' },
  },
  missingAtBank: {
    zh: '我方有、银行或支付渠道无',
    en: 'We have it, the bank or payment channel does not',
    ...{ ...soon, desk: 'bank', remedy: 'waitNextDay' },
  },
  missingAtInsurer: {
    zh: '我方有、医保无',
    en: 'We have it, the insurer does not',
    ...{ ...soon, desk: 'insurer', remedy: 'markExplained' },
  },
  amountOver: {
    zh: '对方金额大',
    en: 'The other side has more than we',
    ...{ ...soon, desk: 'platform', remedy: 'adjust' },
  },
  amountUnder: {
    zh: '对方金额小',
    en: 'The other side has less than we',
    ...{ ...soon, desk: 'platform', remedy: 'adjust' },
  },
  splitMismatch: {
    zh: '总额一致、支付方式不一致',
    en: 'Same total, split otherwise',
    ...{ ...soon, desk: 'hospital', remedy: 'markExplained' },
  },
  statusMismatch: {
    zh: '一方已退、另一方未退',
    en: 'Refunded on one side only',
    ...{ ...soon, desk: 'platform', remedy: 'markExplained' },
  },
  dateCutoff: {
    zh: '跨日',
    en: 'On another day on the other side',
    ...{ ...itself, desk: 'platform', days: 2 },
  },
  duplicateExternal: {
    zh: '对方重复',
    en: 'Twice on the other side',
    ...{ ...soon, desk: 'hospital', remedy: 'returnMoney' },
  },
  duplicateInternal: {
    zh: '我方重复',
    en: 'Twice on our side',
    ...{ ...soon, desk: 'platform', remedy: 'markExplained' },
  },
  dataMismatch: {
    zh: '金额一致、单据信息不一致',
    en: 'Same amount, other particulars',
    ...{ ...soon, desk: 'hospital', remedy: 'markExplained' },
  },
  ambiguous: {
    zh: '多笔可对应，须人工判断',
    en: 'Several fit: a person decides',
    ...{ ...soon, desk: 'platform', remedy: 'markExplained' },
  },
  lateCapture: {
    zh: '额度占用过期后扣款',
    en: 'Captured after its hold had expired',
    ...{ ...soon, desk: 'platform', remedy: 'markExplained' },
  },
  conversionPending: {
    zh: '待转医保',
    en: 'Waits for its conversion to insurance',
    ...{ ...itself, desk: 'insurer', days: 30 },
  },
  orphanRefund: {
    zh: '无原交易的退款',
    en: 'A refund of no payment of ours',
    ...{ ...soon, desk: 'platform', remedy: 'adjust' },
  },
  fee: {
    zh: '手续费不符',
    en: 'The fee is not rate × amount',
    ...{ ...soon, desk: 'bank', remedy: 'markExplained' },
  },
} as const satisfies Record<string, KindOfBreak>;

export type BreakKind = keyof typeof breakCatalogue;
export const breakKinds = Object.keys(breakCatalogue) as [BreakKind, ...BreakKind[]];

export const counterparties = ['hospital', 'insurer', 'bank', 'wechatPay', 'alipay'] as const;
/** Whose file is compared with our books. */
export type Counterparty = (typeof counterparties)[number];

/** What it is called when we have something that this counterparty lacks. */
export const missingAt: Record<Counterparty, BreakKind> = {
  hospital: 'missingAtHospital',
  insurer: 'missingAtInsurer',
  bank: 'missingAtBank',
  wechatPay: 'missingAtBank',
  alipay: 'missingAtBank',
};
