// Law: cash that is taken or paid at a terminal moves the drawer of the shift that is open there, and
// none slips past its closing: who books cash shares the shift's row, who closes it owns it.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import type { Leg } from '../ledger/journal.ts';

/**
 * The legs, those of H1101 marked with the shift that is open at the terminal. Without cash, without
 * a terminal or without an open shift they are as they were; no cash costs no statement.
 */
export async function inDrawer(
  tx: Tx,
  terminalId: string | null,
  legs: readonly Leg[],
): Promise<Leg[]> {
  const isCash = legs.some((leg) => leg.account === '1101');
  const shiftId = isCash && terminalId ? await shareOpenShift(tx, terminalId) : null;
  if (!shiftId) return [...legs];
  return legs.map((leg) => (leg.account === '1101' ? { ...leg, shiftId } : leg));
}

/** Waits for a closing that is under way; then the terminal has no open shift. */
async function shareOpenShift(tx: Tx, terminalId: string): Promise<string | null> {
  const [open] = await rows<{ id: string }>(
    tx,
    sql`
    select id from counter_shift where terminal_id = ${terminalId} and closed_at is null for share`,
  );
  return open?.id ?? null;
}
