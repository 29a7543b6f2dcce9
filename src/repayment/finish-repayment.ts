// Law: the debt goes down only when the bank says paid, and the limit is free again in the same
// transaction. Money that arrives for nothing owed any more goes back where it came from.
import { eq, sql } from 'drizzle-orm';
import { hasPlan, takeOffPlan } from '../credit/instalments.ts';
import type { DebitAnswer } from '../credit/lender-bank.ts';
import { restoreLine } from '../credit/restore-line.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { creditLine, moneyBack, repayment, repaymentAllocation } from '../db/schema.ts';
import { newId } from '../ids.ts';
import { credit, debit, lenderBooks, withoutZero } from '../ledger/journal.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, formatYuan, sumFen } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { postDebitResolved } from './debit-in-transit.ts';
import { isUnderWay, type RepaymentRow, readRepayment } from './repayment-store.ts';
import { doubt, isSerialUsed } from './used-serial.ts';

/** Where the bank answered; `absent` = it never saw the debit. */
type Answer = DebitAnswer | { outcome: 'absent' };

/** What one allocation did, in fen: `taken` paid the debt, `surplus` met nothing owed any more. */
interface Part {
  receivable_id: string;
  settlement_id: string;
  taken: Fen;
  surplus: Fen;
  is_settled: boolean;
  has_plan: boolean;
}

/**
 * Books what the bank answered; only the first final answer counts, except that "paid" is always
 * believed, once. Returns the repayment as it is afterwards.
 */
export async function finishRepayment(
  tx: Tx,
  repaymentId: string,
  answer: Answer,
): Promise<RepaymentRow> {
  const row = await lockRepayment(tx, repaymentId);
  // A debit that was believed never to have arrived may turn out to be paid: then it is money in.
  const isLatePaid = row.status === 'failed' && answer.outcome === 'paid';
  if (!isUnderWay(row) && !isLatePaid) return row;
  switch (answer.outcome) {
    case 'paid':
      if (await isSerialUsed(tx, row, answer.bankSerial)) await doubt(tx, row, answer.bankSerial);
      else await bookPaid(tx, row, answer.bankSerial);
      break;
    case 'declined':
      await bookFailed(tx, row, answer.reason);
      break;
    case 'offline':
    case 'absent':
      await bookFailed(tx, row, `bank ${answer.outcome}`);
      break;
    case 'unknown':
      await tx.update(repayment).set({ status: 'unknown' }).where(eq(repayment.id, row.id));
      break;
    default:
      answer satisfies never;
  }
  return readRepayment(tx, repaymentId);
}

/** The line first, as everywhere; then the repayment as it is under that lock. */
async function lockRepayment(tx: Tx, repaymentId: string): Promise<RepaymentRow> {
  const { lineId } = await readRepayment(tx, repaymentId);
  await tx.select().from(creditLine).where(eq(creditLine.id, lineId)).for('update');
  return readRepayment(tx, repaymentId);
}

async function bookPaid(tx: Tx, row: RepaymentRow, bankSerial: string): Promise<void> {
  const now = await businessNow(tx);
  if (isUnderWay(row)) await postDebitResolved(tx, row, now);
  const parts = await payReceivables(tx, row.id);
  const taken = sumFen(parts.map((part) => part.taken));
  await tx
    .update(creditLine)
    .set({ outstanding: sql`${creditLine.outstanding} - ${taken.toString()}::bigint` })
    .where(eq(creditLine.id, row.lineId));
  await close(tx, row, { status: 'paid', bankSerial, reason: null, resolvedAt: now });
  await postPaid(tx, row, parts, now);
  await sendSurplusBack(tx, row, parts, now);
  for (const part of parts.filter((p) => p.is_settled)) {
    await recordEvent(tx, {
      type: 'receivable.paid',
      citizenId: row.citizenId,
      data: { receivableId: part.receivable_id, repaymentId: row.id },
      occurredAt: now,
    });
  }
  for (const part of parts) {
    if (part.has_plan) await takeOffPlan(tx, part.receivable_id, part.taken, 'first');
  }
  await restoreLine(tx, row.lineId);
}

/** Takes each allocation off its receivable, at most what is still owed; locked in order of id. */
function payReceivables(tx: Tx, repaymentId: string): Promise<Part[]> {
  return rows<Part>(
    tx,
    sql`
    with owed as materialized (
      select r.id, r.settlement_id, a.amount as allocated,
        r.amount - r.paid - r.reduced - r.written_off as owed, ${hasPlan} as has_plan
      from repayment_allocation a join receivable r on r.id = a.receivable_id
      where a.repayment_id = ${repaymentId} order by r.id for update of r
    ),
    parts as (
      select o.id as receivable_id, o.settlement_id, o.owed, o.has_plan, least(o.allocated, o.owed) as taken,
        o.allocated - least(o.allocated, o.owed) as surplus
      from owed o
    ),
    paid as (
      update receivable set paid = receivable.paid + p.taken
      from parts p where receivable.id = p.receivable_id and p.taken > 0
    )
    select receivable_id, settlement_id, taken, surplus, taken > 0 and taken = owed as is_settled,
      has_plan
    from parts order by receivable_id`,
  );
}

/** Row 8 of books.md, and for money that met no debt row 10: refundable to the citizen. */
async function postPaid(tx: Tx, row: RepaymentRow, parts: Part[], now: Date): Promise<void> {
  const bank = lenderBooks(row.lender);
  const { citizenId } = row;
  const about = (part: Part) => ({ citizenId, settlementId: part.settlement_id });
  await postEntry(tx, {
    fact: 'repayment.paid',
    subjectId: row.id,
    occurredAt: now,
    legs: withoutZero([
      debit(bank, '1311', row.amount, { citizenId, reference: row.id }),
      ...parts.map((part) => credit(bank, '1301', part.taken, about(part))),
      ...parts.map((part) => credit(bank, '2201', part.surplus, about(part))),
    ]),
  });
}

async function sendSurplusBack(tx: Tx, row: RepaymentRow, parts: Part[], now: Date): Promise<void> {
  for (const [position, part] of parts.entries()) {
    if (part.surplus === 0n) continue;
    const id = newId('moneyBack');
    await tx.insert(moneyBack).values({
      id,
      settlementId: part.settlement_id,
      causeId: row.id,
      position,
      kind: 'credit',
      amount: part.surplus,
      isReduction: false,
      status: 'pending',
      // A relative's money goes back to the relative.
      citizenId: row.paidByCitizenId ?? row.citizenId,
      createdAt: now,
    });
    await enqueueJob(tx, { kind: 'sendMoneyBack', subjectId: id });
  }
}

async function bookFailed(tx: Tx, row: RepaymentRow, reason: string): Promise<void> {
  const now = await businessNow(tx);
  await postDebitResolved(tx, row, now);
  await close(tx, row, { status: 'failed', reason, resolvedAt: now });
  await recordEvent(tx, {
    type: 'repayment.failed',
    citizenId: row.paidByCitizenId ?? row.citizenId,
    data: { repaymentId: row.id, amount: formatYuan(row.amount) },
    occurredAt: now,
  });
}

/** Ends the debit: its receivables are free for another one. */
async function close(
  tx: Tx,
  row: RepaymentRow,
  end: Pick<RepaymentRow, 'status' | 'resolvedAt'> & Partial<RepaymentRow>,
): Promise<void> {
  await tx.update(repayment).set(end).where(eq(repayment.id, row.id));
  await tx
    .update(repaymentAllocation)
    .set({ isOpen: false })
    .where(eq(repaymentAllocation.repaymentId, row.id));
}
