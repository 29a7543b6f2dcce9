// Laws of business days: what is closed is frozen, and anybody can see that it is.
import { sql } from 'drizzle-orm';
import { dayDigests, dayHash, NO_ENTRIES } from '../day-digest.ts';
import { holdsForEach, type Law } from './law.ts';

const closedDays = sql`e.business_date in (select date from business_day where status = 'closed')`;

const hashIsOfRows = holdsForEach(
  'A closed business day has the hash that its entries, totals and breaks give',
  sql`
    select b.date::text as id, b.entry_count = coalesce(x.entries, 0) and b.hash = ${dayHash({
      date: sql`b.date`,
      previousHash: sql`b.previous_hash`,
      entries: sql`b.entry_count`,
      digest: sql`coalesce(x.digest, ${NO_ENTRIES})`,
      totals: sql`b.totals`,
      breaks: sql`b.breaks`,
    })} as holds
    from business_day b left join (${dayDigests(closedDays)}) x on x.business_date = b.date
    where b.status = 'closed'`,
);

const chained = holdsForEach(
  'Closed business days follow one another without a gap, each chained to the hash before it',
  sql`
    select date::text as id, before is null and previous_hash is null
      or (date = before + 1 and previous_hash = hash_before) as holds
    from (
      select date, previous_hash, lag(date) over days as before, lag(hash) over days as hash_before
      from business_day where status = 'closed' window days as (order by date)
    ) d`,
);

const nobodysBreaks = holdsForEach(
  'No closed day lists an open break that has no owner and does not clear itself',
  sql`
    select d.date || ' ' || coalesce(x.id, '') as id, x.id is null or x.status <> 'open'
      or x.owner is not null or x."isSelfClearing" as holds
    from business_day d left join lateral jsonb_to_recordset(d.breaks)
      as x (id text, status text, owner text, "isSelfClearing" boolean) on true
    where d.status = 'closed'`,
);

export const dayLaws: readonly Law[] = [hashIsOfRows, chained, nobodysBreaks];
