// An outage is drained once its route is back and nothing of it waits any more.
import { sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';

export async function markDrained(tx: Tx, outageId: string | null): Promise<void> {
  if (!outageId) return;
  await tx.execute(sql`
    update outage set drained_at = business_now()
    where id = ${outageId} and ends_at is not null and drained_at is null
      and not exists (select 1 from conversion c where c.outage_id = ${outageId}
        and c.status in ('queued', 'claiming', 'awaitingPatient'))`);
}
