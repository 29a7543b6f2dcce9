// What each notice of a lender does here. Law: Egret mirrors; hardship plans and write-offs need a second
// person of the lender, and a late charge is shown but not booked: the chart has no account against it.
import { eq } from 'drizzle-orm';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { type Instalment, writePlan } from '../credit/instalments.ts';
import { restoreLine } from '../credit/restore-line.ts';
import type { Tx } from '../db/db.ts';
import { creditLine } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import { formatYuan, parseYuan, sumFen } from '../money.ts';
import { type EventType, recordEvent } from '../outbox/events.ts';
import { lockDebt } from '../repayment/lock-debt.ts';
import { giveSecondDebitBack, receiveRepayment, recoverLoss } from '../repayment/receive-money.ts';
import { returnRepayment } from '../repayment/return-repayment.ts';
import { writeOff } from '../repayment/write-off.ts';
import type { NoticeRow } from './notice-store.ts';
import type { NoticeKind } from './schemas.ts';

type Effect = (tx: Tx, row: NoticeRow, now: Date) => Promise<void>;
type LineRow = typeof creditLine.$inferSelect;

const effects: Record<NoticeKind, Effect> = {
  freeze: (tx, row, now) => freeze(tx, row, 'lender', now),
  death: async (tx, row, now) => {
    await freeze(tx, row, 'death', now);
    const { lender, reason } = row;
    await openCase(tx, {
      ...{ kind: 'lender/death', subjectId: idOf(row.lineId), hospitalCode: null, reason, now },
      detail: { lender },
    });
  },
  unfreeze: async (tx, row, now) => {
    const line = await lockLine(tx, row);
    if (!line.frozenFor) throw new Refusal('notice/wrong-state');
    const status = line.suspendedFor ? 'suspended' : 'active';
    await tx.update(creditLine).set({ frozenFor: null, status }).where(eq(creditLine.id, line.id));
    if (status === 'active') await tell(tx, line, 'line.restored', now);
    else await restoreLine(tx, line.id);
  },
  limit: async (tx, row, now) => {
    const line = await lockLine(tx, row);
    const limit = amountOf(row);
    await tx.update(creditLine).set({ limit }).where(eq(creditLine.id, line.id));
    await tell(tx, line, 'line.limitChanged', now, { amount: formatYuan(limit) });
  },
  // The row itself is what a receivable shows as its late charges.
  lateCharge: async () => {},
  hardship: planHardship,
  writeOff: async (tx, row, now) => {
    const order = { receivableId: idOf(row.receivableId), noticeId: row.id, now };
    await writeOff(tx, { ...order, amount: row.amount });
  },
  recovered: async (tx, row, now) => {
    await recoverLoss(tx, { ...receivedOf(row), receivableId: idOf(row.receivableId) }, now);
  },
  received: async (tx, row) => {
    await receiveRepayment(tx, receivedOf(row));
  },
  debitReturned: (tx, row, now) => returnRepayment(tx, idOf(row.repaymentId), now),
  debitPaidTwice: (tx, row, now) => giveSecondDebitBack(tx, idOf(row.repaymentId), row.id, now),
};

/** Refuses with notice/wrong-state, notice/plan-mismatch, repayment/under-way, repayment/exceeds-debt. */
export function applyNotice(tx: Tx, row: NoticeRow, now: Date): Promise<void> {
  return effects[row.kind as NoticeKind](tx, row, now);
}

async function freeze(
  tx: Tx,
  row: NoticeRow,
  frozenFor: 'lender' | 'death',
  now: Date,
): Promise<void> {
  const line = await lockLine(tx, row);
  const isDead = line.frozenFor === 'death';
  await tx
    .update(creditLine)
    .set({ frozenFor: isDead ? 'death' : frozenFor, status: 'suspended' })
    .where(eq(creditLine.id, line.id));
  // Nobody is there to be told of their own death.
  if (frozenFor === 'lender') await tell(tx, line, 'line.frozen', now);
}

/** A line that is closed takes no notice any more. */
async function lockLine(tx: Tx, row: NoticeRow): Promise<LineRow> {
  const [line] = await tx
    .select()
    .from(creditLine)
    .where(eq(creditLine.id, idOf(row.lineId)))
    .for('update');
  if (!line || line.status === 'closed') throw new Refusal('notice/wrong-state');
  return line;
}

const planned = z.object({
  instalments: z.array(z.object({ amount: z.string(), dueOn: z.string() })),
});

/** The instalments, in order of their days, must sum to what is owed now. */
async function planHardship(tx: Tx, row: NoticeRow, now: Date): Promise<void> {
  const { row: debt, owed } = await lockDebt(tx, idOf(row.receivableId));
  const plan: Instalment[] = planned
    .parse(row.detail)
    .instalments.map(({ amount, dueOn }) => ({ amount: parseYuan(amount), dueAt: dueAtOf(dueOn) }))
    .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  const isLawful = sumFen(plan.map((part) => part.amount)) === owed;
  if (!isLawful || plan.some((part) => part.dueAt <= now)) {
    throw new Refusal('notice/plan-mismatch', { detail: `欠款 owed ${formatYuan(owed)}` });
  }
  await writePlan(tx, debt.id, plan);
  await recordEvent(tx, {
    type: 'receivable.planned',
    citizenId: debt.citizenId,
    data: { receivableId: debt.id, amount: formatYuan(owed) },
    occurredAt: now,
  });
  await restoreLine(tx, debt.lineId);
}

/** At 23:00, as the lenders' products have it. */
const dueAtOf = (day: string): Date =>
  DateTime.fromISO(day, { zone: 'Asia/Shanghai' }).set({ hour: 23 }).toJSDate();

function receivedOf(row: NoticeRow) {
  const { bankSerial } = z.object({ bankSerial: z.string() }).parse(row.detail);
  const { receivableId } = row;
  return { lineId: idOf(row.lineId), receivableId, amount: amountOf(row), bankSerial };
}

function tell(
  tx: Tx,
  line: LineRow,
  type: EventType,
  occurredAt: Date,
  data: Record<string, unknown> = {},
): Promise<void> {
  const { citizenId } = line;
  return recordEvent(tx, { type, citizenId, data: { lineId: line.id, ...data }, occurredAt });
}

function idOf(id: string | null): string {
  assert(id, 'the notice names what it is about');
  return id;
}

function amountOf(row: NoticeRow): bigint {
  assert(row.amount !== null, 'the notice has an amount');
  return row.amount;
}
