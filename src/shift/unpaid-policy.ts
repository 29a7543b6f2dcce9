// Law: what becomes of a bill that is unpaid at the end of a shift is the hospital's dated policy.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { rows, type Tx } from '../db/db.ts';

/** "arrears": it stays owed and can be collected later; "undo": the settlement is refunded whole. */
export const unpaidAtShiftEnd = ['arrears', 'undo'] as const;
export type UnpaidAtShiftEnd = (typeof unpaidAtShiftEnd)[number];

/** Data of a policy of kind "hospital". */
export const hospitalPolicySchema = z.strictObject({ unpaidAtShiftEnd: z.enum(unpaidAtShiftEnd) });

/** Policy kind "hospital", named after the hospital, else "default"; nothing said: arrears. */
export async function readUnpaidPolicy(tx: Tx, hospitalCode: string): Promise<UnpaidAtShiftEnd> {
  const [row] = await rows<{ data: unknown }>(
    tx,
    sql`
    select data from policy
    where kind = 'hospital' and name in (${hospitalCode}, 'default') and valid_from <= business_now()
    order by (name = 'default'), valid_from desc, version desc limit 1`,
  );
  return row ? hospitalPolicySchema.parse(row.data).unpaidAtShiftEnd : 'arrears';
}
