// Times in which a route was offline. Law: an outage begins and ends once, with its event, in the
// transaction that switches the route; every settlement that it made wait belongs to it.
import { eq, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { outage } from '../db/schema.ts';
import { newId } from '../ids.ts';
import { recordEvent } from '../outbox/events.ts';
import type { RouteName } from './insurer.ts';

/** Records an outage that the breaker saw; times are business time. Returns its id. */
export async function beginOutage(
  tx: Tx,
  seen: { route: RouteName; reason: string; startsAt: Date; detectedAt: Date },
): Promise<string> {
  const outageId = newId('outage');
  await tx.insert(outage).values({ id: outageId, isPlanned: false, ...seen });
  await adoptWaiting(tx, outageId);
  await tell(tx, 'insurance.offline', seen.route, outageId, seen.detectedAt);
  return outageId;
}

/** Marks a planned window as begun. */
export async function beginWindow(
  tx: Tx,
  window: { route: RouteName; windowId: string; at: Date },
): Promise<void> {
  await tx.update(outage).set({ detectedAt: window.at }).where(eq(outage.id, window.windowId));
  await tell(tx, 'insurance.offline', window.route, window.windowId, window.at);
}

/** The route is back: the outage (or planned window) ends now. */
export async function endOutage(
  tx: Tx,
  over: { route: RouteName; outageId: string; at: Date },
): Promise<void> {
  const at = over.at.toISOString();
  await tx.execute(sql`
    update outage set ends_at = greatest(starts_at, ${at}::timestamptz) where id = ${over.outageId}`);
  await adoptWaiting(tx, over.outageId);
  await tell(tx, 'insurance.recovered', over.route, over.outageId, over.at);
}

/**
 * The first visits fail before the breaker opens, and others while it does: what they left waiting
 * belongs to the outage too. Both ends of it look, so that none falls between.
 */
async function adoptWaiting(tx: Tx, outageId: string): Promise<void> {
  await rows(
    tx,
    sql`
    update conversion c set outage_id = o.id
    from outage o
    where o.id = ${outageId} and c.route = o.route and c.outage_id is null
      and c.status in ('queued', 'claiming', 'awaitingPatient')
      and c.cause in ('insurerOffline', 'insurerUnknown')
      and c.created_at >= o.starts_at and (o.ends_at is null or c.created_at <= o.ends_at)`,
  );
}

async function tell(
  tx: Tx,
  type: 'insurance.offline' | 'insurance.recovered',
  route: RouteName,
  outageId: string,
  occurredAt: Date,
): Promise<void> {
  await recordEvent(tx, { type, hospitalCode: null, data: { route, outageId }, occurredAt });
}
