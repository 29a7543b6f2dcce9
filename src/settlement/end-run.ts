// Ends a run in the transaction that books it: its intent, and the answer that no later message stored.
import { sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { together } from '../db/statements.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import { answerUpdate } from '../insurance/message-store.ts';
import { endingOf, type Intent } from './intent-store.ts';
import type { Talk } from './talk.ts';

export interface EndedRun {
  /** Business time, RFC 3339. */
  now: string;
  business_date: string;
  /** False: the lease was taken over, and nothing may be booked. */
  is_ours: boolean;
}

/** One statement, which changes nothing when the run is not ours. */
export async function endRun(
  tx: Tx,
  { keyring }: Pick<Deps, 'keyring'>,
  intent: Pick<Intent, 'id' | 'leaseToken'>,
  unsaved: Talk['unsaved'],
): Promise<EndedRun> {
  const [run] = await together<EndedRun>(
    tx,
    {
      ended: endingOf(intent, 'finished'),
      answered:
        unsaved &&
        sql`${answerUpdate(keyring, unsaved.msgid, unsaved.answer)} and exists (select from ended)`,
    },
    sql`
    select clock.now, business_date(clock.now)::text as business_date,
      exists (select from ended) as is_ours
    from (select business_now() as now offset 0) as clock`,
  );
  assert(run, 'the clock has a row');
  return run;
}
