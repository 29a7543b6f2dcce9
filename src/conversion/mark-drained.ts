// An outage is drained once its route is back and nothing of it waits any more.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';

/** Looks at every outage that is over; for when no conversion is due. */
export async function markDrained(db: Db): Promise<void> {
  await rows(
    db,
    sql`
    update outage o set drained_at = business_now()
    where ends_at is not null and drained_at is null
      and not exists (select 1 from conversion c where c.outage_id = o.id
        and c.status in ('queued', 'claiming', 'awaitingPatient'))`,
  );
}
