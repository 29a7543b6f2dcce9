// Law: a debit of unknown fate is asked for until the bank knows; what it never saw has failed.
import { sql } from 'drizzle-orm';
import { rows, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { finishRepayment } from './finish-repayment.ts';

/** Past every deadline of the request that sent it, so that "absent" is the truth. Real time. */
const QUIET_SECONDS = 20;
const BATCH = 20;

/** Asks the banks about debits under way; returns how many came to an end. */
export async function resolveRepayments(deps: Deps): Promise<number> {
  // At random, so that the debits of a bank that is down do not hide those of the others.
  const open = await rows<{ id: string; lender: string }>(
    deps.db,
    sql`
    select id, lender from repayment
    where status in ('processing', 'unknown')
      and created_at < clock_timestamp() - make_interval(secs => ${QUIET_SECONDS}::int)
    order by random() limit ${BATCH}::int`,
  );
  const resolved = await Promise.all(
    open.map(async ({ id, lender }) => {
      const answer = await deps.lenders.findDebit(lender, id);
      if (answer.outcome === 'unknown' || answer.outcome === 'offline') return 0;
      await transact(deps.db, (tx) => finishRepayment(tx, id, answer));
      return 1;
    }),
  );
  return resolved.filter((count) => count === 1).length;
}
