// The worker's part of the late road: drains the queue of each route, gently at first. Law: the live
// counter goes first; the rate is ramped up to a ceiling and backs off when the route fails.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { dueConversions, takeConversion } from './convert-queue.ts';
import { convertSettlement } from './convert-settlement.ts';

/** Most runs under way at once: these fill the process's core, more would only wait for it. */
const CEILING = 6;
/** While anybody settles at a counter no run is begun beside these. */
const BESIDE_COUNTER = 1;
/** Found in one look, which has to sort the whole queue; a second's work, so a stop is prompt. */
const LOOK_AHEAD = 48;
/** How old the answer to "is anybody at a counter?" may be: a fraction of one settlement. */
const COUNTER_LOOK_MS = 20;

/** How many conversions may be under way on each route; learnt anew by every process. */
const pace: Record<RouteName, number> = { local: 1, crossRegion: 1 };

/** One look at both routes' queues; returns how many conversions were found due. */
export async function convertDue(deps: Deps): Promise<number> {
  const isCounterBusy = counterWatch(deps.db);
  const drainRoute = (route: RouteName) => drain(deps, route, isCounterBusy);
  const tried = await Promise.all([drainRoute('local'), drainRoute('crossRegion')]);
  return tried.reduce((sum, n) => sum + n, 0);
}

async function drain(
  deps: Deps,
  route: RouteName,
  isCounterBusy: () => Promise<boolean>,
): Promise<number> {
  const { isOpen } = await deps.breaker.stateOf(route);
  const waiting = await dueConversions(deps, route, isOpen ? 1 : LOOK_AHEAD);
  if (waiting.length === 0) return 0;
  const trialToken = isOpen ? await deps.breaker.takeTrial(route, 'conversion') : null;
  if (isOpen && !trialToken) return 0;

  const underWay = new Set<Promise<void>>();
  let trouble: { error: unknown } | null = null;
  let hasFailed = false;
  const convert = async (due: (typeof waiting)[number]) => {
    try {
      const taken = await takeConversion(deps, due);
      const isAnswered = !taken || (await convertSettlement(deps, taken, trialToken));
      hasFailed ||= !isAnswered;
      pace[route] = isAnswered ? Math.min(CEILING, pace[route] + 1) : 1;
    } catch (error) {
      trouble ??= { error };
      hasFailed = true;
    }
  };
  for (const due of waiting) {
    for (;;) {
      // Nothing may be awaited between the two looks: a race of no runs would never end.
      const room = (await isCounterBusy()) ? BESIDE_COUNTER : pace[route];
      if (underWay.size < room) break;
      await Promise.race(underWay);
    }
    // What was found and not begun stays in the queue, for the next look.
    if (hasFailed) break;
    const run = convert(due).finally(() => underWay.delete(run));
    underWay.add(run);
  }
  await Promise.all(underWay);
  if (trialToken) await deps.breaker.endTrial(trialToken);
  if (trouble) throw (trouble as { error: unknown }).error;
  return waiting.length;
}

/** Whether a settlement, preview or refund is under way at any counter of the city, by a recent look. */
function counterWatch(db: Db): () => Promise<boolean> {
  let last = { at: Number.NEGATIVE_INFINITY, isBusy: Promise.resolve(false) };
  return () => {
    if (performance.now() - last.at > COUNTER_LOOK_MS) {
      last = { at: performance.now(), isBusy: lookAtCounters(db) };
    }
    return last.isBusy;
  };
}

async function lookAtCounters(db: Db): Promise<boolean> {
  const found = await rows(
    db,
    sql`
    select 1 from intent
    where status = 'running' and kind <> 'convert' and lease_until > clock_timestamp() limit 1`,
  );
  return found.length > 0;
}
