// Every fact that we tell of, in plain words. Law: a fact without a text does not compile.
import type { EventType } from '../outbox/events.ts';
import { billNotices, visitNotices } from './bill-notices.ts';
import { debtNotices } from './debt-notices.ts';
import { type NoticeText, plain } from './notice-text.ts';

const credit = {
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
  ...debtNotices,
  ...family,
  ...city,
};
