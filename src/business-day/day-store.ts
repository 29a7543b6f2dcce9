// Rows of business days. Law: the hash is computed in the database from the rows themselves, by the same
// words as the law that checks it (ledger/day-digest.ts).
import { desc, eq, lt, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { businessDay } from '../db/schema.ts';
import { dayDigests, dayHash, NO_ENTRIES } from '../ledger/day-digest.ts';
import type { ListedBreak } from './day-breaks.ts';
import type { DayTotals } from './day-totals.ts';

export type DayRow = typeof businessDay.$inferSelect;

export async function findDay(db: Db | Tx, date: string): Promise<DayRow | null> {
  const [row] = await db.select().from(businessDay).where(eq(businessDay.date, date));
  return row ?? null;
}

/** Days that were closed or looked at, newest first, from before the cursor's day on. */
export function listDays(
  db: Db,
  window: { before: string | null; count: number },
): Promise<DayRow[]> {
  return db
    .select()
    .from(businessDay)
    .where(window.before ? lt(businessDay.date, window.before) : undefined)
    .orderBy(desc(businessDay.date))
    .limit(window.count);
}

export interface Calendar {
  /** Business day now. */
  today: string;
  lastClosed: string | null;
  /** The first day with an entry. */
  first: string | null;
  /** The earliest day that may be the first to close. */
  earliest: string;
  /** The day that follows the last closed one. */
  next: string | null;
}

/** A day long before the first entry, closed by a slip, would have every day since then closed one by one. */
const DAYS_BEFORE_FIRST = 31;

export async function calendarOf(tx: Tx): Promise<Calendar> {
  const [row] = await rows<Calendar>(
    tx,
    sql`
    select business_date(business_now())::text as today, closed.date::text as "lastClosed",
      (closed.date + 1)::text as next,
      first.date::text as first,
      (coalesce(first.date, business_date(business_now())) - ${DAYS_BEFORE_FIRST}::int)::text as earliest
    from (select max(date) as date from business_day where status = 'closed') closed,
      (select min(business_date) as date from journal_entry) first`,
  );
  if (!row) throw new Error('a select of an aggregate gives one row');
  return row;
}

/** Writes what a day comes to: as a look at it ("provisional"), or as its close. */
export async function saveDay(
  tx: Tx,
  day: {
    date: string;
    status: 'provisional' | 'closed';
    totals: DayTotals;
    breaks: readonly ListedBreak[];
    closedBy: string | null;
  },
): Promise<DayRow | null> {
  const { date, status, closedBy } = day;
  const hash = dayHash({
    date: sql`d.date`,
    previousHash: sql`d.previous`,
    entries: sql`d.entries`,
    digest: sql`d.digest`,
    totals: sql`d.totals`,
    breaks: sql`d.breaks`,
  });
  const [saved] = await rows<{ date: string }>(
    tx,
    sql`
    with d as (
      select ${date}::date as date, ${JSON.stringify(day.totals)}::jsonb as totals,
        ${JSON.stringify(day.breaks)}::jsonb as breaks, coalesce(x.entries, 0) as entries,
        coalesce(x.digest, ${NO_ENTRIES}) as digest, (
          select hash from business_day
          where status = 'closed' and date < ${date}::date order by date desc limit 1) as previous
      from (select 1) one
      left join (${dayDigests(sql`e.business_date = ${date}::date`)}) x on true
    )
    insert into business_day (date, status, totals, hash, previous_hash, entry_count, breaks,
      computed_at, closed_at, closed_by)
    select d.date, ${status}, d.totals, ${hash}, d.previous, d.entries, d.breaks, business_now(),
      case when ${status} = 'closed' then business_now() end, ${closedBy}::text
    from d
    on conflict (date) do update set status = excluded.status, totals = excluded.totals,
      hash = excluded.hash, previous_hash = excluded.previous_hash,
      entry_count = excluded.entry_count, breaks = excluded.breaks,
      computed_at = excluded.computed_at, closed_at = excluded.closed_at,
      closed_by = excluded.closed_by
    where excluded.status = 'closed'
    returning date::text as date`,
  );
  return saved ? findDay(tx, saved.date) : null;
}
