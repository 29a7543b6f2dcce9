// Why the counter or the phone refuses, and what to do next. Data; see explanations.ts.
import type { ProblemCode } from '../errors.ts';
import type { Explanation } from './explanations.ts';

type Code =
  | Extract<ProblemCode, `identity/${string}` | `insurance/${string}`>
  | 'tender/not-by-phone'
  | 'settlement/receipt-not-by-phone';

export const counterExplanations: Record<Code, Explanation> = {
  'identity/unknown': {
    why: {
      zh: '凭证不能说明是谁：读不出、号码有误，或不属于本人。',
      en: 'The credential names nobody: unreadable, mistyped, or somebody else’s.',
    },
    next: {
      zh: '请重新扫描，或改用身份证、社保卡、医保码。急诊无需凭证即可救治。',
      en: 'Scan it again, or show an ID card, social security card or insurance code. Emergencies need none.',
    },
  },
  'identity/expired': {
    why: {
      zh: '凭证过了有效时间（付款码为一分钟）。',
      en: 'The credential is past its time (a payment code lives for a minute).',
    },
    next: { zh: '请刷新后重新出示。', en: 'Refresh it and show it again.' },
  },
  'identity/already-used': {
    why: {
      zh: '一次性凭证已经用过，为防止冒用不能再用。',
      en: 'A one-time credential was used already; this keeps others from using it.',
    },
    next: { zh: '请刷新后出示新的。', en: 'Refresh it and show the new one.' },
  },
  'identity/insurer-needed': {
    why: {
      zh: '这种凭证要由医保平台识别，而平台现在离线，以前也没有见过这张凭证。',
      en: 'Only the insurer can say whose this is; it is offline, and we have not seen it before.',
    },
    next: {
      zh: '请改用身份证、付款码或刷脸；不必等待平台恢复。',
      en: 'Show an ID card, a payment code or your face instead; there is no need to wait.',
    },
  },
  'identity/stronger-needed': {
    why: {
      zh: '这一步涉及付款人的额度，仅凭证件号码不足以确认是本人。',
      en: 'This touches the payer’s line, and a number alone does not prove who it is.',
    },
    next: {
      zh: '请出示付款码、医保码，或刷脸、NFC 刷卡。',
      en: 'Show a payment code, an insurance code, your face or a card by NFC.',
    },
  },
  'insurance/rejected': {
    why: {
      zh: '医保平台审核后不予结算，原因见说明；没有扣任何费用。',
      en: 'The insurer refused this claim for the reason given; nothing was taken.',
    },
    next: {
      zh: '请窗口核对信息后重试，或先自费结算，符合条件时以后可申请转医保。',
      en: 'The counter can correct and try again; or settle as self-pay, and ask for insurance later.',
    },
  },
  'insurance/offline': {
    why: {
      zh: '医保平台现在离线，什么都没有改变。',
      en: 'The insurer is offline; nothing changed.',
    },
    next: {
      zh: '可以先自费结算，平台恢复后自动转医保并退款；或稍后再试。',
      en: 'Settle as self-pay and it is turned into insurance with a refund by itself; or try later.',
    },
  },
  'insurance/unknown': {
    why: {
      zh: '医保平台没有答复，还不知道是否已结算；不会重复扣费。',
      en: 'The insurer did not answer, so it is not known yet whether it settled; nothing is paid twice.',
    },
    next: {
      zh: '系统正在查询，请稍后查看结果，不必重复支付。',
      en: 'We are asking; look again soon, and do not pay again.',
    },
  },
  'insurance/window-over': {
    why: { zh: '计划停机的时间已经过去。', en: 'The planned window lies in the past.' },
    next: { zh: '请填写将来的时间。', en: 'Enter a window that is still to come.' },
  },
  'tender/not-by-phone': {
    why: {
      zh: '现金、扫码等由医院窗口收取，手机结算只用医保和信用额度。',
      en: 'Cash and the like are taken at the counter; by phone only insurance and credit pay.',
    },
    next: {
      zh: '去掉这些支付方式再提交；信用不够的部分到窗口支付。',
      en: 'Leave them out; what credit does not cover is paid at the counter.',
    },
  },
  'settlement/receipt-not-by-phone': {
    why: { zh: '收据号由医院编排。', en: 'Receipt numbers are the hospital’s own.' },
    next: { zh: '去掉收据号再提交。', en: 'Leave it out and send again.' },
  },
};
