// After a new claim every 2207 (2304) that was reversed for it is reversed once more (domain.md, Learning
// the truth): what an insurer executes late must not leave a second live claim.

import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { settleTrades } from '../insurance/claim-trades.ts';
import { enqueueJob } from '../outbox/jobs.ts';

/** Asks for the job where there is such a message; the new claim is booked in this transaction. */
export async function reverseOldAgain(
  tx: Tx,
  claimed: { visitId: string; settlementId: string },
): Promise<void> {
  const reversed = await rows(
    tx,
    sql`
    select 1 from insurance_message
    where visit_id = ${claimed.visitId} and fate = 'reversed'
      and infno in (select jsonb_array_elements_text(${JSON.stringify(settleTrades)}::jsonb)) limit 1`,
  );
  if (reversed.length === 0) return;
  await enqueueJob(tx, { kind: 'confirmReversal', subjectId: claimed.settlementId });
}
