// What citizens are told of their visits and bills. Law: the words for a payer know amount, hospital and
// date only, so they cannot name a department or an illness.
import type { Said } from '../http/explanations.ts';
import type { EventType } from '../outbox/events.ts';
import type { NoticeText } from './notice-text.ts';

const because = (reason: string): Said =>
  reason ? { zh: `原因：${reason}。`, en: `Reason: ${reason}.` } : { zh: '', en: '' };

export const visitNotices = {
  'visit.opened': {
    title: { zh: '已登记就诊', en: 'Visit opened' },
    text: ({ hospital }) => ({
      zh: `您在${hospital.zh}的就诊已登记，先诊疗、后付费，无需押金。`,
      en: `Your visit at ${hospital.en} is open: treated first, paid later, no deposit.`,
    }),
  },
  'visit.discharged': {
    title: { zh: '已办理出院', en: 'Discharged' },
    text: ({ hospital }) => ({
      zh: `您已在${hospital.zh}办理出院，费用结算后可在“我的结算单”查看。`,
      en: `You were discharged from ${hospital.en}; see your settlements once the bill is settled.`,
    }),
  },
  'visit.dischargeCancelled': {
    title: { zh: '出院已撤销', en: 'Discharge cancelled' },
    text: ({ hospital }) => ({
      zh: `您在${hospital.zh}的出院登记已撤销，住院继续。`,
      en: `The discharge from ${hospital.en} was cancelled; the stay goes on.`,
    }),
  },
  'hold.placed': {
    title: { zh: '已占用额度', en: 'Credit held' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}占用您的信用额度 ${amount} 元，结算后多余部分自动释放。`,
      en: `${hospital.en} holds ${amount} yuan of your credit; what is not needed is freed at settlement.`,
    }),
    forPayer: ({ hospital, amount }) => ({
      zh: `家人在${hospital.zh}就诊，占用您的信用额度 ${amount} 元，结算后多余部分自动释放。`,
      en: `For a relative, ${hospital.en} holds ${amount} yuan of your credit; what is not needed is freed at settlement.`,
    }),
  },
  'hold.expired': {
    title: { zh: '额度占用已到期', en: 'Hold expired' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}占用的 ${amount} 元已到期释放。`,
      en: `The hold of ${amount} yuan at ${hospital.en} expired and is free again.`,
    }),
  },
  'hold.runningOut': {
    title: { zh: '额度占用即将用完', en: 'Hold running out' },
    text: ({ hospital }) => ({
      zh: `${hospital.zh}的费用已接近占用的额度，治疗不会因此中断；可增加占用或准备其他支付方式。`,
      en: `Charges at ${hospital.en} come near what is held. Treatment goes on; raise the hold or plan another way to pay.`,
    }),
  },
  'hold.confirmationNeeded': {
    title: { zh: '请确认大额占用', en: 'Please confirm a large hold' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}申请占用 ${amount} 元，需要您本人在手机上确认。不是您或家人请拒绝。`,
      en: `${hospital.en} asks to hold ${amount} yuan; please confirm in the app, or decline if it is not yours or a relative’s.`,
    }),
  },
} satisfies Partial<Record<EventType, NoticeText>>;

export const billNotices = {
  'settlement.settled': {
    title: { zh: '已结算', en: 'Settled' },
    text: ({ hospital, amount }) => ({
      zh: `您在${hospital.zh}的费用 ${amount} 元已结算。`,
      en: `Your bill of ${amount} yuan at ${hospital.en} is settled.`,
    }),
    forPayer: ({ hospital, amount }) => ({
      zh: `家人在${hospital.zh}的费用已结算，由您的信用额度支付 ${amount} 元。`,
      en: `A relative’s bill at ${hospital.en} is settled; your credit carries ${amount} yuan.`,
    }),
  },
  'settlement.awaitingInsurance': {
    title: { zh: '等待医保', en: 'Awaiting insurance' },
    text: ({ hospital, amount }) => ({
      zh: `您在${hospital.zh}的费用 ${amount} 元先按自费结算，医保平台恢复后自动转医保并退款，期间不催还款。`,
      en: `Your bill of ${amount} yuan at ${hospital.en} is self-paid for now; it is turned into insurance and refunded by itself, and nothing is dunned meanwhile.`,
    }),
    forPayer: ({ hospital, amount }) => ({
      zh: `家人在${hospital.zh}的费用中由您支付的 ${amount} 元正在等待医保结果，期间不催还款。`,
      en: `The ${amount} yuan that you carry at ${hospital.en} for a relative await insurance; nothing is dunned meanwhile.`,
    }),
  },
  'settlement.converted': {
    title: { zh: '已转医保', en: 'Turned into insurance' },
    text: ({ hospital, back }) => ({
      zh: `您在${hospital.zh}的自费结算已转为医保结算，退回或减少应付共 ${back} 元，凭证见结算单。`,
      en: `Your bill at ${hospital.en} is an insurance settlement now; ${back} yuan come back or are no longer owed. The proof is with the settlement.`,
    }),
    forPayer: ({ hospital, back }) => ({
      zh: `您为家人在${hospital.zh}支付的费用已转医保，您少付或退回 ${back} 元。`,
      en: `What you paid for a relative at ${hospital.en} is claimed from insurance now; ${back} yuan come back to you or are no longer owed.`,
    }),
  },
  'conversion.rejected': {
    title: { zh: '未能转医保', en: 'Insurance refused' },
    text: ({ hospital, reason }) => ({
      zh: `您在${hospital.zh}的费用未能转医保。${because(reason).zh}可持费用清单手工报销，材料和期限见结算单。`,
      en: `The insurer refused your bill at ${hospital.en}. ${because(reason).en} You can claim by hand; papers and deadline are with the settlement.`,
    }),
    forPayer: ({ hospital, amount }) => ({
      zh: `您为家人在${hospital.zh}支付的 ${amount} 元未能转医保，按账单还款日还款。`,
      en: `The ${amount} yuan that you carry at ${hospital.en} for a relative were not taken by insurance; repay by the due day.`,
    }),
  },
  'conversion.cancelled': {
    title: { zh: '已停止转医保', en: 'Conversion given up' },
    text: ({ hospital, reason }) => ({
      zh: `您在${hospital.zh}的费用不再自动转医保。${because(reason).zh}`,
      en: `Your bill at ${hospital.en} is no longer turned into insurance by itself. ${because(reason).en}`,
    }),
    forPayer: ({ hospital, amount }) => ({
      zh: `您为家人在${hospital.zh}支付的 ${amount} 元不再等待医保，按账单还款日还款。`,
      en: `The ${amount} yuan that you carry at ${hospital.en} for a relative no longer await insurance; repay by the due day.`,
    }),
  },
  'conversion.confirmationNeeded': {
    title: { zh: '请同意转医保', en: 'Please agree to insurance' },
    text: ({ hospital }) => ({
      zh: `您在${hospital.zh}的自费结算可以转医保，请在手机上同意，或选择自行手工报销。`,
      en: `Your bill at ${hospital.en} can be turned into insurance: please agree in the app, or say that you claim by hand.`,
    }),
  },
  'refund.completed': {
    title: { zh: '已退费', en: 'Refunded' },
    text: ({ hospital, amount }) => ({
      zh: `${hospital.zh}已退费 ${amount} 元，去向见结算单。`,
      en: `${hospital.en} refunded ${amount} yuan of charges; the settlement says where it went.`,
    }),
    forPayer: ({ hospital, back }) => ({
      zh: `${hospital.zh}已退费，您为家人支付的部分少付或退回 ${back} 元。`,
      en: `${hospital.en} refunded a relative’s bill; ${back} yuan come back to you or are no longer owed.`,
    }),
  },
  'refund.late': {
    title: { zh: '退费超过时限', en: 'Refund is late' },
    text: ({ hospital }) => ({
      zh: `${hospital.zh}的退费超过了规定的工作日，已转人工处理。`,
      en: `A refund at ${hospital.en} is past its working days; a person looks after it.`,
    }),
  },
  'voucher.paid': {
    title: { zh: '退款凭证已兑付', en: 'Voucher paid out' },
    text: ({ hospital, amount }) => ({
      zh: `退款凭证 ${amount} 元已在${hospital.zh}兑付，不能再次使用。`,
      en: `Your refund voucher of ${amount} yuan was paid out at ${hospital.en} and is used up.`,
    }),
  },
  'invoice.replacementNeeded': {
    title: { zh: '电子发票将换开', en: 'A new invoice follows' },
    text: ({ hospital }) => ({
      zh: `费用已变动，${hospital.zh}将冲红原电子发票并开具新票，请勿使用旧票报销。`,
      en: `The bill changed: ${hospital.en} cancels the invoice and issues a new one; do not claim with the old one.`,
    }),
  },
} satisfies Partial<Record<EventType, NoticeText>>;
