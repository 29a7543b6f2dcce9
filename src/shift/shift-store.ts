// Rows of counter shifts. Law: one open shift a terminal; a terminal sees its own shifts only.
import { and, eq, isNull, or, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { counterShift } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { Fen } from '../money.ts';

export type ShiftRow = typeof counterShift.$inferSelect;

/** A settlement that nobody paid wholly by the end of the shift. */
export interface Unpaid {
  settlementId: string;
  /** Fen. */
  amount: Fen;
}

/** 404 when no shift is open at this terminal. */
export async function findOpenShift(db: Db, terminalId: string): Promise<ShiftRow> {
  const [row] = await db
    .select()
    .from(counterShift)
    .where(and(eq(counterShift.terminalId, terminalId), isNull(counterShift.closedAt)));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Locks a shift of this terminal: no cash is booked in it until the transaction ends. */
export async function lockShift(
  tx: Tx,
  caller: { terminalId: string; hospitalCode: string },
  id: string,
): Promise<ShiftRow> {
  // Of a terminal that was revoked any other one of its hospital counts the drawer.
  const isRevoked = sql`exists (select from terminal where terminal.id = ${counterShift.terminalId}
    and terminal.revoked_at is not null and terminal.hospital_code = ${caller.hospitalCode})`;
  const [row] = await tx
    .select()
    .from(counterShift)
    .where(
      and(eq(counterShift.id, id), or(eq(counterShift.terminalId, caller.terminalId), isRevoked)),
    )
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** What the drawer should hold: the opening float and every leg of H1101 of the shift. */
export async function expectedIn(tx: Tx | Db, row: ShiftRow): Promise<Fen> {
  const [found] = await rows<{ moved: Fen }>(
    tx,
    sql`
    select coalesce(sum(amount), 0)::bigint as moved from posting
    where shift_id = ${row.id} and owner_kind = 'H' and account = '1101'`,
  );
  return row.openingFloat + (found?.moved ?? 0n);
}

/** A shift before that ended longer ago left nothing under way. */
const LOOK_BACK_DAYS = 31;

/**
 * Settlements of the shift's terminal that are still due at the counter: since the shift before it began,
 * because one may be booked while that is closed, or between the two; each is listed once.
 */
export function unpaidOf(tx: Tx | Db, row: ShiftRow): Promise<Unpaid[]> {
  return rows<Unpaid>(
    tx,
    sql`
    with since as (
      select * from (values (${row.openedAt.toISOString()}::timestamptz, ${row.businessDate}::date))
        as this (at, day)
      union all (
        select opened_at, business_date from counter_shift
        where hospital_code = ${row.hospitalCode} and terminal_id = ${row.terminalId}
          and closed_at is not null
          and business_date >= ${row.businessDate}::date - ${LOOK_BACK_DAYS}::int
        order by opened_at desc limit 1)
    )
    select s.id as "settlementId", s.due_at_counter - s.due_reduced as amount
    from settlement s
    where s.hospital_code = ${row.hospitalCode}
      and s.business_date >= (select min(day) from since)
      and s.terminal_id = ${row.terminalId} and s.recorded_at >= (select min(at) from since)
      and s.status = 'awaitingPayment' and s.due_at_counter > s.due_reduced
      and not exists (
        select 1 from counter_shift c
        where c.hospital_code = s.hospital_code and c.business_date >= (select min(day) from since)
          and c.terminal_id = s.terminal_id and c.unpaid @> jsonb_build_array(jsonb_build_object('settlementId', s.id)))
    order by s.id`,
  );
}
