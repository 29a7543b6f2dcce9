// A small city with one of everything that verify looks at, all laws held: two payers, two lenders,
// settlements as in rows 1, 2, 6, 7 and 14 of the worked example, repayments, a payout, an order.
import { eq } from 'drizzle-orm';
import type { Tx } from '../../src/db/db.ts';
import * as t from '../../src/db/schema.ts';
import { credit, debit, hospitalBooks } from '../../src/ledger/journal.ts';
import { postEntry } from '../../src/ledger/post.ts';
import { fillDebt } from './city-debt.ts';
import { refundAll, refundPart, repay } from './city-money-back.ts';
import { closeDays, fillPayouts, fillShift } from './city-money-out.ts';
import {
  COUNTY,
  fillFamily,
  fillOwners,
  fillPeople,
  HOSPITAL,
  h,
  LENDER,
  NOTHING,
  NOW,
  OTHER_LENDER,
  openVisit,
  yuan,
} from './city-people.ts';
import { fillReconciliation } from './city-reconciliation.ts';
import { settle } from './city-settlements.ts';

export async function fillCity(tx: Tx): Promise<void> {
  await fillOwners(tx);
  await fillPeople(tx);
  await fillFamily(tx);
  await settle(tx, { n: 1, lender: LENDER, credit: 50, cash: 30, claim: true });
  await settle(tx, { n: 2, lender: OTHER_LENDER, credit: 180, cash: 120, claim: false });
  await settle(tx, { n: 3, lender: LENDER, credit: 50, cash: 30, claim: true });
  await settle(tx, { n: 4, lender: LENDER, credit: 50, cash: 0, claim: true });
  await settle(tx, { n: 8, lender: LENDER, credit: 50, cash: 30, claim: true });
  await refundPart(tx);
  await repay(tx);
  await refundAll(tx);
  await fillUnsettled(tx);
  await fillPayouts(tx);
  await fillShift(tx);
  await fillLaterIssues(tx);
  await fillDebt(tx);
  await fillReconciliation(tx);
  await closeDays(tx);
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
  const stoodThere = { payerCitizenId: 'cit_1', proxyCitizenId: 'cit_2' };
  await tx.update(t.visit).set(stoodThere).where(eq(t.visit.id, 'vis_5'));
  await tx.insert(t.holdConfirmation).values({
    id: 'cfm_5',
    visitId: 'vis_5',
    payerCitizenId: 'cit_1',
    amount: yuan(40),
    status: 'confirmed',
    confirmedBy: 'app',
    createdAt: NOW,
    expiresAt: new Date(NOW.getTime() + 600_000),
    resolvedAt: NOW,
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

/** Row 17: an order performed by the county's hospital. */
async function fillLaterIssues(tx: Tx): Promise<void> {
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
