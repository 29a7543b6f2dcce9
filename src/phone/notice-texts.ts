// Every fact that we tell of, in plain words. Law: a fact without a text does not compile.
import type { Said } from '../http/explanations.ts';
import type { EventType } from '../outbox/events.ts';
import { billNotices, visitNotices } from './bill-notices.ts';

export interface NoticeFacts {
  /** The hospital's name; a word for it where the fact has none. */
  hospital: Said;
  /** Yuan; what the fact is about, as far as it concerns the reader. */
  amount: string;
  /** Yuan that came back or is no longer owed. */
  back: string;
  /** The insurer's or finance's words, for the patient only; empty for a payer. */
  reason: string;
}

export interface NoticeText {
  title: Said;
  text: (facts: NoticeFacts) => Said;
  /** For the payer of somebody else's visit; absent: the same words. */
  forPayer?: (facts: NoticeFacts) => Said;
}

/** A text that needs no facts. */
const plain = (title: Said, text: Said): NoticeText => ({ title, text: () => text });

const credit = {
  'receivable.due': {
    title: { zh: '账单将到期', en: 'Bill due soon' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单 ${amount} 元即将到还款日，届时从还款账户自动扣款。`,
      en: `Your bill of ${amount} yuan (${hospital.en}) falls due soon and is debited by itself.`,
    }),
  },
  'receivable.overdue': {
    title: { zh: '账单已逾期', en: 'Bill overdue' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单 ${amount} 元已过还款日，请尽快还款，以免额度暂停。`,
      en: `Your bill of ${amount} yuan (${hospital.en}) is past its due day; repay soon, or the line is suspended.`,
    }),
  },
  'receivable.paid': {
    title: { zh: '账单已还清', en: 'Bill repaid' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单 ${amount} 元已还清，额度已恢复。`,
      en: `Your bill of ${amount} yuan (${hospital.en}) is repaid and the credit is free again.`,
    }),
  },
  'repayment.failed': {
    title: { zh: '还款未成功', en: 'Repayment failed' },
    text: ({ amount }) => ({
      zh: `还款 ${amount} 元未成功，请确认还款账户余额后再试。`,
      en: `The repayment of ${amount} yuan failed; check the account and try again.`,
    }),
  },
  'line.enrolled': plain(
    { zh: '已开通信用就医', en: 'Enrolled' },
    {
      zh: '信用就医已开通，就诊无需押金。',
      en: 'Your credit line is open: no deposits at visits.',
    },
  ),
  'line.closed': plain(
    { zh: '信用就医已关闭', en: 'Line closed' },
    { zh: '您的信用额度已关闭。', en: 'Your credit line is closed.' },
  ),
  'line.suspended': plain(
    { zh: '信用额度已暂停', en: 'Line suspended' },
    {
      zh: '信用额度已暂停，家人也暂不能使用；还清逾期账单后恢复，急诊不受影响。',
      en: 'Your credit line is suspended, for relatives too; repay what is overdue to restore it. Emergencies are not affected.',
    },
  ),
  'consent.withdrawn': plain(
    { zh: '授权已撤回', en: 'Consent withdrawn' },
    {
      zh: '授权已撤回，不再增加新的占用，已有账单照常处理；可随时重新授权。',
      en: 'A consent was withdrawn: nothing new is held, bills go on as before. You can give it again.',
    },
  ),
} satisfies Partial<Record<EventType, NoticeText>>;

const family = {
  'familyLink.requested': plain(
    { zh: '亲情付待接受', en: 'Family link requested' },
    {
      zh: '一个亲情付等待被付人接受或人工核验，详见“我的亲情付”。',
      en: 'A family link waits to be accepted or checked; see your family links.',
    },
  ),
  'familyLink.active': plain(
    { zh: '亲情付已生效', en: 'Family link active' },
    {
      zh: '亲情付已生效，可在就诊时使用。',
      en: 'A family link is active and can be used at visits.',
    },
  ),
  'familyLink.changed': plain(
    { zh: '亲情付限额已修改', en: 'Family caps changed' },
    { zh: '亲情付的限额已由付款人修改。', en: 'The payer changed the caps of a family link.' },
  ),
  'familyLink.ended': plain(
    { zh: '亲情付已结束', en: 'Family link ended' },
    {
      zh: '一个亲情付已结束，不再产生新的占用；已发生的账单不变。',
      en: 'A family link has ended: nothing new is held, earlier bills stay as they are.',
    },
  ),
} satisfies Partial<Record<EventType, NoticeText>>;

const city = {
  'payout.paid': {
    title: { zh: '已拨付医院', en: 'Hospital paid' },
    text: ({ hospital }) => ({
      zh: `银行已向${hospital.zh}拨付。`,
      en: `The bank paid ${hospital.en}.`,
    }),
  },
  'insurance.offline': plain(
    { zh: '医保平台离线', en: 'Insurance offline' },
    {
      zh: '医保平台暂时离线，就诊和结算照常，恢复后自动转医保。',
      en: 'The insurance platform is offline; visits and settlements go on and are claimed later.',
    },
  ),
  'insurance.recovered': plain(
    { zh: '医保平台已恢复', en: 'Insurance recovered' },
    {
      zh: '医保平台已恢复，等待中的费用正在转医保。',
      en: 'The insurance platform is back; what waited is being claimed.',
    },
  ),
} satisfies Partial<Record<EventType, NoticeText>>;

export const noticeTexts: Record<EventType, NoticeText> = {
  ...visitNotices,
  ...billNotices,
  ...credit,
  ...family,
  ...city,
};
