// Law: a receiver that hangs or fails delays its own deliveries only. Each endpoint has few places of
// many, and nothing waits for a whole batch.
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Db } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { type Job, leaseJobs, runJob } from './jobs.ts';
import { deliverWebhook } from './webhook-delivery.ts';

/** Waiting for a receiver costs a socket; one that answers in 50 ms gets 80 events a second. */
const PLACES = 200;
const PLACES_OF_ENDPOINT = 4;
/** After a failure one at a time, with a pause, until one is taken. */
const PLACES_OF_FAILING = 1;
const REST_MS = 1_000;
/** How far into the queue one look goes, not counting endpoints that have no room. */
const WINDOW = 1_000;
/** New deliveries are looked for this often while others are under way. */
const LOOK_MS = 500;

export interface WebhookQueue {
  /** Starts what is due and waits until something is finished; returns how many are under way. */
  run(deps: Deps): Promise<number>;
  /** Resolves when all that was started is finished. */
  finish(): Promise<void>;
}

/** The deliveries of one process; several processes share the work by the jobs' leases. */
export function makeWebhookQueue(): WebhookQueue {
  const underWay = new Set<Promise<void>>();
  const used = new Map<string, number>();
  /** Until when (real time, ms) a failing endpoint is left alone. */
  const failing = new Map<string, number>();

  const roomOf = (endpoint: string, nowMs: number) => {
    const restsUntil = failing.get(endpoint);
    if (restsUntil !== undefined && restsUntil > nowMs) return 0;
    const places = restsUntil === undefined ? PLACES_OF_ENDPOINT : PLACES_OF_FAILING;
    return Math.max(0, places - (used.get(endpoint) ?? 0));
  };
  const move = (endpoint: string, by: number) => {
    const now = (used.get(endpoint) ?? 0) + by;
    if (now === 0) used.delete(endpoint);
    else used.set(endpoint, now);
  };

  async function deliver(deps: Deps, job: Job): Promise<void> {
    const endpoint = String(job.payload.endpointId);
    move(endpoint, 1);
    const handler = async () => {
      const outcome = await deliverWebhook(deps, job);
      if (outcome === 'done') failing.delete(endpoint);
      else failing.set(endpoint, deps.realNow().getTime() + REST_MS);
      return outcome;
    };
    await runJob(deps, { deliverWebhook: handler }, job);
    move(endpoint, -1);
  }

  return {
    async run(deps) {
      const nowMs = deps.realNow().getTime();
      const known = [...new Set([...used.keys(), ...failing.keys()])];
      const rooms = Object.fromEntries(known.map((name) => [name, roomOf(name, nowMs)]));
      const room = PLACES - underWay.size;
      for (const job of room > 0 ? await leaseDeliveries(deps.db, rooms, room) : []) {
        const delivery = deliver(deps, job).finally(() => underWay.delete(delivery));
        underWay.add(delivery);
      }
      if (underWay.size === 0) return 0;
      await Promise.race([...underWay, delay(LOOK_MS, undefined, { ref: false })]);
      return underWay.size + 1;
    },
    async finish() {
      await Promise.all(underWay);
    },
  };
}

/** Leases at most `limit` due deliveries, oldest first, as many of an endpoint as it has room. */
function leaseDeliveries(db: Db, rooms: Record<string, number>, limit: number): Promise<Job[]> {
  return leaseJobs(
    db,
    sql`
    select job.id from job join (
      select id, room, row_number() over (partition by endpoint order by next_attempt_at, id) as place
      from (
        select id, next_attempt_at, payload ->> 'endpointId' as endpoint,
          coalesce((${JSON.stringify(rooms)}::jsonb ->> (payload ->> 'endpointId'))::int,
            ${PLACES_OF_ENDPOINT}::int) as room
        from job
        where done_at is null and kind = 'deliverWebhook' and next_attempt_at <= clock_timestamp()
          and coalesce((${JSON.stringify(rooms)}::jsonb ->> (payload ->> 'endpointId'))::int, 1) > 0
        order by next_attempt_at limit ${WINDOW}::int
      ) oldest
    ) ranked on ranked.id = job.id and ranked.place <= ranked.room
    where job.done_at is null and job.next_attempt_at <= clock_timestamp()
    order by job.next_attempt_at limit ${limit}::int
    for update of job skip locked`,
  );
}
