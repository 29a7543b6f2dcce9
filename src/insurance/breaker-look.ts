// What a process knows of the routes without asking the database each time.
import type { Db } from '../db/db.ts';
import { type RouteRow, readRoute } from './breaker-store.ts';
import type { RouteName } from './insurer.ts';

/** How old a look may be: what an open breaker may cost the counter (domain.md, Breaker). */
const CACHE_MS = 100;

export interface Looks {
  /** At most 100 ms old; everybody who asks at once waits for the same read. */
  read(route: RouteName): Promise<RouteRow>;
  /** The database's real time by the latest look, carried on by our own clock. */
  nowBy(route: RouteName): Promise<Date>;
  /** After a change of ours: the next look is a fresh one. */
  forget(route: RouteName): void;
}

interface Look {
  /** performance.now() before the read. */
  at: number;
  row: Promise<RouteRow>;
}

export function makeLooks(db: Db): Looks {
  const looks = new Map<RouteName, Look>();

  function look(route: RouteName): Look {
    const known = looks.get(route);
    if (known && performance.now() - known.at < CACHE_MS) return known;
    const fresh: Look = { at: performance.now(), row: readRoute(db, route) };
    looks.set(route, fresh);
    fresh.row.catch(() => {
      if (looks.get(route) === fresh) looks.delete(route);
    });
    return fresh;
  }

  return {
    read: (route) => look(route).row,
    async nowBy(route) {
      const { at, row } = look(route);
      const { now } = await row;
      return new Date(now.getTime() + performance.now() - at);
    },
    forget: (route) => looks.delete(route),
  };
}
