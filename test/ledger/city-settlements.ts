// Settlements of the tests' small city, as transaction B of a settlement leaves them.
import type { Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { credit, debit, type Leg, withoutZero } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import {
  bankOf,
  HOSPITAL,
  h,
  LENDER,
  NOTHING,
  NOW,
  openVisit,
  throughLink,
  yuan,
} from './city-people.ts';

interface Plan {
  n: number;
  lender: string;
  credit: number;
  cash: number;
  claim: boolean;
}

export async function settle(tx: Tx, plan: Plan): Promise<void> {
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
    payer: lender === LENDER ? 'self' : 'lnk_1',
    payerCitizenId: citizenId,
    refundable: yuan(300),
    settledAt: NOW,
    recordedAt: NOW,
    businessDate: '2026-11-20',
  });
  if (plan.claim) await claim(tx, n, `clm_${n}`, { total: 300, fund: 190, account: 30 });
  else await queueConversion(tx, n);
  await capture(tx, plan, citizenId, lineId);
  await saveTenders(tx, plan);
  await postEntry(tx, {
    fact: 'settlement.settled',
    subjectId: `set_${n}`,
    settlementId: `set_${n}`,
    occurredAt: NOW,
    legs: settledLegs(plan, citizenId, due),
  });
}

/** The captured hold of a settlement and its receivable. */
async function capture(tx: Tx, plan: Plan, citizenId: string, lineId: string): Promise<void> {
  const { n, lender } = plan;
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
    ...(lender === LENDER ? {} : throughLink),
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
}

function settledLegs(plan: Plan, citizenId: string, due: number): Leg[] {
  const about = { claimId: `clm_${plan.n}`, reference: `setl${plan.n}` };
  return withoutZero([
    debit(h, '1201', plan.claim ? yuan(190) : 0n, about),
    debit(h, '1202', plan.claim ? yuan(30) : 0n, about),
    debit(h, '1203', yuan(plan.credit), { counterparty: plan.lender }),
    debit(h, '1101', yuan(plan.cash), {
      reference: 'cash',
      shiftId: plan.n === 1 ? 'shf_1' : undefined,
    }),
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

export async function claim(
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
