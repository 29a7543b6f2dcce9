// A cashier's time at a terminal begins: what lies in the drawer then is counted with it at the end.
import { sql } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { counterShift } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';
import type { ShiftRow } from './shift-store.ts';

export interface ShiftOrder {
  /** The hospital's own name of the shift, e.g. "早班". */
  shift: string;
  operator?: { id: string; name: string } | undefined;
  /** Fen. */
  openingFloat: Fen;
}

/** One open shift a terminal: else 409 shift/open. */
export async function openShift(
  tx: Tx,
  deps: Pick<Deps, 'keyring'>,
  terminal: CallerOf<'terminal'>,
  order: ShiftOrder,
): Promise<ShiftRow> {
  const now = await businessNow(tx);
  const [row] = await tx
    .insert(counterShift)
    .values({
      id: newId('counterShift'),
      hospitalCode: terminal.hospitalCode,
      terminalId: terminal.terminalId,
      shift: order.shift,
      operator: order.operator ? deps.keyring.seal(JSON.stringify(order.operator)) : null,
      businessDate: sql`business_date(${now.toISOString()}::timestamptz)`,
      openingFloat: order.openingFloat,
      openedAt: now,
    })
    .onConflictDoNothing()
    .returning();
  if (!row) throw new Refusal('shift/open');
  return row;
}
