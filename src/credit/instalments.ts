// Law: the instalments of a hardship plan always sum to what is owed on their receivable, whose due time
// is the next one's. A payment takes the earliest first; what is given back the latest (domain.md).
import { sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import type { Fen } from '../money.ts';

export interface Instalment {
  amount: Fen;
  dueAt: Date;
}

/** Columns of receivable `r`: whether a plan spreads it. */
export const hasPlan = sql`exists (select 1 from instalment i where i.receivable_id = r.id)`;

/** Fen of receivable `r` that are owed and due by `at`: the whole, or the plan's instalments until then. */
export const dueOf = (at: ReturnType<typeof sql>) => sql`(
  r.amount - r.paid - r.reduced - r.written_off - coalesce((
    select sum(i.amount) from instalment i
    where i.receivable_id = r.id and i.due_at > ${at}), 0))::bigint`;

/** Takes `amount` fen that are no longer owed off the plan, if there is one. The receivable is locked. */
export async function takeOffPlan(
  tx: Tx,
  receivableId: string,
  amount: Fen,
  from: 'first' | 'last',
): Promise<void> {
  const order = from === 'first' ? sql`i.number` : sql`i.number desc`;
  await tx.execute(sql`
    with cut as (
      select i.number, i.amount, least(i.amount, greatest(0, ${amount}::bigint
        - (sum(i.amount) over (order by ${order}) - i.amount)))::bigint as off
      from instalment i where i.receivable_id = ${receivableId}
    ),
    gone as (
      delete from instalment using cut
      where receivable_id = ${receivableId} and instalment.number = cut.number
        and cut.off = cut.amount
    )
    update instalment set amount = instalment.amount - cut.off from cut
    where receivable_id = ${receivableId} and instalment.number = cut.number
      and cut.off > 0 and cut.off < cut.amount`);
  await followPlan(tx, receivableId);
}

/** A debt that came back (a returned debit) is owed with the plan's next instalment. */
export async function putBackOnPlan(tx: Tx, receivableId: string, amount: Fen): Promise<void> {
  await tx.execute(sql`
    update instalment set amount = amount + ${amount}::bigint
    where receivable_id = ${receivableId} and number = (
      select min(number) from instalment where receivable_id = ${receivableId})`);
}

/** Replaces the plan by instalments that sum to what is owed, in order of their due times. */
export async function writePlan(
  tx: Tx,
  receivableId: string,
  plan: readonly Instalment[],
): Promise<void> {
  const parts = plan.map((part, index) => ({
    number: index + 1,
    amount: part.amount.toString(),
    dueAt: part.dueAt.toISOString(),
  }));
  await tx.execute(sql`delete from instalment where receivable_id = ${receivableId}`);
  await tx.execute(sql`
    insert into instalment (receivable_id, number, amount, due_at)
    select ${receivableId}, number, amount, "dueAt"
    from jsonb_to_recordset(${JSON.stringify(parts)}::jsonb)
      as p(number int, amount bigint, "dueAt" timestamptz)`);
  await followPlan(tx, receivableId);
}

async function followPlan(tx: Tx, receivableId: string): Promise<void> {
  await tx.execute(sql`
    update receivable set due_at = next.at,
      overdue_at = case when next.at < business_now() then receivable.overdue_at end
    from (select min(due_at) as at from instalment where receivable_id = ${receivableId}) next
    where receivable.id = ${receivableId} and next.at is not null`);
}
