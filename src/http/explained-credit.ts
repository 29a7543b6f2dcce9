// Why credit or a family link gives less than was asked for, and what to do next. Data; see explanations.ts.
import type { ProblemCode } from '../errors.ts';
import type { Explanation } from './explanations.ts';

type Code = Extract<ProblemCode, `credit/${string}` | `family/${string}`>;

export const creditExplanations: Record<Code, Explanation> = {
  'credit/limit-exceeded': {
    why: {
      zh: '申请的金额加上已占用和未还的金额，超过了信用额度。',
      en: 'This amount, with what is held and owed already, is more than the credit limit.',
    },
    next: {
      zh: '可以减少占用金额、允许部分占用、先还清部分账单，或用其他方式支付；就诊不受影响。',
      en: 'Ask for less, allow a part of it, repay a bill first, or pay another way; treatment goes on.',
    },
  },
  'credit/suspended': {
    why: {
      zh: '账单逾期后信用额度被暂停，或由贷款银行暂停。',
      en: 'The credit line is suspended, after an overdue bill or by the lender.',
    },
    next: {
      zh: '在手机上还清逾期账单后自动恢复；如由银行暂停，请联系贷款银行。急诊不受影响。',
      en: 'Repay the overdue bills in the app and it is restored; if the lender suspended it, ask the lender. Emergencies are not affected.',
    },
  },
  'credit/overdue': {
    why: {
      zh: '有账单过了还款日还没有还清。',
      en: 'A bill is past its due day and not repaid.',
    },
    next: {
      zh: '在手机上还清逾期账单即可继续使用；等待医保的账单不算逾期。',
      en: 'Repay the overdue bills in the app to go on; bills that await insurance never count as overdue.',
    },
  },
  'credit/not-enrolled': {
    why: {
      zh: '付款人还没有开通信用就医，或患者身份尚未确定。',
      en: 'The payer has not enrolled, or the patient is not named yet.',
    },
    next: {
      zh: '可在手机上开通信用就医，由亲情付的家人付款，或在窗口用其他方式支付。',
      en: 'Enrol in the app, let a linked relative pay, or pay another way at the counter.',
    },
  },
  'credit/consent-withdrawn': {
    why: {
      zh: '信用就医所需的授权有一项或几项已撤回，不再增加新的占用。',
      en: 'A consent that credit needs was withdrawn, so nothing new is held.',
    },
    next: {
      zh: '在手机“我的授权”中重新授权即可恢复；已有的账单照常处理。',
      en: 'Give the consents again in the app; bills that exist go on as before.',
    },
  },
  'family/not-linked': {
    why: {
      zh: '所选付款人与患者之间没有生效的亲情付。',
      en: 'There is no active family link between this payer and the patient.',
    },
    next: {
      zh: '请付款人在手机上添加亲情付（被付人接受后生效），或选择其他付款人、其他支付方式。',
      en: 'The payer can add a link in the app (it is active once accepted); or choose another payer or way to pay.',
    },
  },
  'family/cap-exceeded': {
    why: {
      zh: '超过了付款人设定的单次或每月限额。',
      en: 'This is more than the cap that the payer set for a visit or a month.',
    },
    next: {
      zh: '请付款人在手机上调高限额，或减少占用金额；其余部分可用其他方式支付。',
      en: 'The payer can raise the cap in the app; or ask for less and pay the rest another way.',
    },
  },
  'family/age-out': {
    why: {
      zh: '孩子已满十八岁，未成年人亲情付在生日当天自动结束。',
      en: 'The child is 18: a minor’s link ends by itself on that birthday.',
    },
    next: {
      zh: '本人可开通自己的信用就医；已发生的账单仍由原付款人承担。',
      en: 'The young adult can enrol with a line of their own; earlier bills stay with the payer.',
    },
  },
  'credit/confirmation-needed': {
    why: {
      zh: '金额较大，为防止他人冒用，需要付款人本人再确认一次。',
      en: 'For a large amount the payer confirms once more, so that nobody else can use the line.',
    },
    next: {
      zh: '付款人在手机上确认，或在窗口出示另一种凭证；确认前就诊照常进行。',
      en: 'The payer confirms in the app, or shows a second credential; treatment goes on meanwhile.',
    },
  },
  'family/kinship-not-proven': {
    why: {
      zh: '民政登记中查不到两人之间的亲子关系，或姓名与身份证号不符。',
      en: 'The registry does not show one as the other’s parent, or name and ID number do not match.',
    },
    next: {
      zh: '核对姓名和身份证号；登记不全时可附出生证明或户口簿，由工作人员核实。',
      en: 'Check name and ID number; else name a birth certificate or household register to be checked.',
    },
  },
  'family/not-a-minor': {
    why: {
      zh: '未成年人亲情付只用于未满十八岁的子女。',
      en: 'A minor’s link is for children under 18.',
    },
    next: {
      zh: '成年子女可开通自己的信用就医；为父母付款请选父母亲情付。',
      en: 'An adult child can enrol alone; to pay for a parent choose the link for parents.',
    },
  },
  'family/too-many': {
    why: {
      zh: '每位付款人最多有五个生效或待接受的亲情付。',
      en: 'A payer has at most five links, active or pending.',
    },
    next: {
      zh: '先结束一个不再使用的亲情付，再添加新的。',
      en: 'End one that is no longer used, then add the new one.',
    },
  },
  'family/already-linked': {
    why: {
      zh: '您与此人之间已有生效或待接受的亲情付。',
      en: 'There is a link between you and this person already, active or pending.',
    },
    next: {
      zh: '在“我的亲情付”中修改限额，或结束后重新添加。',
      en: 'Change its caps in the app, or end it and add it anew.',
    },
  },
  'family/link-ended': {
    why: {
      zh: '该亲情付已被解除，或孩子已满十八岁。',
      en: 'The link was ended, or the child has come of age.',
    },
    next: {
      zh: '需要时由付款人重新添加；已发生的账单不变。',
      en: 'The payer can add a new one if it is needed; earlier bills stay as they are.',
    },
  },
  'credit/already-enrolled': {
    why: {
      zh: '每人只有一个信用额度，您已经开通。',
      en: 'One person has one line, and yours is open.',
    },
    next: {
      zh: '直接使用现有额度；如要更换银行，请先还清并关闭现有额度。',
      en: 'Use the line you have; to change the bank, repay and close it first.',
    },
  },
  'credit/under-age': {
    why: { zh: '信用就医须年满十八岁。', en: 'Credit is for people of 18 and over.' },
    next: {
      zh: '由父母开通后添加“未成年人亲情付”，用父母的额度就诊。',
      en: 'A parent can enrol and add a link for a minor child, and the parent’s line pays.',
    },
  },
  'credit/consent-missing': {
    why: {
      zh: '开通需要信用查询、就医支付、自动还款三项授权。',
      en: 'Enrolment needs three consents: credit enquiry, health payment, auto-debit.',
    },
    next: {
      zh: '勾选全部三项后重新提交；每一项以后都可以撤回。',
      en: 'Give all three and send it again; each can be withdrawn later.',
    },
  },
  'credit/score-unavailable': {
    why: {
      zh: '信用分机构没有您的信用分，或暂时没有答复。',
      en: 'The score provider has no score for you, or does not answer.',
    },
    next: {
      zh: '请稍后再试；仍然不行请联系信用分机构。不开通也可以正常就诊。',
      en: 'Try again later, then ask the score provider. You are treated without it all the same.',
    },
  },
  'credit/lender-unknown': {
    why: { zh: '所选银行不在合作名单中。', en: 'This bank is not one of the lenders.' },
    next: { zh: '请从贷款银行列表中选择。', en: 'Choose one from the list of lenders.' },
  },
  'credit/agreement-outdated': {
    why: {
      zh: '同意的协议版本不是现行版本。',
      en: 'The agreement that was agreed to is not a version in force.',
    },
    next: { zh: '请阅读并同意现行协议。', en: 'Read and agree to the one in force.' },
  },
  'credit/debt-open': {
    why: {
      zh: '还有占用中的金额或未还的账单，不能关闭额度。',
      en: 'Something is still held or owed, so the line cannot be closed.',
    },
    next: {
      zh: '待就诊结算并还清账单后再关闭。',
      en: 'Close it once the visits are settled and the bills repaid.',
    },
  },
  'credit/closed': {
    why: { zh: '该信用额度已关闭。', en: 'This credit line is closed.' },
    next: { zh: '可以重新开通。', en: 'You can enrol again.' },
  },
};
