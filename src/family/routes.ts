// Citizen: family links. A parent pays for a child, an adult child for a parent.
import { z } from 'zod';
import { businessNow, type Tx, transact } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route } from '../http/route.ts';
import { listReply, pageQuery } from '../http/schemas.ts';
import { idPattern } from '../ids.ts';
import { acceptAtCounter, acceptInApp } from './accept-link.ts';
import { changeCaps, endLink } from './change-link.ts';
import { etagOf, type LinkRow, linkView, listLinks, readLink } from './link-store.ts';
import { requestLink } from './request-link.ts';
import {
  acceptBody,
  acceptedReply,
  capsBody,
  linkParams,
  linkReply,
  linkRequestBody,
} from './schemas.ts';

const citizen = { tag: 'Citizen', roles: ['citizen'] } as const;

/** The link with its ETag. */
async function shown(
  tx: Tx,
  call: Pick<Call, 'deps' | 'caller'>,
  { row, now }: { row: LinkRow; now: Date },
): Promise<Reply> {
  const { citizenId } = callerOf(call, 'citizen');
  const body = await linkView(tx, call.deps.keyring, row, { citizenId, now });
  return { status: 200, body, headers: { etag: etagOf(row) } };
}

export const familyRoutes: Route[] = [
  route({
    ...citizen,
    method: 'post',
    path: '/v1/me/family-links',
    operationId: 'requestFamilyLink',
    summary: '添加亲情付 Let a child or a parent use my credit line, within caps',
    idempotency: 'optional',
    body: linkRequestBody,
    replies: { 201: linkReply },
    problems: [
      'credit/under-age',
      'family/kinship-not-proven',
      'family/not-a-minor',
      'family/too-many',
      'family/already-linked',
      'identity/unknown',
      'service/unavailable',
    ],
    handler: (call) => requestLink(call, callerOf(call, 'citizen').citizenId),
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/family-links',
    operationId: 'listFamilyLinks',
    summary: '我的亲情付 My family links as payer and as beneficiary, newest first',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(linkReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query } = call;
      const { citizenId } = callerOf(call, 'citizen');
      const cursor = z.tuple([z.string().regex(idPattern('familyLink'))]);
      const before = readCursor(query.cursor, cursor)?.[0] ?? null;
      const found = await listLinks(deps.db, citizenId, { before, count: query.limit + 1 });
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      const now = await businessNow(deps.db);
      const views = await Promise.all(
        data.map((row) => linkView(deps.db, deps.keyring, row, { citizenId, now })),
      );
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/family-links/{linkId}',
    operationId: 'readFamilyLink',
    summary: '亲情付详情 Read a link of mine, with its ETag',
    idempotency: 'none',
    params: linkParams,
    replies: { 200: linkReply },
    problems: ['resource/not-found'],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const row = await readLink(tx, call.params.linkId, callerOf(call, 'citizen').citizenId);
        return shown(tx, call, { row, now: await businessNow(tx) });
      }),
  }),
  route({
    tag: 'Citizen',
    roles: ['citizen', 'terminal'],
    method: 'post',
    path: '/v1/family-links/{linkId}/accept',
    operationId: 'acceptFamilyLink',
    summary: '接受亲情付 The beneficiary accepts: in the app, or at the counter with a credential',
    // Required of terminals, as everywhere; a citizen may send one.
    idempotency: 'optional',
    params: linkParams,
    body: acceptBody,
    isBodyOptional: true,
    replies: { 200: acceptedReply },
    problems: [
      'resource/not-found',
      'family/link-ended',
      'identity/unknown',
      'identity/expired',
      'identity/already-used',
      'identity/insurer-needed',
      'visit/hospital-unknown',
    ],
    handler: (call) => {
      const { linkId } = call.params;
      const { credential } = call.body;
      if (call.caller.kind === 'citizen') {
        if (credential) refuseCredential('the token says who accepts');
        return acceptInApp(call, call.caller.citizenId, linkId);
      }
      if (!call.key) throw new Refusal('idempotency/key-missing');
      if (!credential) return refuseCredential("expects the beneficiary's own credential");
      return acceptAtCounter(call, callerOf(call, 'terminal'), { linkId, credential });
    },
  }),
  route({
    ...citizen,
    method: 'patch',
    path: '/v1/family-links/{linkId}',
    operationId: 'changeFamilyCaps',
    summary: '修改亲情付限额 Change the caps of a link that I pay for',
    idempotency: 'none',
    params: linkParams,
    body: capsBody,
    replies: { 200: linkReply },
    problems: [
      'resource/not-found',
      'family/link-ended',
      'request/precondition-failed',
      'request/precondition-required',
    ],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const { citizenId } = callerOf(call, 'citizen');
        const order = { ...call.params, citizenId, ifMatch: call.ifMatch, caps: call.body };
        return shown(tx, call, await changeCaps(tx, order));
      }),
  }),
  route({
    ...citizen,
    method: 'delete',
    path: '/v1/family-links/{linkId}',
    operationId: 'endFamilyLink',
    summary: '解除亲情付 End a link, as payer or beneficiary; holds and debts stay',
    idempotency: 'none',
    params: linkParams,
    replies: { 200: linkReply },
    problems: ['resource/not-found'],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const { citizenId } = callerOf(call, 'citizen');
        return shown(tx, call, await endLink(tx, { ...call.params, citizenId }));
      }),
  }),
];

function refuseCredential(detail: string): never {
  throw new Refusal('request/invalid', {
    detail: `/credential: ${detail}`,
    errors: [{ pointer: '/credential', detail }],
  });
}
