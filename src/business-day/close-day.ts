// Law: days close in order, never today, and what is closed never changes: the close owns the day's lock
// that every entry of it shares, so each entry is in the hash or belongs to the next day.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { assert, Refusal } from '../errors.ts';
import { breaksOf, unownedOf } from './day-breaks.ts';
import { type Calendar, calendarOf, type DayRow, saveDay } from './day-store.ts';
import { totalsOf } from './day-totals.ts';

/** How many of the breaks that nobody owns a refusal names. */
const NAMED_BREAKS = 20;

/**
 * Freezes a business day with its totals, its listed breaks and a hash chained to the day before. The
 * first day to close is that of the first entry, or one of the month before it.
 * Refuses with day/not-in-order, day/breaks-unowned.
 */
export async function closeDay(tx: Tx, closedBy: string, date: string): Promise<DayRow> {
  // A statement of its own: what follows must see every entry that held the lock before.
  await rows(tx, sql`select pg_advisory_xact_lock(business_day_lock(${date}::date))`);
  refuseOutOfOrder(date, await calendarOf(tx));
  const breaks = await breaksOf(tx, date, null);
  const unowned = unownedOf(breaks);
  if (unowned.length > 0) {
    throw new Refusal('day/breaks-unowned', {
      detail: `${unowned.length} 项差错无人负责 breaks without an owner`,
      extra: { breakIds: unowned.slice(0, NAMED_BREAKS).map((one) => one.id) },
    });
  }
  const totals = await totalsOf(tx, date, null);
  const row = await saveDay(tx, { date, status: 'closed', totals, breaks, closedBy });
  assert(row, 'a day that is not closed yet is closed');
  return row;
}

function refuseOutOfOrder(date: string, calendar: Calendar): void {
  const { today, lastClosed, next, first, earliest } = calendar;
  const refuse = (detail: string) => new Refusal('day/not-in-order', { detail });
  if (date >= today) throw refuse(`今天是 today is ${today}`);
  if (lastClosed && date !== next) throw refuse(`下一个是 the next day to close is ${next}`);
  if (lastClosed) return;
  if (first && date > first) throw refuse(`首日是 the first day is ${first}`);
  if (date < earliest) throw refuse(`不早于 not before ${earliest}`);
}
