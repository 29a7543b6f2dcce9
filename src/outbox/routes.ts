// Operations: webhook endpoints. The secret is told once, when the endpoint is made.
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Route, route } from '../http/route.ts';
import { idOf, listReply, pageQuery, timeReply } from '../http/schemas.ts';
import { webhookEventTypes } from './events.ts';
import {
  type EndpointRow,
  listEndpoints,
  registerEndpoint,
  removeEndpoint,
  withOpenSecret,
} from './webhook-endpoints.ts';

const urlText = z
  .string()
  .max(2_000)
  .regex(/^https?:\/\/[^\s\p{Cc}\p{Cs}]+$/iu, 'expects an http(s) URL')
  .refine((text) => URL.canParse(text), 'expects an http(s) URL')
  .meta({ example: 'https://his.example/egret-events', description: '回调地址 receiver' });

const eventType = z.enum(webhookEventTypes);

const endpointBody = z.strictObject({
  url: urlText,
  eventTypes: z.array(eventType).min(1).max(50).meta({ description: '订阅的事件 events to tell' }),
});

const endpointFields = {
  id: idOf('webhookEndpoint'),
  url: z.string(),
  eventTypes: z.array(eventType),
};

const newEndpointReply = z.object({
  ...endpointFields,
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]+=*$/)
    .meta({ description: '签名密钥，仅此一次 signing secret, told only here' }),
});

const endpointReply = z.object({
  ...endpointFields,
  status: z.enum(['active', 'disabled']).meta({ description: 'disabled: it answered 410' }),
  createdAt: timeReply,
});

const operations = { tag: 'Operations', roles: ['terminal', 'admin'] } as const;

export const outboxRoutes: Route[] = [
  route({
    ...operations,
    method: 'post',
    path: '/v1/webhook-endpoints',
    operationId: 'registerWebhookEndpoint',
    summary: '登记回调地址 Be told of events (Standard Webhooks)',
    idempotency: 'optional',
    body: endpointBody,
    replies: { 201: newEndpointReply },
    problems: ['webhook/url-refused', 'webhook/too-many-endpoints'],
    handler: async (call) => {
      const { deps, caller, key } = call;
      if (caller.kind === 'terminal' && !key) throw new Refusal('idempotency/key-missing');
      const reply = await once(call, async (tx) => ({
        status: 201,
        body: await registerEndpoint(tx, deps, caller, call.body),
      }));
      return withOpenSecret(deps.keyring, reply);
    },
  }),
  route({
    ...operations,
    method: 'get',
    path: '/v1/webhook-endpoints',
    operationId: 'listWebhookEndpoints',
    summary: '回调地址列表 Own webhook endpoints',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(endpointReply) },
    problems: [],
    handler: async ({ deps, caller, query }) => {
      const [after] = readCursor(query.cursor, z.tuple([z.string()])) ?? [''];
      const found = await listEndpoints(deps.db, caller.client, after, query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(endpointView), nextCursor } };
    },
  }),
  route({
    ...operations,
    method: 'delete',
    path: '/v1/webhook-endpoints/{endpointId}',
    operationId: 'removeWebhookEndpoint',
    summary: '删除回调地址 Be told no more',
    idempotency: 'none',
    params: z.strictObject({ endpointId: idOf('webhookEndpoint') }),
    replies: { 204: null },
    problems: ['resource/not-found'],
    handler: async ({ deps, caller, params }) => {
      await transact(deps.db, (tx) => removeEndpoint(tx, caller.client, params.endpointId));
      return { status: 204 };
    },
  }),
];

function endpointView({ id, url, eventTypes, disabledAt, createdAt }: EndpointRow) {
  const status = disabledAt ? 'disabled' : 'active';
  return { id, url, eventTypes, status, createdAt: createdAt.toISOString() };
}
