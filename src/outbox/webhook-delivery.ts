// One delivery: one event to one endpoint, at least once, until the receiver takes it, is gone, or
// about three days have passed. The payload is the same at every try.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import type { Job, JobOutcome } from './jobs.ts';
import { disableEndpoint } from './webhook-endpoints.ts';
import { sendWebhook } from './webhook-sender.ts';

/** Standard Webhooks asks for 15 to 30 s at most; a receiver should only store what it gets. */
const DEADLINE_MS = 10_000;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** Seconds after each failed try, as Standard Webhooks proposes: 10 tries within 75 h 35 min. */
const WAITS = [
  5,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
];

interface Delivery {
  event_id: string;
  type: string;
  data: Record<string, unknown>;
  occurred_at: string;
  hospital_code: string | null;
  endpoint_id: string;
  url: string;
  secret: Buffer;
}

export type DeliveryDeps = Pick<Deps, 'db' | 'env' | 'keyring' | 'log' | 'realNow'>;

/** Tries once; says when to try again. What nobody waits for any more is done. */
export async function deliverWebhook(
  deps: DeliveryDeps,
  job: Pick<Job, 'payload' | 'attempts'>,
  deadlineMs = DEADLINE_MS,
): Promise<JobOutcome> {
  const delivery = await readDelivery(deps.db, job.payload);
  if (!delivery) return 'done';
  const { endpoint_id: endpoint, event_id: event } = delivery;
  const message = {
    url: delivery.url,
    secret: deps.keyring.open(delivery.secret),
    id: event,
    body: payloadOf(delivery),
    sentAt: deps.realNow(),
    deadlineMs,
  };
  const sent = await sendWebhook(message, deps.env.EGRET_MODE);
  switch (sent.outcome) {
    case 'accepted':
      return 'done';
    case 'gone':
      await disableEndpoint(deps.db, endpoint, deps.realNow());
      deps.log.warn({ endpoint }, 'webhook endpoint is gone and was disabled');
      return { gaveUp: 'HTTP 410' };
    case 'failed': {
      const wait = waitSeconds(job.attempts);
      if (wait !== null) return { retryAfterSeconds: wait, because: sent.reason };
      deps.log.warn({ endpoint, event, reason: sent.reason }, 'webhook delivery given up');
      return { gaveUp: `given up after ${job.attempts} tries: ${sent.reason}` };
    }
    default:
      return sent satisfies never;
  }
}

/** Seconds until the next try after `attempts` failed ones; null when there is none. */
export function waitSeconds(attempts: number): number | null {
  return WAITS[attempts - 1] ?? null;
}

/** Null when the endpoint was removed or disabled, or its terminal revoked, since the event. */
async function readDelivery(db: Db, payload: Job['payload']): Promise<Delivery | null> {
  const [row] = await rows<Delivery>(
    db,
    sql`
    select e.id as event_id, e.type, e.data, e.occurred_at, e.hospital_code,
      w.id as endpoint_id, w.url, w.secret
    from event e join webhook_endpoint w on w.id = ${payload.endpointId}::text
    where e.id = ${payload.eventId}::text and w.disabled_at is null and not exists (
      select 1 from terminal t where t.client_id = w.client and t.revoked_at is not null)`,
  );
  return row ?? null;
}

/** {type, timestamp, data}; `timestamp` is the business time of the fact. */
function payloadOf(delivery: Delivery): string {
  const { type, hospital_code: hospitalCode, data } = delivery;
  const timestamp = new Date(delivery.occurred_at).toISOString();
  return JSON.stringify({ type, timestamp, data: hospitalCode ? { ...data, hospitalCode } : data });
}
