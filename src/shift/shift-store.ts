// Rows of counter shifts. Law: one open shift a terminal; a terminal sees its own shifts only.
import { and, eq, isNull, sql } from 'drizzle-orm';
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
export async function lockShift(tx: Tx, terminalId: string, id: string): Promise<ShiftRow> {
  const [row] = await tx
    .select()
    .from(counterShift)
    .where(and(eq(counterShift.id, id), eq(counterShift.terminalId, terminalId)))
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

/** Settlements of the shift's terminal and time that are still due at the counter. */
export function unpaidOf(tx: Tx | Db, row: ShiftRow): Promise<Unpaid[]> {
  return rows<Unpaid>(
    tx,
    sql`
    select s.id as "settlementId", s.due_at_counter - s.due_reduced as amount
    from settlement s
    where s.hospital_code = ${row.hospitalCode} and s.business_date >= ${row.businessDate}::date
      and s.terminal_id = ${row.terminalId} and s.recorded_at >= ${row.openedAt.toISOString()}::timestamptz
      and s.status = 'awaitingPayment' and s.due_at_counter > s.due_reduced
    order by s.id`,
  );
}
