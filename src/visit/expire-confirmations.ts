// What a payer did not answer in ten minutes is over. The check at answering decides; this only tidies
// up, so it leaves alone what somebody is answering right now.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';

/** Ends at most `limit` unanswered confirmations; returns how many. One statement. */
export async function expireConfirmations(db: Db, limit: number): Promise<number> {
  const expired = await rows(
    db,
    sql`
    update hold_confirmation set status = 'expired', resolved_at = business_now()
    where id in (
      select id from hold_confirmation
      where status = 'pending' and expires_at <= business_now()
      order by id limit ${limit}::int for update skip locked)
    returning 1 as expired`,
  );
  return expired.length;
}
