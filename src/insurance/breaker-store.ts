// The row of a route that all processes share. Law: every change is decided under the row's lock, and
// a trial is taken in one statement, so that of any number of takers one gets it.
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import type { BreakerSettings, RouteState } from './breaker-rules.ts';
import type { RouteName } from './insurer.ts';

/** A route as read: `now` is real, `businessNow` business time, both of the database. */
export interface RouteRow {
  state: RouteState;
  outageId: string | null;
  /** A planned window that is in force. */
  windowId: string | null;
  now: Date;
  businessNow: Date;
}

interface Columns {
  status: 'online' | 'offline';
  outage_id: string | null;
  failures: number;
  first_failure_at: string | null;
  trial_at: string | null;
  trial_token: string | null;
  trial_until: string | null;
  window_id: string | null;
  now: string;
  business_now: string;
}

const inForce = sql`w.is_planned and w.starts_at <= business_now() and w.ends_at > business_now()`;

const columns = sql`
  r.status, r.outage_id, r.failures, r.first_failure_at, r.trial_at, r.trial_token, r.trial_until,
  (select w.id from outage w where w.route = r.route and ${inForce}
   order by w.starts_at, w.id limit 1) as window_id,
  clock_timestamp() as now, business_now() as business_now`;

/** Reads a route; one that nobody ever looked at is online from now on. */
export async function readRoute(db: Db, route: RouteName): Promise<RouteRow> {
  const select = sql`select ${columns} from insurance_route r where r.route = ${route}`;
  let [found] = await rows<Columns>(db, select);
  if (!found) {
    await makeRoute(db, route);
    [found] = await rows<Columns>(db, select);
  }
  return rowOf(found, route);
}

/** Reads a route under its lock. */
export async function lockRoute(tx: Tx, route: RouteName): Promise<RouteRow> {
  const lock = sql`select 1 as locked from insurance_route where route = ${route} for update`;
  if ((await rows(tx, lock)).length === 0) {
    await makeRoute(tx, route);
    await rows(tx, lock);
  }
  // A second statement, so that it sees what the holder of the lock before us committed.
  const [found] = await rows<Columns>(
    tx,
    sql`select ${columns} from insurance_route r where r.route = ${route}`,
  );
  return rowOf(found, route);
}

/** Saves the state of a locked route. */
export async function saveState(tx: Tx, route: RouteName, state: RouteState): Promise<void> {
  const columns = columnsOf(state);
  await tx.execute(sql`
    update insurance_route set failures = ${columns.failures},
      first_failure_at = ${columns.firstFailureAt}::timestamptz,
      trial_at = ${columns.trialAt}::timestamptz, trial_token = ${columns.trialToken},
      trial_until = ${columns.trialUntil}::timestamptz
    where route = ${route}`);
}

/** Turns a locked route on or off for everybody. */
export async function switchRoute(
  tx: Tx,
  route: RouteName,
  to: { status: 'online' | 'offline'; outageId: string | null; reason: string | null; at: Date },
): Promise<void> {
  await tx.execute(sql`
    update insurance_route set status = ${to.status}, since = ${to.at.toISOString()}::timestamptz,
      outage_id = ${to.outageId}, reason = ${to.reason}
    where route = ${route}`);
}

/**
 * Takes the trial of an open route. A live visit gets it only while no conversion of the route is
 * queued, or when none took it for `conversionsFirstMs`: then nobody is draining the queue.
 */
export async function takeTrialRow(
  db: Db,
  order: { route: RouteName; who: 'conversion' | 'counter'; token: string },
  settings: BreakerSettings,
): Promise<boolean> {
  const { route, who, token } = order;
  const taken = await rows(
    db,
    sql`
    update insurance_route r
    set trial_token = ${token}, trial_until = ${inMs(settings.trialLeaseMs)}
    where r.route = ${route} and r.status = 'offline' and r.trial_at <= clock_timestamp()
      and (r.trial_token is null or r.trial_until <= clock_timestamp())
      and not exists (select 1 from outage w where w.route = r.route and ${inForce})
      and (${who}::text = 'conversion' or r.trial_at <= ${inMs(-settings.conversionsFirstMs)}
        or not exists (select 1 from conversion c where c.route = r.route and c.status = 'queued'))
    returning 1 as taken`,
  );
  return taken.length > 0;
}

/** Renews a trial for one more message; false when it is not the route's trial any more. */
export async function renewTrialRow(
  db: Db,
  route: RouteName,
  token: string,
  leaseMs: number,
): Promise<boolean> {
  const renewed = await rows(
    db,
    sql`
    update insurance_route set trial_until = greatest(trial_until, ${inMs(leaseMs)})
    where route = ${route} and trial_token = ${token}
    returning 1 as renewed`,
  );
  return renewed.length > 0;
}

const inMs = (ms: number) => sql`clock_timestamp() + ${ms}::integer * interval '1 millisecond'`;

async function makeRoute(tx: Tx | Db, route: RouteName): Promise<void> {
  await tx.execute(sql`
    insert into insurance_route (route, status, since) values (${route}, 'online', business_now())
    on conflict (route) do nothing`);
}

function rowOf(found: Columns | undefined, route: RouteName): RouteRow {
  if (!found) throw new Error(`insurance_route has no row ${route}`);
  return {
    state: stateOf(found),
    outageId: found.outage_id,
    windowId: found.window_id,
    now: new Date(found.now),
    businessNow: new Date(found.business_now),
  };
}

function stateOf(found: Columns): RouteState {
  if (found.status === 'online') {
    const firstFailureAt = found.first_failure_at ? new Date(found.first_failure_at) : null;
    return { status: 'online', failures: found.failures, firstFailureAt };
  }
  const { trial_token: token, trial_until: until } = found;
  return {
    status: 'offline',
    // While open the same column counts the trials that failed.
    failedTrials: found.failures,
    trialAt: found.trial_at ? new Date(found.trial_at) : new Date(found.now),
    trial: token && until ? { token, until: new Date(until) } : null,
  };
}

function columnsOf(state: RouteState) {
  if (state.status === 'online') {
    const firstFailureAt = state.firstFailureAt?.toISOString() ?? null;
    const { failures } = state;
    return { failures, firstFailureAt, trialAt: null, trialToken: null, trialUntil: null };
  }
  return {
    failures: state.failedTrials,
    firstFailureAt: null,
    trialAt: state.trialAt.toISOString(),
    trialToken: state.trial?.token ?? null,
    trialUntil: state.trial?.until.toISOString() ?? null,
  };
}
