// The worker's part of the late road: drains the queue of each route, gently at first. Law: the live
// counter goes first; the rate is ramped up to a ceiling and backs off when the route fails.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { untilNobodyWaits } from '../http/live-requests.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { dueConversions, takeConversion } from './convert-queue.ts';
import { convertSettlement } from './convert-settlement.ts';
import { markDrained } from './mark-drained.ts';

/** Most runs under way at once: each waits for five commits and six answers; so many fill both cores. */
const CEILING = 40;
/** While anybody settles at a counter no run is begun beside so many. */
const BESIDE_COUNTER = 1;
/** Found in one look, which has to sort the whole queue; a few seconds' work, so a stop is prompt. */
const LOOK_AHEAD = 480;
/** How old the answer to "is anybody at a counter?" may be: a fraction of one settlement. */
const COUNTER_LOOK_MS = 20;
/** The longest that a run waits before it begins while somebody waits for an answer of this process. */
const TURN_MS = 400;
/** The longest that a counter waits for the insurer and the books; older runs are parked. */
const AT_COUNTER_SECONDS = 10;

/** How many conversions may be under way on each route; learnt anew by every process. */
const pace: Record<RouteName, number> = { local: 1, crossRegion: 1 };

type Waiting = Awaited<ReturnType<typeof dueConversions>>[number];
type CounterWatch = () => Promise<boolean>;

/** One look at both routes' queues; returns how many conversions were found due. */
export async function convertDue(deps: Deps): Promise<number> {
  const isCounterBusy = watchCounters(deps);
  const found = await Promise.all([
    drainRoute(deps, 'local', isCounterBusy),
    drainRoute(deps, 'crossRegion', isCounterBusy),
  ]);
  const sum = found.reduce((all, n) => all + n, 0);
  if (sum === 0) await markDrained(deps.db);
  return sum;
}

async function drainRoute(
  deps: Deps,
  route: RouteName,
  isCounterBusy: CounterWatch,
): Promise<number> {
  const { isOpen } = await deps.breaker.stateOf(route);
  const waiting = await dueConversions(deps, route, isOpen ? 1 : LOOK_AHEAD);
  if (waiting.length === 0) return 0;
  const trialToken = isOpen ? await deps.breaker.takeTrial(route, 'conversion') : null;
  if (isOpen && !trialToken) return 0;
  try {
    await convertAll(waiting, {
      room: async () => ((await isCounterBusy()) ? BESIDE_COUNTER : pace[route]),
      async convert(due) {
        // A trial shows everybody whether the insurer is back: it waits for nobody.
        if (!trialToken) await untilNobodyWaits(deps.db, TURN_MS);
        const taken = await takeConversion(deps, due);
        const isAnswered = !taken || (await convertSettlement(deps, taken, trialToken));
        pace[route] = isAnswered ? Math.min(CEILING, pace[route] + 1) : 1;
        return isAnswered;
      },
    });
  } finally {
    if (trialToken) await deps.breaker.endTrial(trialToken);
  }
  return waiting.length;
}

/**
 * Keeps as many runs under way as there is `room` (1 or more, never throws) until one fails; what was
 * found and not begun stays in the queue. Waits for all that were begun; throws what the first threw.
 */
async function convertAll(
  waiting: readonly Waiting[],
  by: { room(): Promise<number>; convert(due: Waiting): Promise<boolean> },
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  const errors: unknown[] = [];
  let hasFailed = false;
  const run = async (due: Waiting) => {
    try {
      if (!(await by.convert(due))) hasFailed = true;
    } catch (error) {
      errors.push(error);
      hasFailed = true;
    }
  };
  for (const due of waiting) {
    for (;;) {
      // Nothing may be awaited between looking and waiting: a race of no runs would never end.
      const room = await by.room();
      if (underWay.size < room) break;
      await Promise.race(underWay);
    }
    if (hasFailed) break;
    const running = run(due).finally(() => underWay.delete(running));
    underWay.add(running);
  }
  await Promise.all(underWay);
  if (errors.length > 0) throw errors[0];
}

/** Whether anybody settles, previews or refunds at a counter of the city, by a recent look. */
function watchCounters({ db, log }: Pick<Deps, 'db' | 'log'>): CounterWatch {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let isBusy = Promise.resolve(false);
  return () => {
    if (performance.now() - lookedAt > COUNTER_LOOK_MS) {
      lookedAt = performance.now();
      isBusy = lookAtCounters(db).catch((err) => {
        log.warn({ err }, 'the counters could not be looked at');
        return true;
      });
    }
    return isBusy;
  };
}

async function lookAtCounters(db: Db): Promise<boolean> {
  const found = await rows(
    db,
    sql`
    select 1 from intent
    where status = 'running' and kind <> 'convert' and lease_until > clock_timestamp()
      and created_at > clock_timestamp() - make_interval(secs => ${AT_COUNTER_SECONDS}) limit 1`,
  );
  return found.length > 0;
}
