// Where callers want to be told of events. The signing secret is sealed at rest, also in the reply
// that is kept under the idempotency key.
import { randomBytes } from 'node:crypto';
import { and, asc, count, eq, gt, isNull, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { webhookEndpoint } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { Caller, Reply } from '../http/route.ts';
import type { Keyring } from '../identity/keyring.ts';
import { newId } from '../ids.ts';
import type { WebhookEventType } from './events.ts';
import { refusalOfUrl } from './webhook-address.ts';

/** As many bytes as the signature's SHA-256 uses. */
const SECRET_BYTES = 32;
/** Each event costs a delivery per endpoint. */
const MAX_ENDPOINTS = 20;

export interface EndpointOrder {
  url: string;
  eventTypes: readonly WebhookEventType[];
}

export type EndpointRow = typeof webhookEndpoint.$inferSelect;

/**
 * Registers an endpoint of the caller; `secret` in the body is sealed until `withOpenSecret`.
 * Refuses with webhook/url-refused and webhook/too-many-endpoints.
 */
export async function registerEndpoint(
  tx: Tx,
  deps: Pick<Deps, 'env' | 'keyring' | 'realNow'>,
  caller: Caller,
  order: EndpointOrder,
): Promise<{ id: string; url: string; eventTypes: WebhookEventType[]; secret: string }> {
  const refusal = refusalOfUrl(order.url, deps.env.EGRET_MODE);
  if (refusal) {
    throw new Refusal('webhook/url-refused', { errors: [{ pointer: '/url', detail: refusal }] });
  }
  await refuseTooMany(tx, caller.client);
  const id = newId('webhookEndpoint');
  const eventTypes = [...new Set(order.eventTypes)];
  const secret = deps.keyring.seal(`whsec_${randomBytes(SECRET_BYTES).toString('base64')}`);
  await tx.insert(webhookEndpoint).values({
    id,
    client: caller.client,
    hospitalCode: hospitalOf(caller),
    url: order.url,
    eventTypes,
    secret,
    createdAt: deps.realNow(),
  });
  return { id, url: order.url, eventTypes, secret: secret.toString('base64') };
}

/** The reply as the caller gets it: fresh or stored, the same bytes. */
export function withOpenSecret(keyring: Keyring, reply: Reply): Reply {
  if (reply.status !== 201) return reply;
  const { stored } = reply;
  const body = (stored ? JSON.parse(stored.text) : reply.body) as { secret: string };
  const open = { ...body, secret: keyring.open(Buffer.from(body.secret, 'base64')) };
  return stored
    ? { ...reply, stored: { ...stored, text: JSON.stringify(open) } }
    : { ...reply, body: open };
}

/** The client's endpoints by id, `limit` of them after `afterId`. */
export function listEndpoints(
  db: Db,
  client: string,
  afterId: string,
  limit: number,
): Promise<EndpointRow[]> {
  return db
    .select()
    .from(webhookEndpoint)
    .where(and(eq(webhookEndpoint.client, client), gt(webhookEndpoint.id, afterId)))
    .orderBy(asc(webhookEndpoint.id))
    .limit(limit);
}

/** Ends an endpoint of the client; what is still queued for it is dropped. 404 when there is none. */
export async function removeEndpoint(tx: Tx, client: string, endpointId: string): Promise<void> {
  const removed = await tx
    .delete(webhookEndpoint)
    .where(and(eq(webhookEndpoint.id, endpointId), eq(webhookEndpoint.client, client)))
    .returning({ id: webhookEndpoint.id });
  if (removed.length === 0) throw new Refusal('resource/not-found');
}

/** The receiver said that it is gone for good. */
export async function disableEndpoint(db: Db, endpointId: string, at: Date): Promise<void> {
  await db
    .update(webhookEndpoint)
    .set({ disabledAt: at })
    .where(and(eq(webhookEndpoint.id, endpointId), isNull(webhookEndpoint.disabledAt)));
}

/** A terminal, and a role that is limited to one hospital, hear of that hospital only. */
function hospitalOf(caller: Caller): string | null {
  return 'hospitalCode' in caller ? caller.hospitalCode : null;
}

/** Counts under a lock of the client: two requests at once must not both be the twentieth. */
async function refuseTooMany(tx: Tx, client: string): Promise<void> {
  await rows(
    tx,
    sql`select pg_advisory_xact_lock(hashtextextended('webhook endpoints ' || ${client}::text, 0))`,
  );
  const [found] = await tx
    .select({ endpoints: count() })
    .from(webhookEndpoint)
    .where(eq(webhookEndpoint.client, client));
  if ((found?.endpoints ?? 0) >= MAX_ENDPOINTS) throw new Refusal('webhook/too-many-endpoints');
}
