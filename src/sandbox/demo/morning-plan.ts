// Role: the fixed story of one hospital morning: who comes, with what, and what must come of it.
// Pure: plans only. 37 visits while the insurer is there, then 3 while it is not.
import { chargeItemNamed } from '../city/charge-items.ts';
import { hospitals } from '../city/hospitals.ts';
import type { DemoPerson } from './people.ts';
import type { VisitKind } from './replies.ts';
import type { Line, VisitPlan } from './visit-plan.ts';

/** Item names, each optionally with "|quantity". */
const baskets = {
  commonTicket: ['普通门诊挂号费', '普通门诊诊查费'],
  expertTicket: ['专家门诊挂号费', '主任医师诊查费'],
  cold: [
    '普通门诊诊查费',
    '血细胞分析（五分类）',
    '连花清瘟颗粒 6g×10袋|2',
    '盐酸氨溴索口服液 100ml',
  ],
  heart: [
    '主任医师诊查费',
    '常规心电图',
    '血脂四项',
    '阿托伐他汀钙片 20mg×28片|2',
    '缬沙坦胶囊 80mg×28粒|2',
  ],
  sugar: [
    '副主任医师诊查费',
    '糖化血红蛋白测定',
    '盐酸二甲双胍缓释片 0.5g×60片|3',
    '达格列净片 10mg×14片|2',
  ],
  stomach: [
    '副主任医师诊查费',
    '幽门螺杆菌呼气试验',
    '雷贝拉唑钠肠溶片 10mg×14片|2',
    '铝碳酸镁咀嚼片 0.5g×24片',
  ],
  teeth: ['普通门诊诊查费', '根管治疗|3', '光固化复合树脂充填'],
  needles: ['辨证论治费', '普通针刺|2', '拔罐疗法', '六味地黄丸 200丸|2'],
  child: ['普通门诊诊查费', 'C反应蛋白测定', '小儿豉翘清热颗粒 2g×9袋|2', '布洛芬混悬液 100ml'],
  skin: ['普通门诊诊查费', '过敏原筛查（十四项）', '糠酸莫米松乳膏 10g', '医用保湿修护乳 50g'],
  cut: [
    '急诊诊查费',
    '急诊挂号费',
    '大清创缝合',
    '可吸收缝合线|2',
    '注射用头孢曲松钠 1g|4',
    '静脉输液|2',
  ],
  chestPain: [
    '急诊诊查费',
    '肌钙蛋白测定',
    '心肌酶谱五项',
    'D-二聚体测定',
    '冠状动脉CT造影',
    '大抢救',
  ],
  fever: [
    '急诊诊查费',
    '流感病毒抗原检测',
    '奥司他韦颗粒 15mg×10袋',
    '静脉输液',
    '0.9%氯化钠注射液 250ml|2',
  ],
  followUp: ['互联网复诊诊查费', '苯磺酸氨氯地平片 5mg×28片|2', '阿司匹林肠溶片 100mg×30片'],
  refill: ['互联网复诊诊查费', '左甲状腺素钠片 50μg×100片', '碳酸钙D3片 60片'],
  chestScan: ['胸部螺旋CT平扫'],
  headScan: ['头颅核磁共振平扫'],
  ultrasound: ['腹部彩色多普勒超声', '甲状腺彩色多普勒超声'],
  scope: ['胃镜检查', '无痛胃镜麻醉', '一次性活检钳', '活组织病理检查'],
} as const;

type Basket = keyof typeof baskets;
type Told = Partial<Omit<VisitPlan, 'expect'>> & VisitPlan['expect'];
type Row = readonly [kind: VisitKind, patient: number, basket: Basket, told?: Told];

const cash = (amount: string) => [{ kind: 'cash', amount }];
const wechat = (amount: string) => [{ kind: 'wechatPay', amount }];

/** Patients by number: 0–21 enrolled and insured here, the rest as `castOf` says. */
export const castOf = {
  insuredElsewhere: 22,
  enrolledNotInsured: 23,
  paysCash: 24,
  paysWechat: 25,
  neitherEnrolledNorInsured: 26,
  foundUnconscious: 27,
} as const;
export const castSize = 28;

