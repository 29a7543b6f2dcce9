// Hospitals join the city's service and leave it. Law: leaving is at once for everything new, and
// changes nothing for what was settled: conversions, refunds and payouts go on.
import { eq, sql } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { hospital } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { revokeTerminalsOf } from '../identity/terminals.ts';

export type Hospital = Pick<typeof hospital.$inferSelect, 'code' | 'name' | 'level' | 'region'>;

/** One that had left joins again, as it is now. 409 hospital/exists for one that takes part. */
export async function addHospital(tx: Tx, order: Hospital): Promise<Hospital> {
  const [row] = await tx
    .insert(hospital)
    .values(order)
    .onConflictDoUpdate({
      target: hospital.code,
      set: { ...order, leftAt: null },
      setWhere: sql`${hospital.leftAt} is not null`,
    })
    .returning();
  if (!row) throw new Refusal('hospital/exists');
  return order;
}

/** Its terminals are revoked with it. Repeating it changes nothing. 404 for an unknown one. */
export async function endHospital(tx: Tx, code: string, realNow: Date): Promise<void> {
  const now = await businessNow(tx);
  const [row] = await tx
    .update(hospital)
    .set({ leftAt: sql`coalesce(${hospital.leftAt}, ${now.toISOString()}::timestamptz)` })
    .where(eq(hospital.code, code))
    .returning();
  if (!row) throw new Refusal('resource/not-found');
  await revokeTerminalsOf(tx, code, realNow);
}
