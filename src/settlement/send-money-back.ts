// Sends money back on the instrument it came from: pending → sent → done | failed → voucher.
// Law: an instrument that refuses for good becomes a voucher and a finance case; nothing is lost.
import { and, eq, inArray } from 'drizzle-orm';
import type { DebitAnswer } from '../credit/lender-bank.ts';
import { businessNow, type Tx, transact } from '../db/db.ts';
import { citizen, moneyBack, receivable, settlement } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import { credit, hospitalBooks, type Leg, lenderBooks } from '../ledger/journal.ts';
import { type OpenLeg, openLegs, undoLegs } from '../ledger/open-legs.ts';
import { postEntry } from '../ledger/post.ts';
import type { JobHandler } from '../outbox/jobs.ts';
import { newVoucherCode } from './give-back.ts';
import { lockSettlement } from './settlement-store.ts';
import type { CounterKind } from './waterfall.ts';

type Row = typeof moneyBack.$inferSelect;

/** The handler of the job `sendMoneyBack`; its subject is the money_back row. */
export const sendMoneyBack: JobHandler = async (deps, job) => {
  const sending = await transact(deps.db, (tx) => markSent(tx, job.subjectId));
  if (!sending) return 'done';
  const answer = await callInstrument(deps, sending);
  switch (answer.outcome) {
    case 'paid':
      await transact(deps.db, (tx) => markDone(tx, sending));
      return 'done';
    case 'declined':
      await transact(deps.db, (tx) => markRefused(tx, sending, answer.reason));
      return 'done';
    case 'offline':
    case 'unknown':
      return { retryAfterSeconds: Math.min(300, 2 ** Math.min(job.attempts, 8)) };
  }
  return answer satisfies never;
};

interface Sending {
  row: Row;
  hospitalCode: string;
  /** Whose debt the credit was; null where no credit was taken. */
  debt: { lender: string; citizenId: string } | null;
  account: Buffer | null;
}

async function markSent(tx: Tx, moneyBackId: string): Promise<Sending | null> {
  const [row] = await tx
    .update(moneyBack)
    .set({ status: 'sent' })
    .where(and(eq(moneyBack.id, moneyBackId), inArray(moneyBack.status, ['pending', 'sent'])))
    .returning();
  if (!row) return null;
  const [paid] = await tx
    .select({ hospitalCode: settlement.hospitalCode })
    .from(settlement)
    .where(eq(settlement.id, row.settlementId));
  const [debt] = await tx
    .select({ lender: receivable.lender, citizenId: receivable.citizenId })
    .from(receivable)
    .where(eq(receivable.settlementId, row.settlementId));
  const [person] = row.citizenId
    ? await tx
        .select({ account: citizen.bankAccount })
        .from(citizen)
        .where(eq(citizen.id, row.citizenId))
    : [];
  assert(paid, 'money back belongs to a settlement');
  return {
    row,
    hospitalCode: paid.hospitalCode,
    debt: debt ?? null,
    account: person?.account ?? null,
  };
}

function callInstrument(deps: Deps, sending: Sending): Promise<DebitAnswer> {
  const { row, hospitalCode, debt } = sending;
  const account = sending.account ? deps.keyring.open(sending.account) : null;
  if (row.kind === 'credit') {
    assert(debt && account, 'repaid credit has its lender and the repaying account');
    return deps.lenders.payBack(debt.lender, { serial: row.id, account, amount: row.amount });
  }
  const kind = row.kind as CounterKind;
  const { reference, amount } = row;
  return deps.channels.payBack({ serial: row.id, kind, hospitalCode, reference, account, amount });
}

/** Rows 4 and 5: the instrument confirmed it. */
async function markDone(tx: Tx, sending: Sending): Promise<void> {
  const { row, hospitalCode } = sending;
  // The legs of one settlement are undone by one at a time.
  await lockSettlement(tx, row.settlementId, hospitalCode);
  const now = await businessNow(tx);
  const done = await tx
    .update(moneyBack)
    .set({ status: 'done', resolvedAt: now })
    .where(and(eq(moneyBack.id, row.id), eq(moneyBack.status, 'sent')))
    .returning();
  if (done.length === 0) return;
  await postEntry(tx, {
    fact: 'moneyBack.paid',
    subjectId: row.id,
    settlementId: row.settlementId,
    occurredAt: now,
    legs: paidLegs(sending, await openLegs(tx, row.settlementId)),
  });
}

function paidLegs({ row, hospitalCode, debt }: Sending, legs: readonly OpenLeg[]): Leg[] {
  const { amount } = row;
  if (row.kind === 'credit') {
    assert(debt, 'repaid credit has a receivable');
    const b = lenderBooks(debt.lender);
    const about = { citizenId: debt.citizenId };
    return [
      ...undoLegs(legs, { ...b, account: '2201', amount, ...about }),
      credit(b, '1311', amount, about),
    ];
  }
  const h = hospitalBooks(hospitalCode);
  const from = row.kind === 'cash' ? ('1102' as const) : ('1104' as const);
  return [
    ...undoLegs(legs, { ...h, account: '2203', amount, reference: row.kind }),
    credit(h, from, amount, { reference: row.kind }),
  ];
}

/** Refused for good: a voucher of the hospital, except for the lender's own money. */
async function markRefused(tx: Tx, sending: Sending, reason: string): Promise<void> {
  const { row, hospitalCode } = sending;
  const now = await businessNow(tx);
  const isLenders = row.kind === 'credit';
  await tx
    .update(moneyBack)
    .set({
      status: isLenders ? 'failed' : 'voucher',
      voucherCode: isLenders ? null : newVoucherCode(),
      reason: reason.slice(0, 200),
    })
    .where(and(eq(moneyBack.id, row.id), eq(moneyBack.status, 'sent')));
  await openCase(tx, {
    kind: 'moneyBack/refused',
    subjectId: row.id,
    hospitalCode,
    reason,
    detail: { settlementId: row.settlementId },
    now,
  });
}
