// Money that a lender has without a debit of ours: what it collected itself (row 8), what it recovered of a
// loss (row 11), and a debit that its bank made twice (row 10, second half: back to whoever paid).
import { asc, eq, sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { creditLine, moneyBack, receivable, repaymentAllocation } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { credit, debit, lenderBooks } from '../ledger/journal.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, minFen } from '../money.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { allocate } from './allocate.ts';
import { beginRepayment } from './begin-repayment.ts';
import { finishRepayment } from './finish-repayment.ts';
import { lockOwed, type RepaymentRow, readRepayment } from './repayment-store.ts';

export interface Received {
  lineId: string;
  /** Only this one; else what is due first, first. */
  receivableId: string | null;
  amount: Fen;
  /** The lender's proof, unique for ever. */
  bankSerial: string;
}

async function lockLine(tx: Tx, lineId: string) {
  const [line] = await tx.select().from(creditLine).where(eq(creditLine.id, lineId)).for('update');
  assert(line, `line ${lineId} is there`);
  return line;
}

/**
 * Row 8 by the lender. What a debit is under way for waits for it: the lender may be telling of that very
 * debit. Refuses with repayment/exceeds-debt, repayment/under-way. Returns the repayment that it made.
 */
export async function receiveRepayment(tx: Tx, got: Received): Promise<string> {
  const line = await lockLine(tx, got.lineId);
  const owed = (await lockOwed(tx, line.citizenId)).filter((debt) => debt.lineId === line.id);
  const { receivableId } = got;
  const asked = receivableId ? owed.filter((debt) => debt.id === receivableId) : owed;
  const free = asked.filter((debt) => !debt.isUnderWay);
  const allocations = allocate(free, got.amount);
  if (!allocations) {
    const isAllOwed = allocate(asked, got.amount) !== null;
    throw new Refusal(isAllOwed ? 'repayment/under-way' : 'repayment/exceeds-debt');
  }
  const row = await beginRepayment(tx, {
    citizenId: line.citizenId,
    line,
    amount: got.amount,
    by: { cause: 'lender' },
    allocations,
  });
  assert(row, 'money of the lender has no slot');
  await finishRepayment(tx, row.id, { outcome: 'paid', bankSerial: got.bankSerial });
  return row.id;
}

/** Row 11, second half: paid on a debt that was written off. Refuses with repayment/exceeds-debt. */
export async function recoverLoss(
  tx: Tx,
  got: Received & { receivableId: string },
  now: Date,
): Promise<string> {
  const line = await lockLine(tx, got.lineId);
  const [debt] = await tx
    .select()
    .from(receivable)
    .where(eq(receivable.id, got.receivableId))
    .for('update');
  assert(debt, `receivable ${got.receivableId} is there`);
  if (got.amount > debt.writtenOff) throw new Refusal('repayment/exceeds-debt');
  const { citizenId, settlementId } = debt;
  const { amount } = got;
  const row = await beginRepayment(tx, {
    ...{ citizenId, line, amount, by: { cause: 'lender' } },
    allocations: [{ receivableId: debt.id, amount }],
  });
  assert(row, 'money of the lender has no slot');
  await tx.execute(sql`
    update repayment set status = 'paid', bank_serial = ${got.bankSerial},
      resolved_at = ${now.toISOString()}::timestamptz
    where id = ${row.id}`);
  await tx
    .update(receivable)
    .set({ writtenOff: debt.writtenOff - amount, paid: debt.paid + amount })
    .where(eq(receivable.id, debt.id));
  const bank = lenderBooks(debt.lender);
  const about = { citizenId, settlementId };
  await postEntry(tx, {
    fact: 'debt.recovered',
    subjectId: row.id,
    occurredAt: now,
    legs: [
      debit(bank, '1311', amount, about),
      credit(bank, '5102', amount, about),
      debit(bank, '9302', amount, about),
      credit(bank, '9301', amount, about),
    ],
  });
  return row.id;
}

/** Row 10, second half: the bank debited once more for a repayment; all of it goes back. */
export async function giveSecondDebitBack(
  tx: Tx,
  repaymentId: string,
  noticeId: string,
  now: Date,
): Promise<void> {
  const { lineId } = await readRepayment(tx, repaymentId);
  await lockLine(tx, lineId);
  const row = await readRepayment(tx, repaymentId);
  const wasPaid = row.status === 'paid' || row.status === 'returned';
  if (!wasPaid || row.cause === 'lender') throw new Refusal('notice/wrong-state');
  const parts = await partsOf(tx, row);
  const bank = lenderBooks(row.lender);
  const { citizenId } = row;
  await postEntry(tx, {
    fact: 'repayment.received',
    subjectId: noticeId,
    occurredAt: now,
    legs: [
      debit(bank, '1311', row.amount, { citizenId, reference: row.id }),
      ...parts.map(({ amount, settlementId }) =>
        credit(bank, '2201', amount, { citizenId, settlementId }),
      ),
    ],
  });
  for (const [position, { amount, settlementId }] of parts.entries()) {
    const id = newId('moneyBack');
    await tx.insert(moneyBack).values({
      ...{ id, settlementId, causeId: noticeId, position, kind: 'credit', amount },
      isReduction: false,
      status: 'pending',
      citizenId: row.paidByCitizenId ?? citizenId,
      createdAt: now,
    });
    await enqueueJob(tx, { kind: 'sendMoneyBack', subjectId: id });
  }
}

/** The repayment's amount by the settlements that it was for. */
async function partsOf(tx: Tx, row: RepaymentRow) {
  const found = await tx
    .select({ amount: repaymentAllocation.amount, settlementId: receivable.settlementId })
    .from(repaymentAllocation)
    .innerJoin(receivable, eq(receivable.id, repaymentAllocation.receivableId))
    .where(eq(repaymentAllocation.repaymentId, row.id))
    .orderBy(asc(receivable.id));
  let rest = row.amount;
  return found.flatMap(({ amount, settlementId }) => {
    const part = minFen(rest, amount);
    rest -= part;
    return part > 0n ? [{ amount: part, settlementId }] : [];
  });
}
