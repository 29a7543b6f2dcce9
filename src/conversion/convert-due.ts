// The worker's part of the late road: drains the queue of each route, gently at first. Law: the live
// counter goes first; the rate is ramped up to a ceiling and backs off when the route fails.
import type { Deps } from '../deps.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { dueConversions, takeConversion } from './convert-queue.ts';
import { convertSettlement } from './convert-settlement.ts';

/** At most this many at once: leaves half of a small machine to the counter. */
const CEILING = 4;

/** How many conversions each route gets at once; learnt anew by every process. */
const pace: Record<RouteName, number> = { local: 1, crossRegion: 1 };

/** One round over both routes; returns how many conversions were tried. */
export async function convertDue(deps: Deps): Promise<number> {
  const tried = await Promise.all([drain(deps, 'local'), drain(deps, 'crossRegion')]);
  return tried.reduce((sum, n) => sum + n, 0);
}

async function drain(deps: Deps, route: RouteName): Promise<number> {
  const { isOpen } = await deps.breaker.stateOf(route);
  const waiting = await dueConversions(deps, route, isOpen ? 1 : pace[route]);
  if (waiting.length === 0) return 0;
  const trialToken = isOpen ? await deps.breaker.takeTrial(route, 'conversion') : null;
  if (isOpen && !trialToken) return 0;
  const answered = await Promise.all(
    waiting.map(async (due) => {
      const taken = await takeConversion(deps, due);
      return taken ? convertSettlement(deps, taken, trialToken) : true;
    }),
  );
  if (trialToken) await deps.breaker.endTrial(trialToken);
  pace[route] = answered.every(Boolean) ? Math.min(CEILING, pace[route] + 1) : 1;
  return waiting.length;
}
