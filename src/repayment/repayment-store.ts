// Rows of repayments and of what they pay.
import { and, asc, desc, eq, lt, or, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { receivable, repayment, repaymentAllocation } from '../db/schema.ts';
import type { RequestKey } from '../http/idempotency.ts';
import { type Fen, formatYuan } from '../money.ts';
import type { Debt } from './allocate.ts';

export type RepaymentRow = typeof repayment.$inferSelect;

/** A debit that the bank has not answered for good. */
export const isUnderWay = (row: Pick<RepaymentRow, 'status'>): boolean =>
  row.status === 'processing' || row.status === 'unknown';

export interface OwedRow extends Debt {
  lineId: string;
  /** A debit for it is under way: nothing else may be taken for it. */
  isUnderWay: boolean;
}

/** Locks what the citizen owes, in order of id. The caller holds the line's lock. */
export async function lockOwed(tx: Tx, citizenId: string): Promise<OwedRow[]> {
  const found = await tx
    .select()
    .from(receivable)
    .where(and(eq(receivable.citizenId, citizenId), sql`amount > paid + reduced + written_off`))
    .orderBy(asc(receivable.id))
    .for('update');
  const open = await tx
    .select({ id: repaymentAllocation.receivableId })
    .from(repaymentAllocation)
    .innerJoin(receivable, eq(receivable.id, repaymentAllocation.receivableId))
    .where(and(eq(receivable.citizenId, citizenId), eq(repaymentAllocation.isOpen, true)));
  const underWay = new Set(open.map((row) => row.id));
  return found.map((row) => ({
    id: row.id,
    lineId: row.lineId,
    owed: row.amount - row.paid - row.reduced - row.writtenOff,
    dueAt: row.dueAt,
    awaitsInsurance: row.awaitsInsurance,
    isUnderWay: underWay.has(row.id),
  }));
}

/** The debtor of each of these receivables that exists. */
export async function ownersOf(tx: Tx, ids: readonly string[]): Promise<string[]> {
  const found = await rows<{ citizen_id: string }>(
    tx,
    sql`
    select citizen_id from receivable
    where id in (select jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb))`,
  );
  return found.map((row) => row.citizen_id);
}

/** True while a family link between the two is active, whoever of them pays by it. */
export async function areLinked(tx: Tx, one: string, other: string): Promise<boolean> {
  const found = await rows(
    tx,
    sql`
    select 1 from family_link
    where status = 'active' and (ends_at is null or ends_at > business_now())
      and ((payer_citizen_id = ${one} and beneficiary_citizen_id = ${other})
        or (payer_citizen_id = ${other} and beneficiary_citizen_id = ${one}))`,
  );
  return found.length > 0;
}

export async function readRepayment(tx: Tx | Db, id: string): Promise<RepaymentRow> {
  const [row] = await tx.select().from(repayment).where(eq(repayment.id, id));
  if (!row) throw new Error(`repayment ${id} does not exist`);
  return row;
}

/**
 * Notes with a running key which repayment it made, so that the same request goes on with it after a
 * crash instead of making another one. The reply takes the note's place when the work is finished.
 */
export async function noteRepayment(tx: Tx, key: RequestKey, repaymentId: string): Promise<void> {
  await tx.execute(sql`
    update idempotency_key set body = ${repaymentId}
    where client = ${key.client} and key = ${key.key} and status is null`);
}

/** The repayment that a running key made; null for a new key. */
export async function notedRepayment(tx: Tx, key: RequestKey): Promise<string | null> {
  const [row] = await rows<{ body: string | null }>(
    tx,
    sql`
    select body from idempotency_key
    where client = ${key.client} and key = ${key.key} and status is null`,
  );
  return row?.body ?? null;
}

/** True once somebody finished the key: a request that took over after our lease. */
export async function isKeyFinished(tx: Tx, key: RequestKey): Promise<boolean> {
  const found = await rows(
    tx,
    sql`
    select 1 from idempotency_key
    where client = ${key.client} and key = ${key.key} and status is not null`,
  );
  return found.length > 0;
}

/** A repayment as the contract shows it. */
export interface RepaymentView {
  id: string;
  amount: string;
  status: string;
  allocations: { receivableId: string; amount: string }[];
}

export async function repaymentView(tx: Tx | Db, row: RepaymentRow): Promise<RepaymentView> {
  const [view] = await repaymentViews(tx, [row]);
  if (!view) throw new Error(`repayment ${row.id} has no view`);
  return view;
}

export async function repaymentViews(
  tx: Tx | Db,
  found: readonly RepaymentRow[],
): Promise<RepaymentView[]> {
  const ids = JSON.stringify(found.map((row) => row.id));
  const parts = await rows<{ repayment_id: string; receivable_id: string; amount: Fen }>(
    tx,
    sql`
    select a.repayment_id, a.receivable_id, a.amount
    from repayment_allocation a join receivable r on r.id = a.receivable_id
    where a.repayment_id in (select jsonb_array_elements_text(${ids}::jsonb))
    order by r.due_at, r.id`,
  );
  return found.map((row) => ({
    id: row.id,
    amount: formatYuan(row.amount),
    status: row.status,
    allocations: parts
      .filter((part) => part.repayment_id === row.id)
      .map((part) => ({ receivableId: part.receivable_id, amount: formatYuan(part.amount) })),
  }));
}

/** A citizen's repayments and those they made for relatives, newest first, from before the cursor id on. */
export function listRepayments(
  db: Db,
  citizenId: string,
  before: string | null,
  count: number,
): Promise<RepaymentRow[]> {
  const mine = or(eq(repayment.citizenId, citizenId), eq(repayment.paidByCitizenId, citizenId));
  return db
    .select()
    .from(repayment)
    .where(before ? and(mine, lt(repayment.id, before)) : mine)
    .orderBy(desc(repayment.id))
    .limit(count);
}
