// One change of a route. Law: it is decided under the row's lock, and the route, its outage and the
// event that tells of it change together and once, however many processes see the same failure.
import { type Db, type Tx, transact } from '../db/db.ts';
import { type BreakerEvent, type BreakerSettings, type Reaction, react } from './breaker-rules.ts';
import { lockRoute, type RouteRow, saveState, switchRoute } from './breaker-store.ts';
import type { RouteName } from './insurer.ts';
import { beginOutage, beginWindow, endOutage } from './outage-store.ts';

export interface Happening {
  route: RouteName;
  event: BreakerEvent;
  /** Why, for the outage's record. */
  reason: string;
}

/** Applies an event to a route; says what changed. */
export function changeRoute(
  db: Db,
  settings: BreakerSettings,
  happening: Happening,
): Promise<Reaction> {
  return transact(db, async (tx) => {
    const row = await lockRoute(tx, happening.route);
    const reaction = isOutdated(row, happening.event)
      ? unchanged
      : react(row.state, happening.event, row.now, settings);
    if (reaction.change === 'none') return reaction;
    await saveState(tx, happening.route, reaction.state);
    if (reaction.change === 'opened') await open(tx, row, happening, reaction.firstFailureAt);
    if (reaction.change === 'closed') await close(tx, row, happening.route);
    return reaction;
  });
}

const unchanged: Reaction = { change: 'none', shouldProbe: false };

/** The window was taken back, or is over, since somebody saw it begin. */
function isOutdated(row: RouteRow, event: BreakerEvent): boolean {
  return event.kind === 'windowBegan' && row.windowId === null;
}

async function open(
  tx: Tx,
  row: RouteRow,
  { route, event, reason }: Happening,
  firstFailureAt: Date,
): Promise<void> {
  const at = row.businessNow;
  let outageId: string;
  if (event.kind === 'windowBegan' && row.windowId) {
    outageId = row.windowId;
    await beginWindow(tx, { route, windowId: outageId, at });
  } else {
    // Failures are counted in real time; the outage is a fact of business time.
    const startsAt = new Date(at.getTime() - (row.now.getTime() - firstFailureAt.getTime()));
    outageId = await beginOutage(tx, { route, reason, startsAt, detectedAt: at });
  }
  await switchRoute(tx, route, { status: 'offline', outageId, reason, at });
}

async function close(tx: Tx, row: RouteRow, route: RouteName): Promise<void> {
  const at = row.businessNow;
  if (row.outageId) await endOutage(tx, { route, outageId: row.outageId, at });
  await switchRoute(tx, route, { status: 'online', outageId: null, reason: null, at });
}
