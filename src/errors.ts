// One closed catalogue of refusals. The code is API and never changes; the texts may.
// A Refusal is thrown inside a transaction so that the transaction rolls back with it.

export const problems = {
  'request/malformed': { status: 400, title: '请求格式错误 Malformed request' },
  'request/invalid': { status: 400, title: '请求内容无效 Invalid request' },
  'request/too-large': { status: 413, title: '请求体过大 Request body too large' },
  'request/unsupported-media-type': {
    status: 415,
    title: '不支持的内容类型 Unsupported media type',
  },
  'request/rate-limited': { status: 429, title: '请求过于频繁 Too many requests' },
  'request/precondition-failed': { status: 412, title: '版本已变化 Precondition failed' },
  'request/precondition-required': { status: 428, title: '缺少 If-Match Precondition required' },
  'route/not-found': { status: 404, title: '路径不存在 No such path' },
  'route/method-not-allowed': { status: 405, title: '方法不允许 Method not allowed' },
  'access/token-missing': { status: 401, title: '缺少访问令牌 Access token missing' },
  'access/token-invalid': { status: 401, title: '访问令牌无效 Access token invalid' },
  'access/forbidden': { status: 403, title: '无权进行此操作 Not yours by role' },
  'resource/not-found': { status: 404, title: '未找到 Not found' },
  'idempotency/key-missing': { status: 400, title: '缺少幂等键 Idempotency-Key missing' },
  'idempotency/key-invalid': { status: 400, title: '幂等键无效 Idempotency-Key invalid' },
  'idempotency/key-reused': { status: 422, title: '幂等键已用于其他请求 Idempotency-Key reused' },
  'idempotency/in-flight': { status: 409, title: '相同请求仍在处理 First request still running' },
  'service/unavailable': { status: 503, title: '服务暂不可用 Service temporarily unavailable' },
  'service/internal': { status: 500, title: '内部错误 Internal error' },

  'credit/limit-exceeded': { status: 402, title: '超出信用额度 Credit limit exceeded' },
  'credit/suspended': { status: 402, title: '信用额度已暂停 Credit line suspended' },
  'credit/overdue': { status: 402, title: '有逾期账单 Overdue bills' },
  'credit/not-enrolled': { status: 402, title: '未开通信用就医 Not enrolled' },
  'credit/consent-withdrawn': { status: 402, title: '授权已撤回 Consent withdrawn' },
  'family/not-linked': { status: 402, title: '没有有效的亲情付 No active family link' },
  'family/cap-exceeded': { status: 402, title: '超出亲情付限额 Family cap exceeded' },
  'family/age-out': { status: 402, title: '被付人已满十八岁 Beneficiary came of age' },
  'credit/confirmation-needed': {
    status: 402,
    title: '金额较大，需付款人本人确认 The payer’s own confirmation is needed',
  },

  'family/kinship-not-proven': { status: 422, title: '亲属关系未证实 Kinship not proven' },
  'family/not-a-minor': { status: 422, title: '孩子已满十八岁 Not a minor' },
  'family/too-many': { status: 422, title: '亲情付已达五个 Too many family links' },
  'family/already-linked': { status: 409, title: '已有亲情付 Already linked' },
  'family/link-ended': { status: 409, title: '亲情付已结束 Family link has ended' },

  'credit/already-enrolled': { status: 409, title: '已开通信用就医 Already enrolled' },
  'credit/under-age': { status: 422, title: '未满十八岁 Under age' },
  'credit/consent-missing': { status: 422, title: '缺少授权 Consent missing' },
  'credit/score-unavailable': { status: 422, title: '无法取得信用分 Score unavailable' },
  'credit/lender-unknown': { status: 422, title: '银行不存在 Lender unknown' },
  'credit/agreement-outdated': { status: 422, title: '协议版本不存在 Agreement version unknown' },
  'credit/debt-open': { status: 409, title: '仍有占用或欠款 Something is held or owed' },
  'credit/closed': { status: 409, title: '信用额度已关闭 Credit line closed' },

  'identity/unknown': { status: 422, title: '无法识别身份 Identity unknown' },
  'identity/expired': { status: 422, title: '凭证已过期 Credential expired' },
  'identity/already-used': { status: 422, title: '凭证已使用 Credential already used' },
  'identity/insurer-needed': {
    status: 422,
    title: '医保离线，请换凭证 Insurer needed for this credential',
  },
  'identity/stronger-needed': {
    status: 422,
    title: '需付款码、刷脸、NFC 或医保码 A stronger credential is needed',
  },

  'visit/number-taken': { status: 409, title: '就诊号已存在 Visit number taken' },
  'visit/settling': { status: 409, title: '正在结算 Visit is settling' },
  'visit/wrong-state': { status: 409, title: '就诊状态不允许 Wrong visit state' },
  'visit/already-settled': { status: 409, title: '已全部结算 Already settled' },
  'visit/patient-bound': { status: 409, title: '患者已确定 Patient already bound' },
  'visit/proxy-is-patient': { status: 422, title: '代办人不能是患者本人 Proxy is the patient' },
  'visit/diagnosis-missing': { status: 422, title: '缺少医生或诊断 Doctor or diagnosis missing' },
  'hospital/exists': { status: 409, title: '医院已登记 Hospital takes part already' },
  'policy/exists': { status: 409, title: '政策已存在 Policy exists' },
  'policy/invalid': { status: 422, title: '政策内容无法采用 Policy cannot be read' },
  'zone/exists': { status: 409, title: '区域已存在 Zone exists' },
  'visit/hospital-unknown': { status: 422, title: '医院不存在 Hospital unknown' },
  'hold/none': { status: 409, title: '没有有效的额度占用 No placed hold' },
  'hold/confirmation-closed': {
    status: 409,
    title: '确认已处理或已过期 Confirmation resolved or expired',
  },

  'charge/batch-taken': { status: 409, title: '费用批次已存在 Charge batch taken' },
  'charge/batch-settled': { status: 409, title: '费用批次已结算 Charge batch settled' },
  'charge/line-taken': { status: 409, title: '费用行号已存在 Line number taken' },
  'charge/amount-mismatch': {
    status: 422,
    title: '金额不等于数量乘单价 Amount is not quantity × price',
  },

  'charge/total-exceeded': { status: 422, title: '费用总额超限 Charged total too large' },

  'settlement/nothing-charged': { status: 422, title: '没有待结算费用 Nothing charged' },
  'settlement/batch-unknown': { status: 422, title: '费用批次不存在 Charge batch unknown' },
  'settlement/busy': { status: 409, title: '结算单处理中 Settlement is busy' },
  'settlement/nothing-due': { status: 409, title: '没有待付金额 Nothing is due' },
  'settlement/receipt-used': { status: 409, title: '收据号已使用 Receipt number used' },
  'tender/reference-used': { status: 409, title: '支付流水号已使用 Tender reference used' },
  'tender/deposit-not-allowed': {
    status: 422,
    title: '门诊不得使用预交金 Deposits are for inpatients',
  },
  'tender/not-by-phone': {
    status: 422,
    title: '手机结算只用信用与医保 By phone only credit and insurance pay',
  },
  'settlement/receipt-not-by-phone': {
    status: 422,
    title: '收据号由医院登记 The receipt number is the hospital’s to give',
  },
  'payment/exceeds-due': { status: 422, title: '超过应付金额 More than is due' },
  'refund/exceeds-leg': { status: 409, title: '超过可退金额 More than is left to refund' },
  'refund/line-unknown': {
    status: 422,
    title: '结算单没有该费用行 No such line in this settlement',
  },
  'refund/citizen-part-rises': {
    status: 409,
    title: '退费后自付会增加，已转财务 Citizen part would rise',
  },
  'voucher/already-paid': { status: 409, title: '退款凭证已兑付 Voucher already paid out' },
  'invoice/wrong-state': { status: 409, title: '发票状态不允许 Invoice in wrong state' },

  'insurance/rejected': { status: 409, title: '医保拒绝结算 Insurer rejected' },
  'insurance/offline': { status: 503, title: '医保平台离线 Insurer offline' },
  'insurance/unknown': { status: 503, title: '医保结果未知 Insurer result unknown' },
  'insurance/window-over': { status: 409, title: '计划停机已结束 Planned window is over' },

  'repayment/exceeds-debt': { status: 422, title: '超过欠款 More than is owed' },
  'repayment/under-way': { status: 409, title: '已有扣款进行中 A debit is under way' },

  'notice/number-taken': { status: 409, title: '通知编号已使用 Notice number taken' },
  'notice/wrong-state': {
    status: 409,
    title: '当前状态不适用该通知 Notice does not fit the state',
  },
  'notice/resolved': { status: 409, title: '通知已处理 Notice already resolved' },
  'notice/plan-mismatch': {
    status: 422,
    title: '分期合计不等于欠款 Instalments do not sum to what is owed',
  },
  'disbursement/day-not-over': {
    status: 409,
    title: '业务日尚未结束 The business day is not over',
  },
  'disbursement/answered': { status: 409, title: '放款回执已收取 Already answered' },
  'report/wrong-state': { status: 409, title: '报送状态不允许 Report in wrong state' },

  'conversion/not-possible': { status: 409, title: '不能转医保 Not convertible' },
  'conversion/wrong-state': { status: 409, title: '转医保状态不允许 Wrong conversion state' },
  'conversion/under-way': { status: 409, title: '已在转医保 A conversion is under way' },
  'conversion/fate-unknown': {
    status: 409,
    title: '医保结果尚未确认 The fate of a claim is not known yet',
  },

  'terminal/key-invalid': { status: 422, title: '终端公钥无效 Terminal key invalid' },
  'vendor/key-invalid': { status: 422, title: '设备厂商公钥无效 Vendor key invalid' },
  'vendor/issuer-taken': { status: 409, title: '厂商标识已登记 Vendor issuer already registered' },
  'webhook/url-refused': { status: 422, title: '回调地址不允许 Webhook URL not allowed' },
  'webhook/too-many-endpoints': { status: 409, title: '回调地址过多 Too many webhook endpoints' },
  'finance/same-person': {
    status: 403,
    title: '制单与复核须为不同人 Maker and checker must differ',
  },
  'finance/proposal-open': { status: 409, title: '已有待复核的提案 A proposal is open' },
  'finance/proposal-resolved': { status: 409, title: '提案已处理 Proposal already resolved' },
  'payout/day-not-over': { status: 409, title: '业务日尚未结束 The business day is not over' },
  'payout/wrong-state': { status: 409, title: '拨付状态不允许 Wrong payout state' },
  'shift/open': { status: 409, title: '该终端已有未结班次 A shift is open at this terminal' },
  'shift/closed': { status: 409, title: '班次已结 Shift already closed' },
  'day/not-in-order': { status: 409, title: '业务日须按顺序关账 Days close in order, never today' },
  'day/breaks-unowned': {
    status: 409,
    title: '有差错无人负责 A break has no owner and does not clear itself',
  },
  'file/wrong-header': { status: 422, title: '文件表头不符 Wrong header' },
  'file/wrong-encoding': { status: 422, title: '文件编码不符 Wrong encoding' },
  'file/truncated': { status: 422, title: '文件不完整 File is cut off' },
  'file/zip-bomb': { status: 422, title: '压缩文件异常膨胀 Zip bomb' },
  'file/formula': { status: 422, title: '单元格含公式 A cell holds a formula' },
  'file/duplicate-row': { status: 422, title: '文件有重复行 A row stands twice' },
  'file/totals-lie': { status: 422, title: '文件合计与明细不符 Totals do not add up' },
  'file/bad-value': { status: 422, title: '文件内容无效 A value is not valid' },
  'file/unknown-format': { status: 422, title: '文件格式未知 Unknown format' },
  'file/too-large': { status: 422, title: '文件过大 File too large' },
  'break/closed': { status: 409, title: '差错已处理 Break already settled' },
  'break/remedy-unfit': { status: 422, title: '处理方式不适用 Remedy does not fit this break' },
  'break/unbalanced': { status: 422, title: '调整分录不平 Adjustment does not balance' },
  'finance/case-closed': { status: 409, title: '事项已关闭 Case already closed' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;

export interface FieldError {
  /** JSON pointer into the request, e.g. "/items/0/amount". */
  pointer: string;
  detail: string;
}

export interface RefusalOptions {
  detail?: string;
  errors?: FieldError[];
  retryAfterSeconds?: number;
  /** Extension members of the problem document, e.g. {step: "open"}. */
  extra?: Record<string, unknown>;
  cause?: unknown;
}

/** A documented no. Thrown, so that the transaction it is thrown in rolls back. */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly options: RefusalOptions;
  /** True once the transaction that undid the work has stored it under the request's key. */
  isStored = false;

  constructor(code: ProblemCode, options: RefusalOptions = {}) {
    super(`${code}${options.detail ? `: ${options.detail}` : ''}`, { cause: options.cause });
    this.name = 'Refusal';
    this.code = code;
    this.options = options;
  }

  get status(): number {
    return problems[this.code].status;
  }
}

/** For bugs, never for input: a broken assertion is a 500 and an alarm. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${message}`);
}
