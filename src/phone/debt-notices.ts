// What citizens are told of their debt: falling due, overdue, suspended, reported, and back again.
import type { EventType } from '../outbox/events.ts';
import { type NoticeText, plain } from './notice-text.ts';

export const debtNotices = {
  'receivable.reminded': {
    title: { zh: '账单将到期', en: 'Bill due soon' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单尚欠 ${amount} 元，即将到还款日，届时从还款账户自动扣款。`,
      en: `${amount} yuan of your bill (${hospital.en}) fall due soon and are debited by themselves.`,
    }),
  },
  'receivable.due': {
    title: { zh: '账单到期', en: 'Bill due' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单 ${amount} 元已到还款日，从还款账户自动扣款。`,
      en: `Your bill of ${amount} yuan (${hospital.en}) is due now and is debited by itself.`,
    }),
  },
  'receivable.overdue': {
    title: { zh: '账单已逾期', en: 'Bill overdue' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单 ${amount} 元已过还款日，请尽快还款，以免额度暂停。`,
      en: `Your bill of ${amount} yuan (${hospital.en}) is past its due day; repay soon, or the line is suspended.`,
    }),
  },
  'receivable.overdueReminded': {
    title: { zh: '逾期提醒', en: 'Still overdue' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单尚欠 ${amount} 元已逾期，仍未还清的，信用额度即将暂停。`,
      en: `${amount} yuan of your bill (${hospital.en}) are still overdue; unless repaid, the line is suspended soon.`,
    }),
  },
  'receivable.paid': {
    title: { zh: '账单已还清', en: 'Bill repaid' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}的账单 ${amount} 元已还清，额度已恢复。`,
      en: `Your bill of ${amount} yuan (${hospital.en}) is repaid and the credit is free again.`,
    }),
  },
  'receivable.planned': {
    title: { zh: '已改为分期还款', en: 'Repaid in instalments' },
    text: ({ hospital, amount }) => ({
      zh: `贷款银行已把${hospital.zh}的账单 ${amount} 元改为分期还款，到期日见账单。`,
      en: `The lender spread your bill of ${amount} yuan (${hospital.en}) over instalments; see the bill for the days.`,
    }),
  },
  'receivable.writtenOff': {
    title: { zh: '账单已核销', en: 'Bill written off' },
    text: ({ hospital, amount }) => ({
      zh: `贷款银行已核销${hospital.zh}的账单 ${amount} 元，银行仍可追索。`,
      en: `The lender wrote off ${amount} yuan of your bill (${hospital.en}) and may still claim it.`,
    }),
  },
  'repayment.failed': {
    title: { zh: '还款未成功', en: 'Repayment failed' },
    text: ({ amount }) => ({
      zh: `还款 ${amount} 元未成功，请确认还款账户余额后再试。`,
      en: `The repayment of ${amount} yuan failed; check the account and try again.`,
    }),
  },
  'repayment.returned': {
    title: { zh: '还款被银行退回', en: 'Repayment returned' },
    text: ({ amount }) => ({
      zh: `银行退回了已确认的还款 ${amount} 元，相应账单恢复为未还。`,
      en: `The bank took back a confirmed repayment of ${amount} yuan; the bills it paid are owed again.`,
    }),
  },
  'line.suspended': plain(
    { zh: '信用额度已暂停', en: 'Line suspended' },
    {
      zh: '信用额度已暂停，家人也暂不能使用；还清逾期账单后恢复，急诊不受影响。',
      en: 'Your credit line is suspended, for relatives too; repay what is overdue to restore it. Emergencies are not affected.',
    },
  ),
  'line.restored': plain(
    { zh: '信用额度已恢复', en: 'Line restored' },
    {
      zh: '信用额度已恢复使用，家人也可使用。',
      en: 'Your credit line can be used again, by relatives too.',
    },
  ),
  'line.frozen': plain(
    { zh: '信用额度被银行冻结', en: 'Line frozen by the lender' },
    {
      zh: '贷款银行冻结了您的信用额度，详情请联系贷款银行；急诊不受影响。',
      en: 'The lender froze your credit line; ask the lender why. Emergencies are not affected.',
    },
  ),
  'line.limitChanged': {
    title: { zh: '信用额度已调整', en: 'Limit changed' },
    text: ({ amount }) => ({
      zh: `贷款银行已把您的信用额度调整为 ${amount} 元。`,
      en: `The lender set your credit limit to ${amount} yuan.`,
    }),
  },
  'scoreReport.told': plain(
    { zh: '拟向信用分机构报送逾期', en: 'Overdue debt is about to be reported' },
    {
      zh: '您有连续逾期的账单，期满后将报送信用分机构；现在还清则不报送，如有异议可在手机上提出。',
      en: 'Bills are overdue one after another and will be reported to the score provider; repay now and nothing is sent, or object in the app.',
    },
  ),
  'scoreReport.sent': plain(
    { zh: '已报送信用分机构', en: 'Reported to the score provider' },
    {
      zh: '您的连续逾期已报送信用分机构，还清后会补报结清。',
      en: 'Your overdue bills were reported to the score provider; once repaid, that is reported too.',
    },
  ),
  'scoreReport.ended': plain(
    { zh: '逾期报送已撤回或结清', en: 'Report taken back or cleared' },
    {
      zh: '此前报送信用分机构的逾期已撤回或补报结清。',
      en: 'What was reported to the score provider was taken back or cleared.',
    },
  ),
} satisfies Partial<Record<EventType, NoticeText>>;
