// A small city with one of everything that verify looks at, all laws held: two payers, two lenders,
// settlements as in rows 1, 2, 6 and 14 of the worked example, a repayment, a payout, an order.
import type { Db, Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import {
  credit,
  debit,
  hospitalBooks,
  type Leg,
  lenderBooks,
  withoutZero,
} from '../../src/ledger/journal.ts';
import { openLegs, undoLegs } from '../../src/ledger/open-legs.ts';
import { postEntry } from '../../src/ledger/post.ts';

export const HOSPITAL = 'H90000000001';
export const COUNTY = 'H90000000002';
export const LENDER = 'testLenderA';
export const OTHER_LENDER = 'testLenderB';
export const NOW = new Date('2026-11-20T02:00:00Z');

const NOTHING = Buffer.from('00', 'hex');
export const yuan = (amount: number): bigint => BigInt(Math.round(amount * 100));

const h = hospitalBooks(HOSPITAL);
const bankOf = (lender: string) => lenderBooks(lender);

/** Hospitals and lenders of the tests' own, so that they do not lean on the demo city. */
export async function fillOwners(db: Db | Tx): Promise<void> {
  await db.insert(t.hospital).values([
    { code: HOSPITAL, name: '测试医院', level: 3, region: '350200' },
    { code: COUNTY, name: '测试县医院', level: 2, region: '350200' },
  ]);
  await db.insert(t.lender).values([
    { code: LENDER, name: '测试银行甲' },
    { code: OTHER_LENDER, name: '测试银行乙' },
  ]);
}

export async function fillCity(tx: Tx): Promise<void> {
  await fillOwners(tx);
  await fillPeople(tx);
  await settle(tx, { n: 1, lender: LENDER, credit: 50, cash: 30, claim: true });
  await settle(tx, { n: 2, lender: OTHER_LENDER, credit: 180, cash: 120, claim: false });
  await settle(tx, { n: 3, lender: LENDER, credit: 50, cash: 30, claim: true });
  await settle(tx, { n: 4, lender: LENDER, credit: 50, cash: 0, claim: true });
  await settle(tx, { n: 8, lender: LENDER, credit: 50, cash: 30, claim: true });
  await refundPart(tx);
  await repay(tx);
  await refundAll(tx);
  await fillUnsettled(tx);
  await fillLaterIssues(tx);
}

async function fillPeople(tx: Tx): Promise<void> {
  for (const [n, lender, held, outstanding] of [
    [1, LENDER, 40, 50 + 34 + 50 - 20],
    [2, OTHER_LENDER, 0, 180],
  ] as const) {
    await tx.insert(t.citizen).values({
      id: `cit_${n}`,
      idIndex: Buffer.from(`index ${n}`),
      idNumber: NOTHING,
      name: NOTHING,
    });
    await tx.insert(t.creditLine).values({
      id: `lin_${n}`,
      citizenId: `cit_${n}`,
      lender,
      product: 'standard',
      status: 'active',
      limit: yuan(3000),
      inpatientExtra: 0n,
      outageExtra: yuan(1000),
      held: yuan(held),
      outstanding: yuan(outstanding),
      scoreValue: 650,
      scoreTier: 3,
      scoreAsOf: NOW,
      policyVersion: 1,
      agreementVersion: '1',
      openedAt: NOW,
    });
  }
}

/** A visit with one batch of two lines: 60.00 and the rest. */
async function openVisit(tx: Tx, n: number, status: string, taken: string | null): Promise<void> {
  await tx.insert(t.visit).values({
    id: `vis_${n}`,
    hospitalCode: HOSPITAL,
    visitNumber: `N${n}`,
    kind: 'outpatient',
    status,
    citizenId: 'cit_1',
    businessDate: '2026-11-20',
    startedAt: NOW,
    insured: {},
    usePersonalAccount: true,
    useFamilyAccount: false,
    chargedTotal: yuan(300),
    openedAt: NOW,
  });
  await tx.insert(t.chargeBatch).values({
    visitId: `vis_${n}`,
    batch: '1',
    position: 1,
    total: yuan(300),
    settlementId: taken,
    createdAt: NOW,
  });
  for (const [lineNumber, amount] of [
    [1, 60],
    [2, 240],
  ] as const) {
    await tx.insert(t.charge).values({
      visitId: `vis_${n}`,
      lineNumber,
      batch: '1',
      code: `C${lineNumber}`,
      name: '项目',
      quantity: '1',
      unitPrice: `${amount}`,
      amount: yuan(amount),
      occurredAt: NOW,
      detail: {},
    });
  }
}

interface Plan {
  n: number;
  lender: string;
  credit: number;
  cash: number;
  claim: boolean;
}

async function settle(tx: Tx, plan: Plan): Promise<void> {
  const { n, lender } = plan;
  const citizenId = lender === LENDER ? 'cit_1' : 'cit_2';
  const lineId = lender === LENDER ? 'lin_1' : 'lin_2';
  const due = 300 - (plan.claim ? 220 : 0) - plan.credit - plan.cash;
  await openVisit(tx, n, 'settled', `set_${n}`);
  await tx.insert(t.settlement).values({
    id: `set_${n}`,
    visitId: `vis_${n}`,
    hospitalCode: HOSPITAL,
    citizenId,
    status: due > 0 ? 'awaitingPayment' : 'settled',
    insuranceStatus: plan.claim ? 'claimed' : 'awaitingInsurance',
    total: yuan(300),
    dueAtCounter: yuan(due),
    unused: [],
    payer: 'self',
    payerCitizenId: citizenId,
    refundable: yuan(300),
    settledAt: NOW,
    recordedAt: NOW,
    businessDate: '2026-11-20',
  });
  if (plan.claim) await claim(tx, n, `clm_${n}`, { total: 300, fund: 190, account: 30 });
  else await queueConversion(tx, n);
  await tx.insert(t.hold).values({
    id: `hld_${n}`,
    lineId,
    visitId: `vis_${n}`,
    status: 'captured',
    amount: yuan(200),
    captured: yuan(plan.credit),
    limitThen: yuan(3000),
    extraThen: 0n,
    heldThen: 0n,
    outstandingThen: 0n,
    placedAt: NOW,
    expiresAt: NOW,
    resolvedAt: NOW,
  });
  await tx.insert(t.receivable).values({
    id: `rcv_${n}`,
    lineId,
    citizenId,
    lender,
    settlementId: `set_${n}`,
    holdId: `hld_${n}`,
    amount: yuan(plan.credit),
    dueAt: NOW,
    awaitsInsurance: !plan.claim,
    createdAt: NOW,
  });
  await saveTenders(tx, plan);
  await postEntry(tx, {
    fact: 'settlement.settled',
    subjectId: `set_${n}`,
    settlementId: `set_${n}`,
    occurredAt: NOW,
    legs: settledLegs(plan, citizenId, due),
  });
}

function settledLegs(plan: Plan, citizenId: string, due: number): Leg[] {
  const about = { claimId: `clm_${plan.n}`, reference: `setl${plan.n}` };
  return withoutZero([
    debit(h, '1201', plan.claim ? yuan(190) : 0n, about),
    debit(h, '1202', plan.claim ? yuan(30) : 0n, about),
    debit(h, '1203', yuan(plan.credit), { counterparty: plan.lender }),
    debit(h, '1101', yuan(plan.cash), { reference: 'cash' }),
    debit(h, '1207', yuan(due)),
    credit(h, '4101', yuan(300)),
    debit(bankOf(plan.lender), '1301', yuan(plan.credit), { citizenId }),
    credit(bankOf(plan.lender), '2101', yuan(plan.credit), { counterparty: HOSPITAL }),
  ]);
}

async function saveTenders(tx: Tx, plan: Plan): Promise<void> {
  const parts: [string, number, string | null][] = [
    ['insuranceFund', plan.claim ? 190 : 0, null],
    ['personalAccount', plan.claim ? 30 : 0, null],
    ['cash', plan.cash, `receipt ${plan.n}`],
    ['credit', plan.credit, null],
  ];
  for (const [position, [kind, amount, reference]] of parts.entries()) {
    if (amount === 0) continue;
    const settlementId = `set_${plan.n}`;
    await tx
      .insert(t.tender)
      .values({ settlementId, position, kind, amount: yuan(amount), reference, paidAt: NOW });
    if (reference) {
      await tx
        .insert(t.usedReference)
        .values({ hospitalCode: HOSPITAL, kind, reference, settlementId });
    }
  }
}

async function claim(
  tx: Tx,
  n: number,
  id: string,
  part: { total: number; fund: number; account: number },
): Promise<void> {
  await tx.insert(t.claim).values({
    id,
    settlementId: `set_${n}`,
    setlId: `setl of ${id}`,
    hospitalCode: HOSPITAL,
    mdtrtId: `mdtrt ${n}`,
    msgid: `msg of ${id}`,
    status: 'live',
    insutype: '310',
    clrType: '11',
    clrOptins: '350200',
    setlTime: NOW,
    total: yuan(part.total),
    fund: yuan(part.fund),
    account: yuan(part.account),
    familyAccount: 0n,
    hospitalBorne: 0n,
    cash: yuan(part.total - part.fund - part.account),
    split: NOTHING,
  });
}

async function queueConversion(tx: Tx, n: number): Promise<void> {
  await tx.insert(t.conversion).values({
    id: `cnv_${n}`,
    settlementId: `set_${n}`,
    hospitalCode: HOSPITAL,
    route: 'local',
    cause: 'outage',
    status: 'queued',
    attempts: [],
    before: [],
    nextAttemptAt: NOW,
    createdAt: NOW,
  });
}

/** Row 6 on settlement 3: the line of 60.00 comes off; new claim 240 = 152 + 24 + 64. */
async function refundPart(tx: Tx): Promise<void> {
  const legs = await openLegs(tx, 'set_3');
  const b = bankOf(LENDER);
  const about = { claimId: 'clm_3b', reference: 'setl3b' };
  await tx.execute(`update claim set status = 'reversed' where id = 'clm_3'`);
  await claim(tx, 3, 'clm_3b', { total: 240, fund: 152, account: 24 });
  await postEntry(tx, {
    fact: 'refund.completed',
    subjectId: 'rfd_3',
    settlementId: 'set_3',
    occurredAt: NOW,
    legs: [
      ...undoLegs(legs, { ...h, account: '4101', amount: yuan(60) }),
      ...undoLegs(legs, { ...h, account: '1201', amount: yuan(190), claimId: 'clm_3' }),
      ...undoLegs(legs, { ...h, account: '1202', amount: yuan(30), claimId: 'clm_3' }),
      ...undoLegs(legs, { ...h, account: '1203', amount: yuan(16), counterparty: LENDER }),
      debit(h, '1201', yuan(152), about),
      debit(h, '1202', yuan(24), about),
      ...undoLegs(legs, { ...b, account: '2101', amount: yuan(16), counterparty: HOSPITAL }),
      ...undoLegs(legs, { ...b, account: '1301', amount: yuan(16), citizenId: 'cit_1' }),
    ],
  });
  await saveRefund(tx, 3, 60, [['credit', 16, true, 'done']]);
  await tx.execute(`update receivable set reduced = 1600 where id = 'rcv_3'`);
  await tx.execute(`update charge set refunded_amount = 6000, refunded_quantity = 1
    where visit_id = 'vis_3' and line_number = 1`);
  await tx.execute(`update settlement set status = 'partlyRefunded', refundable = 24000
    where id = 'set_3'`);
  await tx.execute(`update tender set given_back = 1600
    where settlement_id = 'set_3' and kind = 'credit'`);
}

/** Repayment 1 came late: 2.00 of it met no debt any more and are to go back. */
async function repay(tx: Tx): Promise<void> {
  for (const [n, amount, status] of [
    [1, 22, 'paid'],
    [2, 10, 'processing'],
    [8, 5, 'paid'],
  ] as const) {
    await tx.insert(t.repayment).values({
      id: `rep_${n}`,
      citizenId: 'cit_1',
      lineId: 'lin_1',
      lender: LENDER,
      cause: 'citizen',
      amount: yuan(amount),
      status,
      createdAt: NOW,
    });
    await tx.insert(t.repaymentAllocation).values({
      repaymentId: `rep_${n}`,
      receivableId: n === 8 ? 'rcv_8' : 'rcv_1',
      amount: yuan(amount),
      isOpen: status === 'processing',
    });
  }
  await tx.execute(`update receivable set paid = 2000 where id = 'rcv_1'`);
  await tx.execute(`update receivable set paid = 500 where id = 'rcv_8'`);
  const b = bankOf(LENDER);
  for (const [n, taken, surplus] of [
    [1, 20, 2],
    [8, 5, 0],
  ] as const) {
    const about = { citizenId: 'cit_1', settlementId: `set_${n}` };
    await postEntry(tx, {
      fact: 'repayment.paid',
      subjectId: `rep_${n}`,
      occurredAt: NOW,
      legs: withoutZero([
        debit(b, '1311', yuan(taken + surplus), about),
        credit(b, '1301', yuan(taken), about),
        credit(b, '2201', yuan(surplus), about),
      ]),
    });
  }
  await saveMoneyBack(tx, { n: 1, causeId: 'rep_1', position: 0 }, ['credit', 2, false, 'pending']);
  await postEntry(tx, {
    fact: 'debit.sent',
    subjectId: 'rep_2',
    occurredAt: NOW,
    legs: [debit(b, '9201', yuan(10)), credit(b, '9202', yuan(10))],
  });
}

/** Row 7 on settlement 8: 30.00 in cash and 5.00 of repaid credit are still on their way back. */
async function refundAll(tx: Tx): Promise<void> {
  const legs = await openLegs(tx, 'set_8');
  const b = bankOf(LENDER);
  await postEntry(tx, {
    fact: 'refund.completed',
    subjectId: 'rfd_8',
    settlementId: 'set_8',
    occurredAt: NOW,
    legs: [
      ...undoLegs(legs, { ...h, account: '4101', amount: yuan(300) }),
      ...undoLegs(legs, { ...h, account: '1201', amount: yuan(190) }),
      ...undoLegs(legs, { ...h, account: '1202', amount: yuan(30) }),
      ...undoLegs(legs, { ...h, account: '1203', amount: yuan(50) }),
      credit(h, '2203', yuan(30), { reference: 'cash' }),
      ...undoLegs(legs, { ...b, account: '2101', amount: yuan(50) }),
      ...undoLegs(legs, { ...b, account: '1301', amount: yuan(45) }),
      credit(b, '2201', yuan(5), { citizenId: 'cit_1' }),
    ],
  });
  await tx.execute(`update claim set status = 'reversed' where id = 'clm_8'`);
  await tx.execute(`update receivable set reduced = 4500 where id = 'rcv_8'`);
  await tx.execute(`update charge set refunded_amount = amount, refunded_quantity = quantity
    where visit_id = 'vis_8'`);
  await tx.execute(`update settlement set status = 'refunded', insurance_status = 'reversed',
    refundable = 0 where id = 'set_8'`);
  await tx.execute(`update tender set given_back = amount where settlement_id = 'set_8'`);
  await saveRefund(tx, 8, 300, [
    ['credit', 45, true, 'done'],
    ['credit', 5, false, 'pending'],
    ['cash', 30, false, 'voucher'],
  ]);
}

type Back = [kind: string, amount: number, isReduction: boolean, status: string];

async function saveRefund(tx: Tx, n: number, amount: number, back: Back[]): Promise<void> {
  const causeId = `rfd_${n}`;
  await tx.insert(t.refund).values({
    id: causeId,
    settlementId: `set_${n}`,
    status: 'completed',
    amount: yuan(amount),
    lines: [],
    reason: '退费',
    createdAt: NOW,
    resolvedAt: NOW,
  });
  for (const [position, part] of back.entries()) {
    await saveMoneyBack(tx, { n, causeId, position }, part);
  }
}

async function saveMoneyBack(
  tx: Tx,
  of: { n: number; causeId: string; position: number },
  [kind, amount, isReduction, status]: Back,
): Promise<void> {
  await tx.insert(t.moneyBack).values({
    id: `mbk of ${of.causeId} ${of.position}`,
    settlementId: `set_${of.n}`,
    causeId: of.causeId,
    position: of.position,
    kind,
    amount: yuan(amount),
    isReduction,
    status,
    citizenId: 'cit_1',
    createdAt: NOW,
  });
}

/** Visits 5 open with a placed hold, 6 settling with its intent, 7 cancelled. */
async function fillUnsettled(tx: Tx): Promise<void> {
  await openVisit(tx, 5, 'open', null);
  await openVisit(tx, 6, 'settling', 'int_6');
  await openVisit(tx, 7, 'cancelled', null);
  await tx.insert(t.hold).values({
    id: 'hld_5',
    lineId: 'lin_1',
    visitId: 'vis_5',
    status: 'placed',
    amount: yuan(40),
    limitThen: yuan(3000),
    extraThen: 0n,
    heldThen: 0n,
    outstandingThen: yuan(114),
    placedAt: NOW,
    expiresAt: NOW,
  });
  await tx.insert(t.intent).values({
    id: 'int_6',
    kind: 'settle',
    status: 'running',
    visitId: 'vis_6',
    request: NOTHING,
    leaseToken: 'token',
    leaseUntil: NOW,
  });
}

/** Rows 12 and 17: a payout under way and an order performed by the county's hospital. */
async function fillLaterIssues(tx: Tx): Promise<void> {
  const b = bankOf(LENDER);
  await postEntry(tx, {
    fact: 'payout.sent',
    subjectId: 'pay_1',
    occurredAt: NOW,
    legs: [
      debit(h, '1103', yuan(10), { counterparty: LENDER }),
      credit(h, '1203', yuan(10), { counterparty: LENDER }),
      debit(b, '2101', yuan(10), { counterparty: HOSPITAL }),
      credit(b, '2102', yuan(10), { counterparty: HOSPITAL }),
    ],
  });
  const county = hospitalBooks(COUNTY);
  await postEntry(tx, {
    fact: 'order.performed',
    subjectId: 'ord_1',
    occurredAt: NOW,
    legs: [
      debit(h, '2204', yuan(200)),
      credit(h, '4101', yuan(40)),
      credit(h, '2205', yuan(160), { counterparty: COUNTY }),
      debit(county, '1206', yuan(160), { counterparty: HOSPITAL }),
      credit(county, '4101', yuan(160)),
    ],
  });
}
