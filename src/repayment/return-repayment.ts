// Row 10 of books.md, first half: a bank takes a confirmed debit back. What it paid is owed again, limit or
// no limit; what had met no debt is not sent back any more, or is a case if it was.
import { and, eq, inArray, sql } from 'drizzle-orm';
import { putBackOnPlan } from '../credit/instalments.ts';
import { rows, type Tx } from '../db/db.ts';
import { creditLine, moneyBack, receivable, repayment } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import { lenderBooks } from '../ledger/journal.ts';
import { postEntry } from '../ledger/post.ts';
import { type OpenLeg, undoLegs } from '../ledger/undo.ts';
import { type Fen, formatYuan, sumFen } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { legsOf } from './debit-in-transit.ts';
import { type RepaymentRow, readRepayment } from './repayment-store.ts';

/** Refuses with notice/wrong-state what is no confirmed debit, or one that was returned already. */
export async function returnRepayment(tx: Tx, repaymentId: string, now: Date): Promise<void> {
  const { lineId } = await readRepayment(tx, repaymentId);
  await openLine(tx, lineId);
  const row = await readRepayment(tx, repaymentId);
  if (row.status !== 'paid' || row.cause === 'lender') throw new Refusal('notice/wrong-state');
  const legs = await legsOf(tx, 'repayment.paid', row.id);
  const kept = await keepSurplus(tx, row, now);
  await post(tx, row, { legs, kept, now });
  const revived = await owedAgain(tx, row.id, legs);
  await tx
    .update(creditLine)
    .set({ outstanding: sql`${creditLine.outstanding} + ${revived.toString()}::bigint` })
    .where(eq(creditLine.id, lineId));
  await tx
    .update(repayment)
    .set({ status: 'returned', returnedAt: now })
    .where(eq(repayment.id, row.id));
  await recordEvent(tx, {
    type: 'repayment.returned',
    citizenId: row.paidByCitizenId ?? row.citizenId,
    data: { repaymentId: row.id, amount: formatYuan(row.amount) },
    occurredAt: now,
  });
}

/** Locks the line. One that was closed on the strength of the debit is open again, and lends nothing. */
async function openLine(tx: Tx, lineId: string): Promise<void> {
  const [line] = await tx.select().from(creditLine).where(eq(creditLine.id, lineId)).for('update');
  if (line?.status !== 'closed') return;
  const others = await rows(
    tx,
    sql`select 1 from credit_line where citizen_id = ${line.citizenId} and status <> 'closed'`,
  );
  // Two open lines of one person cannot be; the lender and finance settle this one by hand.
  if (others.length > 0) throw new Refusal('notice/wrong-state');
  await tx
    .update(creditLine)
    .set({ status: 'suspended', suspendedFor: 'overdue', closedAt: null })
    .where(eq(creditLine.id, lineId));
}

/** Fen of the surplus that left already; the rest is stopped. What left is for a person to get back. */
async function keepSurplus(tx: Tx, row: RepaymentRow, now: Date): Promise<Fen> {
  const stopped = { status: 'done', reason: 'returned', resolvedAt: now };
  const mine = eq(moneyBack.causeId, row.id);
  await tx
    .update(moneyBack)
    .set(stopped)
    .where(and(mine, inArray(moneyBack.status, ['pending', 'failed'])));
  const left = await tx
    .select({ amount: moneyBack.amount })
    .from(moneyBack)
    .where(and(mine, sql`reason is distinct from 'returned'`));
  const amount = sumFen(left.map((part) => part.amount));
  if (amount === 0n) return 0n;
  await openCase(tx, {
    kind: 'lender/returned-surplus',
    subjectId: row.id,
    hospitalCode: null,
    reason: '退回的扣款中有一部分已退给付款人 a part of the returned debit was paid back before',
    detail: { amount: formatYuan(amount), lender: row.lender },
    now,
  });
  return amount;
}

async function post(
  tx: Tx,
  row: RepaymentRow,
  { legs, kept, now }: { legs: readonly OpenLeg[]; kept: Fen; now: Date },
): Promise<void> {
  const bank = lenderBooks(row.lender);
  const open = [...legs, ...(await refundableBeside(tx, row))];
  const undo = (account: '1301' | '2201' | '1311', side: 'debit' | 'credit', amount: Fen) =>
    undoLegs(open, { ...bank, account, side, amount });
  const paid = sumOn(legs, '1301');
  const stopped = row.amount - paid - kept;
  if (paid + stopped === 0n) return;
  await postEntry(tx, {
    fact: 'repayment.returned',
    subjectId: row.id,
    occurredAt: now,
    legs: [
      ...undo('1301', 'credit', paid),
      ...undo('2201', 'credit', stopped),
      ...undo('1311', 'debit', paid + stopped),
    ],
  });
}

/**
 * What else is refundable for the same bills: other money that was sent back may have taken this debit's
 * own legs, and left its own instead.
 */
function refundableBeside(tx: Tx, row: RepaymentRow): Promise<OpenLeg[]> {
  return rows<OpenLeg>(
    tx,
    sql`
    select p.entry_id as "entryId", p.leg, e.fact, p.owner_kind as "ownerKind", p.owner, p.account,
      p.amount, p.undone, p.counterparty, p.citizen_id as "citizenId",
      p.settlement_id as "settlementId", p.claim_id as "claimId", p.reference
    from posting p join journal_entry e on e.id = p.entry_id
    where p.settlement_id in (
        select r.settlement_id from repayment_allocation a join receivable r on r.id = a.receivable_id
        where a.repayment_id = ${row.id})
      and p.owner_kind = 'B' and p.owner = ${row.lender} and p.account = '2201' and p.amount < 0
      and p.undone < -p.amount and not (e.fact = 'repayment.paid' and e.subject_id = ${row.id})
    order by e.recorded_at desc, p.entry_id desc, p.leg`,
  );
}

const sumOn = (legs: readonly OpenLeg[], account: string): Fen =>
  sumFen(legs.filter((leg) => leg.account === account).map((leg) => -leg.amount - leg.undone));

/** Each receivable owes again what the debit had paid of it; returns the sum. */
async function owedAgain(tx: Tx, repaymentId: string, legs: readonly OpenLeg[]): Promise<Fen> {
  const paid = await tx
    .select({ id: receivable.id, settlementId: receivable.settlementId })
    .from(receivable)
    .where(
      sql`id in (select receivable_id from repayment_allocation
        where repayment_id = ${repaymentId})`,
    )
    .orderBy(receivable.id)
    .for('update');
  let all = 0n;
  for (const { id, settlementId } of paid) {
    const taken = sumOn(
      legs.filter((leg) => leg.settlementId === settlementId),
      '1301',
    );
    if (taken === 0n) continue;
    all += taken;
    await tx
      .update(receivable)
      .set({ paid: sql`paid - ${taken.toString()}::bigint` })
      .where(eq(receivable.id, id));
    await putBackOnPlan(tx, id, taken);
  }
  return all;
}
