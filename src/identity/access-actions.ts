// What somebody may do with a citizen's data, and why, in plain words for the citizen. Law: the list is
// closed, so a line that nobody can explain is never written. `{name}`: the other person, masked.

interface Explained {
  what: string;
  why: string;
}

const accessActions = {
  'identification.make': {
    what: '在窗口识别身份 Identified you at the counter',
    why: '办理就诊 For a visit',
  },
  'visit.open': { what: '登记就诊 Opened your visit', why: '办理就诊 For a visit' },
  'visit.bind': {
    what: '把急诊登记到您名下 Put your name to an emergency visit',
    why: '确认患者身份 To know who is treated',
  },
  'visit.openByProxy': {
    what: '{name}代您办理就诊 {name} stood at the counter for you',
    why: '亲情代办，双方出示凭证 Proxy, both of you showed a credential',
  },
  'visit.asProxy': {
    what: '您代{name}办理就诊 You visited for {name}',
    why: '亲情代办 Proxy',
  },
  'visit.read': { what: '查看就诊 Read your visit', why: '办理就诊 For a visit' },
  'visit.search': {
    what: '按身份证号查询就诊 Looked for your visits by ID number',
    why: '办理就诊 For a visit',
  },
  'settlement.read': { what: '查看结算单 Read your settlement', why: '办理结算 For a settlement' },
  'refund.read': { what: '查看退费 Read your refund', why: '办理退费 For a refund' },
  'conversion.request': {
    what: '为您申请转医保 Asked that your bill be claimed',
    why: '补办医保结算 To claim from the insurer',
  },
  'conversion.optOut': {
    what: '登记您自行报销 Noted that you claim by hand',
    why: '按您的要求 You asked for it',
  },
  'conversion.read': {
    what: '财务查看转医保 Finance read your conversion',
    why: '核对医保结算 To check a claim',
  },
  'familyLink.accept': {
    what: '在窗口接受亲情付 Accepted a family link at the counter',
    why: '由子女为您付款 So that your child pays for you',
  },
  'kinshipPapers.read': {
    what: '工作人员查看亲属证明 Staff read your papers of kinship',
    why: '核实亲情付 To check a family link',
  },
  'hold.confirm': {
    what: '核对您的第二凭证 Checked your second credential',
    why: '大额占用需本人确认 You confirm a large hold',
  },
  'bill.read': {
    what: '{name}在手机上查看您的待付账单 {name} read your open bill on the phone',
    why: '未成年人亲情付的监护人 Guardian by a family link',
  },
  'bill.settle': {
    what: '{name}在手机上为您结算 {name} settled your bill on the phone',
    why: '未成年人亲情付的监护人 Guardian by a family link',
  },
  'settlement.readByPayer': {
    what: '{name}查看为您支付的账单 {name} read a bill paid for you',
    why: '付款人只看金额、医院和日期 A payer sees amount, hospital and date',
  },
  'loan.readByLender': {
    what: '贷款银行查看您的借款凭证 Your lender read the evidence of a loan',
    why: '核对贷款，不含科室、诊断和项目 To check a loan; no department, diagnosis or items',
  },
  'scoreReport.readByStaff': {
    what: '财务查看您对逾期报送的异议 Finance read your objection to a report',
    why: '复核异议 To decide on it',
  },
  'export.read': {
    what: '导出全部个人数据 Exported all your data',
    why: '本人查询 Your own request',
  },
} as const satisfies Record<string, Explained>;

export type AccessAction = keyof typeof accessActions;

/** An action in words; an action of another version of ours stays its own name. */
export function explainAccess(action: string, otherName: string | null): Explained {
  const known: Record<string, Explained | undefined> = accessActions;
  const { what, why } = known[action] ?? { what: action, why: '' };
  return { what: what.replaceAll('{name}', otherName ?? '他人'), why };
}
