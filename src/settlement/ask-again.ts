// After a new claim every 2207 (2304) that was reversed for it is reversed once more (domain.md, Learning
// the truth): what an insurer executes late must not leave a second live claim.

import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { settleTrades } from '../insurance/claim-trades.ts';
import { enqueueJob } from '../outbox/jobs.ts';

/** Asks for the job where there is such a message; the new claim is booked in this transaction. */
export async function reverseOldAgain(
  tx: Tx,
  claimed: { visitId: string; settlementId: string },
): Promise<void> {
  const reversed = await rows(tx, reversedClaims(claimed.visitId));
  if (reversed.length > 0) await askToReverseAgain(tx, claimed.settlementId);
}

/** A query that has a row when a claim of the visit was reversed. */
export const reversedClaims = (visitId: string): SQL => sql`
  select 1 from insurance_message
  where visit_id = ${visitId} and fate = 'reversed'
    and infno in (select jsonb_array_elements_text(${JSON.stringify(settleTrades)}::jsonb)) limit 1`;

export function askToReverseAgain(tx: Tx, settlementId: string): Promise<void> {
  return enqueueJob(tx, { kind: 'confirmReversal', subjectId: settlementId });
}
