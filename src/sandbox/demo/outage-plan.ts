// Role: who comes in the outage demo, and with what: 500 visits in five phases. Pure: plans only.
import { chargeItemNamed } from '../city/charge-items.ts';
import { hospitals } from '../city/hospitals.ts';
import { type DemoPerson, inventPerson } from './people.ts';
import type { VisitKind } from './replies.ts';
import type { VisitPlan } from './visit-plan.ts';

export type PhaseName = 'before' | 'answersLost' | 'portClosed' | 'draining' | 'after';

/** How many visits each phase has, in the order in which they are played. */
const phaseSizes: Record<PhaseName, number> = {
  before: 120,
  answersLost: 40,
  portClosed: 260,
  draining: 50,
  after: 30,
};

/** What is done to a visit while it waits for the insurer. */
export type WaitingAct = 'refundLine' | 'refundAll' | null;

export interface OutageVisit {
  plan: VisitPlan;
  phase: PhaseName;
  /** 1 to 500. */
  number: number;
  isInsured: boolean;
  act: WaitingAct;
}

const CAST = 100;
/** The last of the cast are special; everybody else is enrolled and insured in the city. */
const INSURED_ELSEWHERE = [92, 93];
const NOT_INSURED = [94, 95];
const NOT_ENROLLED = [96, 97, 98, 99];

/** So many citizens repay what they owe, or half of it, while the insurer is away. */
export const repayers = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] as const;

const baskets: readonly (readonly [VisitKind, readonly string[]])[] = [
  ['outpatient', ['普通门诊诊查费', '血细胞分析（五分类）', '盐酸氨溴索口服液 100ml']],
  ['outpatient', ['主任医师诊查费', '缬沙坦胶囊 80mg×28粒', '阿托伐他汀钙片 20mg×28片']],
  ['registration', ['普通门诊挂号费', '普通门诊诊查费']],
  ['examination', ['普通门诊诊查费', '胸部数字化摄影']],
  ['outpatient', ['普通门诊诊查费', '尿常规分析', '头孢呋辛酯片 0.25g×12片']],
  ['emergency', ['急诊诊查费', '急诊挂号费', '静脉输液', '注射用头孢曲松钠 1g']],
  ['online', ['互联网复诊诊查费', '苯磺酸氨氯地平片 5mg×28片', '阿司匹林肠溶片 100mg×30片']],
];

/** Each of these every so often: counter money, refunds and account money meet conversions. */
const EVERY_CASH = 9;
const EVERY_WECHAT = 11;
const EVERY_ACCOUNT = 13;
const EVERY_REFUND = 14;
const EVERY_WHOLE_REFUND = 65;

export function castOfOutage(salt: number): DemoPerson[] {
  return Array.from({ length: CAST }, (_, index) => {
    const person = inventPerson(index, salt);
    const insurance = { ...person.insurance };
    if (INSURED_ELSEWHERE.includes(index)) insurance.region = '350100';
    if (NOT_INSURED.includes(index)) insurance.status = 'none';
    return { ...person, insurance, lender: NOT_ENROLLED.includes(index) ? null : person.lender };
  });
}

/** All visits, phase after phase; people come again and again, to other hospitals. */
export function planOutage(cast: readonly DemoPerson[]): OutageVisit[] {
  let number = 0;
  return Object.entries(phaseSizes).flatMap(([phase, size]) =>
    Array.from({ length: size }, () => {
      number += 1;
      return planned(number, phase as PhaseName, cast);
    }),
  );
}

function planned(number: number, phase: PhaseName, cast: readonly DemoPerson[]): OutageVisit {
  const patient = cast[number % cast.length];
  const hospital = hospitals[number % hospitals.length];
  const [kind, basket] = baskets[number % baskets.length] ?? [];
  if (!patient || !hospital || !kind || !basket) throw new Error('nobody comes');
  const isInsured = patient.insurance.status === 'active';
  const counterTenders = tendersOf(number, patient);
  return {
    phase,
    number,
    isInsured,
    act: phase === 'portClosed' ? actOf(number) : null,
    plan: {
      title: `${phase} ${kind}`,
      kind,
      patient,
      hospitalCode: hospital.code,
      batches: [
        basket.map((name) => {
          const { code, unitPrice } = chargeItemNamed(name);
          return { code, name, quantity: '1', unitPrice };
        }),
      ],
      road: 'oneScan',
      credential: 'idCard',
      isSettledByBatch: false,
      hasPreview: false,
      after: [],
      ...(counterTenders ? { counterTenders } : {}),
      ...(number % EVERY_ACCOUNT === 0 ? { usePersonalAccount: true } : {}),
      expect: expectationOf(phase, isInsured),
    },
  };
}

/** Those without a line pay at the counter, some others a part. */
function tendersOf(number: number, patient: DemoPerson): VisitPlan['counterTenders'] {
  if (patient.lender === null) {
    const kind = number % 2 === 0 ? 'alipay' : 'bankCard';
    return [{ kind, amount: '200.00' }];
  }
  if (number % EVERY_CASH === 0) return [{ kind: 'cash', amount: '20.00' }];
  if (number % EVERY_WECHAT === 0) return [{ kind: 'wechatPay', amount: '30.00' }];
  return undefined;
}

function actOf(number: number): WaitingAct {
  if (number % EVERY_WHOLE_REFUND === 0) return 'refundAll';
  return number % EVERY_REFUND === 0 ? 'refundLine' : null;
}

/** While some answers are lost, nobody can tell beforehand which visit is hit. */
function expectationOf(phase: PhaseName, isInsured: boolean): VisitPlan['expect'] {
  if (phase === 'portClosed') return { insurance: 'awaitingInsurance' };
  if (phase === 'answersLost' || phase === 'draining') return {};
  return { insurance: isInsured ? 'claimed' : 'notInsured' };
}