const whileOnline: readonly Row[] = [
  ['registration', 0, 'commonTicket'],
  ['registration', 1, 'expertTicket', { road: 'oneScan' }],
  ['registration', 2, 'commonTicket', { road: 'oneScan' }],
  ['registration', 3, 'commonTicket', { counterTenders: wechat('1.00') }],
  ['registration', 4, 'expertTicket', { road: 'cancelled' }],
  [
    'registration',
    castOf.paysCash,
    'commonTicket',
    { counterTenders: cash('30.00'), hasUnused: true },
  ],
  ['registration', 5, 'expertTicket', { after: ['refundAll'] }],
  ['registration', castOf.insuredElsewhere, 'commonTicket'],
  ['outpatient', 0, 'cold', { hasPreview: true }],
  ['outpatient', 1, 'heart', { after: ['refundLine'], credential: 'identification' }],
  ['outpatient', 2, 'sugar', { road: 'oneScan' }],
  ['outpatient', 3, 'stomach', { after: ['replay'], hasPreview: true }],
  ['outpatient', 6, 'teeth', { holdAmount: '9000.00', decline: 'credit/limit-exceeded' }],
  ['outpatient', 7, 'needles', { credential: 'paymentCode', road: 'oneScan' }],
  ['outpatient', 8, 'child', { counterTenders: cash('100.00'), hasUnused: true }],
  ['outpatient', 9, 'skin', { after: ['refundAll'], hasPreview: true }],
  ['outpatient', 10, 'heart', { insurance: 'skip' }],
  ['outpatient', castOf.insuredElsewhere, 'cold', { hasPreview: true }],
  ['outpatient', castOf.enrolledNotInsured, 'stomach'],
  [
    'outpatient',
    castOf.paysWechat,
    'sugar',
    { after: ['payDue'], decline: 'credit/not-enrolled', isDue: true },
  ],
  ['outpatient', castOf.neitherEnrolledNorInsured, 'cold', { after: ['payDue'], isDue: true }],
  ['emergency', 11, 'cut'],
  ['emergency', 12, 'fever', { road: 'oneScan' }],
  ['emergency', 13, 'chestPain', { after: ['payDue'] }],
  ['emergency', castOf.foundUnconscious, 'chestPain', { credential: 'late', after: ['payDue'] }],
  ['emergency', castOf.foundUnconscious, 'cut', { credential: 'none', isDue: true }],
  ['online', 14, 'followUp', { credential: 'paymentCode' }],
  ['online', 15, 'refill', { road: 'oneScan', credential: 'paymentCode' }],
  ['online', 16, 'followUp', { after: ['refundLine'] }],
  ['online', 17, 'refill', { usePersonalAccount: true }],
  ['online', 18, 'followUp', { road: 'cancelled' }],
  ['examination', 19, 'chestScan', { hasPreview: true }],
  ['examination', 18, 'ultrasound', { usePersonalAccount: true, tender: 'personalAccount' }],
  ['examination', 20, 'headScan', { road: 'oneScan' }],
  ['examination', 21, 'scope', { counterTenders: [...wechat('60.00'), ...cash('20.00')] }],
  ['examination', 7, 'chestScan', { after: ['replay', 'refundAll'] }],
  ['examination', 15, 'ultrasound'],
];

const duringOutage: readonly Row[] = [
  ['outpatient', 4, 'cold', { road: 'oneScan' }],
  ['outpatient', 16, 'heart', { counterTenders: cash('40.00') }],
  ['emergency', 20, 'fever'],
];

export interface Morning {
  whileOnline: VisitPlan[];
  duringOutage: VisitPlan[];
}

/** The morning's visits for a cast of `castSize` people. */
export function planMorning(cast: readonly DemoPerson[]): Morning {
  return {
    whileOnline: whileOnline.map((row, i) => planned(row, i, cast, null)),
    duringOutage: duringOutage.map((row, i) => planned(row, i, cast, 'awaitingInsurance')),
  };
}

function planned(
  row: Row,
  i: number,
  cast: readonly DemoPerson[],
  insurance: string | null,
): VisitPlan {
  const [kind, number, basket, told = {}] = row;
  const { decline, tender, hasUnused, isDue, ...plan } = told;
  const patient = cast[number];
  const hospital = hospitals[i % hospitals.length];
  if (!patient || !hospital) throw new Error(`the cast has no person ${number}`);
  const promised = insurance ?? usualInsurance(patient, told) ?? undefined;
  return {
    title: `${kind} ${basket}`,
    kind,
    patient,
    hospitalCode: hospital.code,
    batches: [baskets[basket].map(lineOf)],
    road: 'steps',
    credential: 'idCard',
    isSettledByBatch: false,
    hasPreview: false,
    after: [],
    ...plan,
    expect: { insurance: promised, decline, tender, hasUnused, isDue },
  };
}

/** An unnamed patient's insurance is nobody's promise; all others are known beforehand. */
function usualInsurance(patient: DemoPerson, told: Told): string | null {
  if (told.insurance === 'skip') return 'skipped';
  if (told.credential === 'none') return null;
  return patient.insurance.status === 'active' ? 'claimed' : 'notInsured';
}

function lineOf(text: string): Line {
  const [name = '', quantity = '1'] = text.split('|');
  const { code, unitPrice } = chargeItemNamed(name);
  return { code, name, quantity, unitPrice };
}
