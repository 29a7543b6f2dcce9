// A person must look at an inpatient's matter: one open case for each.
import type { Tx } from '../db/db.ts';
import { financeCase } from '../db/schema.ts';
import { newId } from '../ids.ts';

/** Does nothing when such a case is open already. True when this one is new. */
export async function openCase(
  tx: Tx,
  about: {
    kind: 'insurance/stay-not-closed' | 'refund/late';
    subjectId: string;
    hospitalCode: string;
    detail: Record<string, unknown>;
    now: Date;
  },
): Promise<boolean> {
  const { now: createdAt, ...rest } = about;
  const opened = await tx
    .insert(financeCase)
    .values({ id: newId('financeCase'), ...rest, status: 'open', createdAt })
    .onConflictDoNothing()
    .returning({ id: financeCase.id });
  return opened.length > 0;
}
