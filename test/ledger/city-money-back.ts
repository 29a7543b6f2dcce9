// Repayments and refunds of the tests' small city, with the money that is on its way back.
import type { Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { credit, debit, withoutZero } from '../../src/ledger/journal.ts';
import { openLegs, undoLegs } from '../../src/ledger/open-legs.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { bankOf, HOSPITAL, h, LENDER, NOW, yuan } from './city-people.ts';
import { claim } from './city-settlements.ts';

/** Row 6 on settlement 3: the line of 60.00 comes off; new claim 240 = 152 + 24 + 64. */
export async function refundPart(tx: Tx): Promise<void> {
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
export async function repay(tx: Tx): Promise<void> {
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
export async function refundAll(tx: Tx): Promise<void> {
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
