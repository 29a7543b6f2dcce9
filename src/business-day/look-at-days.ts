// The chore after midnight: a day that is over gets its totals and a provisional hash (00:30 of the next
// day), so that everybody sees what it came to before it closes. A look locks nothing and freezes nothing.
import { sql } from 'drizzle-orm';
import { rows, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { breaksOf } from './day-breaks.ts';
import { saveDay } from './day-store.ts';
import { totalsOf } from './day-totals.ts';

/** Entries that were under way at midnight are there by then. */
const AFTER_MIDNIGHT_MINUTES = 30;

/** Looks at the oldest days that nobody looked at yet; returns how many. */
export async function lookAtDays(deps: Deps, limit: number): Promise<number> {
  const due = await rows<{ date: string }>(
    deps.db,
    sql`
    select d::date::text as date
    from generate_series(
      greatest((select min(business_date) from journal_entry),
        (select max(date) + 1 from business_day where status = 'closed'))::timestamp,
      (business_date(business_now() - make_interval(mins => ${AFTER_MIDNIGHT_MINUTES}::int)) - 1)
        ::timestamp, interval '1 day') d
    where not exists (select from business_day b where b.date = d::date)
    order by d limit ${limit}::int`,
  );
  for (const { date } of due) {
    await transact(deps.db, async (tx) => {
      const breaks = await breaksOf(tx, date, null);
      const totals = await totalsOf(tx, date, null);
      await saveDay(tx, { date, status: 'provisional', totals, breaks, closedBy: null });
    });
  }
  return due.length;
}
