// Law: what is done, and nobody may ask for any more, goes away: a few rows at a time, oldest first, each
// few in a statement of its own that waits for nobody. Books, bills, claims, messages to the insurer, access
// logs and natural keys (visit numbers, receipts, references) stay for ever.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { firstIdAt } from '../ids.ts';

/** The contract says at least 7 days; one more, so that no clock difference matters. */
const KEY_DAYS = 8;
/** Webhook deliveries among them: hospitals ask about last month's, not about older ones. */
const JOB_DAYS = 40;
/** They are a citizen's notices, wanted as long as a claim can be brought (民法典 188: three years). */
const EVENT_DAYS = 3 * 366;
/** Expired codes are told apart from unknown ones for a day. */
const CODE_DAYS = 1;
/** Some milliseconds' work. */
const BATCH = 1_000;

type RetentionDeps = Pick<Deps, 'db' | 'realNow'>;

/** Deletes a batch of each kind. Returns how many rows went if more may be waiting, else 0. */
export async function deleteExpired({ db, realNow }: RetentionDeps): Promise<number> {
  const daysAgo = (days: number) => new Date(realNow().getTime() - days * 86_400_000);
  const deleted: number[] = [];
  for (const statement of [
    expired('spent_token', sql`expires_at`, 0),
    expired('one_time_credential', sql`expires_at`, CODE_DAYS),
    // Work that still runs under its key has a lease that is renewed or taken over.
    expired('idempotency_key', sql`created_at`, KEY_DAYS, sql`coalesce(lease_until, created_at)`),
    doneJobs(daysAgo(JOB_DAYS)),
    oldEvents(await beforeDeliveries(db, daysAgo(EVENT_DAYS))),
  ]) {
    deleted.push((await rows(db, statement)).length);
  }
  const isMore = deleted.some((count) => count === BATCH);
  return isMore ? deleted.reduce((sum, count) => sum + count, 0) : 0;
}

/** By a moment that is indexed; `lease` is a second one that must have passed, too. */
function expired(table: string, moment: SQL, days: number, lease: SQL = moment): SQL {
  const limit = sql`clock_timestamp() - make_interval(days => ${days}::int)`;
  return sql`
    delete from ${sql.identifier(table)} where ctid = any(array(
      select ctid from ${sql.identifier(table)} where ${moment} < ${limit} and ${lease} < ${limit}
      order by ${moment} limit ${BATCH}::int for update skip locked))
    returning 1`;
}

/** Ids sort by the time they were made, so the primary key finds what is old. */
function doneJobs(before: Date): SQL {
  return sql`
    delete from job where id in (
      select id from job
      where id < ${firstIdAt('job', before)} and done_at < ${before.toISOString()}::timestamptz
      order by id limit ${BATCH}::int for update skip locked)
    returning 1`;
}

/** But for the one that says since when a line is suspended. */
function oldEvents(before: Date): SQL {
  return sql`
    delete from event where id in (
      select id from event where id < ${firstIdAt('event', before)} and type <> 'line.suspended'
      order by id limit ${BATCH}::int for update skip locked)
    returning 1`;
}

/** `before`, or what the oldest delivery that is still under way needs: a worker may have been off. */
async function beforeDeliveries(db: Db, before: Date): Promise<Date> {
  const [row] = await rows<{ oldest: string | null }>(
    db,
    sql`select min(created_at) as oldest from job where done_at is null and kind = 'deliverWebhook'`,
  );
  // The event's id is a moment older than its deliveries.
  const oldestMs = row?.oldest ? new Date(row.oldest).getTime() - 60_000 : Number.MAX_VALUE;
  return new Date(Math.min(before.getTime(), oldestMs));
}
