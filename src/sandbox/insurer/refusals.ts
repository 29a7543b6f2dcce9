// Law: a refusal of the platform is free Chinese text in err_msg (nhsa.md §3.4). "real" marks texts
// seen in the field; the others are the sandbox's own wording of a documented rule.

/** The trade is refused and changed nothing; the text is what err_msg carries. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

const queryFailed =
  'MBS-cn.hsa.ais.common.exception.HygeiaException: 请求失败,错误原因：本地查询错误:';

export const refusals = {
  /** real */
  unknownPerson: `${queryFailed}该参保人的基本信息为空null`,
  /** real */
  noInsurance: `${queryFailed}该参保人的参保信息为空`,
  paused: '参保人员在就诊时间处于暂停参保状态，不能享受医疗保险待遇',
  wrongInsutype: '险种类型与人员参保信息不符',
  wrongPerson: '人员编号与证件号码不符',
  wrongInsuredRegion: '交易报文不正确：insuplc_admdvs与人员参保地不一致',
  /** real; trace is `<traceid>@<ip>` */
  noCertificate: (trace: string) => `就诊凭证编号不能为空(${trace})`,
  /** real */
  unknownTrade: (trace: string) => `FSI-FSI-交易报文不正确：未知交易编号！,异常流水号:${trace}`,
  malformed: (what: string) => `FSI-FSI-交易报文不正确：${what}！`,
  fieldEmpty: (field: string) => `FSI-FSI-交易报文不正确：${field}不能为空！`,
  badAmount: (field: string) => `FSI-FSI-交易报文不正确：${field}不是有效数值！`,
  notSignedIn: '未签到，请先签到后再办理业务',
  /** real: unknown mdtrt_id or setl_id, nothing to cancel */
  nothingFound: '未查询到任何有效相关的记录',
  visitCancelled: '该笔挂号已撤销，请勿重复办理',
  visitHasFees: '存在未撤销的费用明细，不能撤销挂号',
  visitHasClaim: '存在有效的结算信息，不能撤销挂号',
  visitInfoMissing: '未查询到就诊信息，请先上传门诊就诊信息',
  /** real */
  feeListEmpty: '费用明细List不能为空',
  feeAmountWrong: (sn: string) => `费用明细${sn}的数量乘单价与明细项目费用总额不相等`,
  feeNumberTaken: (sn: string) => `费用明细流水号${sn}重复`,
  feeBatchTaken: (batch: string) => `收费批次${batch}已上传，同一批次须一次上传`,
  feeBatchDiseases: (batch: string) => `收费批次${batch}的病种编码不一致`,
  feesOfTwoVisits: '一次上传的费用明细须属于同一就诊',
  feesSettled: '费用明细已结算，不能撤销',
  /** real */
  totalDiffers: '医疗总费用与已上传费用不相等',
  /** real */
  alreadySettled: '门诊患者已结算请勿重复结算',
  /** real */
  previewDiffers: '预结算金额不匹配',
  /** real */
  alreadyCancelled: '该笔结算已撤销，请勿重复办理',
  /** real: 2601 of a settlement that 2208 or an earlier 2601 already took back */
  alreadyReversed:
    'FSI-调用业务基础子系统冲正失败:冲正的结算信息退费结算标志不为未退费，不能办理冲正交易[iptPsnSetlMgtBO_4412][outpatientSettleBO_40]',
  noSuchMessage: '未查询到原交易信息',
  /** real */
  notReversible: '仅门诊结算/撤销支持冲正',
  linesMovedOn: '撤销的费用明细已变动，不能办理冲正交易',
  /** seen in a mock only */
  accountTooLow: '个人账户余额不足',
  admissionCancelled: '该笔入院登记已撤销，请勿重复办理',
  stayHasFees: '存在未撤销的费用明细，不能撤销入院登记',
  stayHasClaim: '存在有效的结算信息，不能撤销入院登记',
  stayIsOver: '患者已出院，不能撤销入院登记',
  alreadyDischarged: '该患者已办理出院，请勿重复办理',
  notDischarged: '该患者未办理出院，无需撤销',
  dischargeHasClaim: '存在有效的出院结算信息，不能撤销出院',
  feesAfterDischarge: '患者已出院，不能上传费用明细',
  interimAfterDischarge: '患者已出院，不能办理中途结算',
  /** real */
  stillInHospital: '在院状态不允许结算',
  /** synthetic (nhsa.md §6): no text of a real platform is known */
  notFiled: '参保人未办理异地就医备案，不能直接结算',
  /** synthetic: a file that ended, or of another institution */
  noSuchFile: '文件不存在或已过下载期限',
  setlIdEmpty: '结算ID不能为空',
  /** the default of the fault mode "reject" */
  catalogueRefused: '费用明细不符合医保支付规则',
} as const;
