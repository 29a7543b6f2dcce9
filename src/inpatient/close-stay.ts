// Asks for the insurer's record of a stay to be brought in line with ours, in the transaction that made
// the difference (sync-stay.ts does it).
import type { Tx } from '../db/db.ts';
import { enqueueJob } from '../outbox/jobs.ts';

/** Nothing to do for visits without a stay. */
export async function closeStay(tx: Tx, visit: { id: string; kind: string }): Promise<void> {
  if (visit.kind === 'inpatient') await enqueueJob(tx, { kind: 'syncStay', subjectId: visit.id });
}
