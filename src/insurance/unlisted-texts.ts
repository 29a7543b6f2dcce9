// Role: error texts that no pattern knows are counted, so that finance can see and class them.
import { sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { withoutTraces } from './error-text.ts';

/** Counts one occurrence. Trace ids, addresses and long numbers count as one text. */
export async function countUnlistedText(
  db: Db | Tx,
  seen: { region: string; infno: string; text: string },
): Promise<void> {
  await db.execute(sql`
    insert into unlisted_text (region, infno, text, count, first_at, last_at)
    values (${seen.region}, ${seen.infno}, ${withoutTraces(seen.text)}, 1,
            clock_timestamp(), clock_timestamp())
    on conflict (region, infno, text) do update
      set count = unlisted_text.count + 1, last_at = excluded.last_at`);
}
