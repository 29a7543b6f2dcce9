// The city's administration: hospitals that take part, policies, zones free of filing.
import { z } from 'zod';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Route, route, staffRoles } from '../http/route.ts';
import { listReply, pageQuery } from '../http/schemas.ts';
import { addHospital, endHospital } from './hospitals.ts';
import {
  addPolicy,
  changePolicy,
  listPolicies,
  type PolicyVersion,
  policyEtag,
  versionsOf,
} from './policies.ts';
import { policyKindNames } from './policy-kinds.ts';
import {
  hospitalBody,
  hospitalParams,
  hospitalReply,
  newPolicyBody,
  policyBody,
  policyHistoryReply,
  policyParams,
  policyReply,
  zoneBody,
  zoneParams,
  zoneReply,
} from './schemas.ts';
import { addZone, listZones, removeZone } from './zones.ts';

const admin = { tag: 'Operations', roles: ['admin'] } as const;
const reading = { tag: 'Operations', roles: staffRoles, idempotency: 'none' } as const;

/** What is the city's is not for an administrator of one hospital. */
function cityAdmin<C extends Pick<Call, 'caller'>>(call: C): C {
  if (callerOf(call, 'staff').hospitalCode !== null) throw new Refusal('access/forbidden');
  return call;
}

function policyView(row: PolicyVersion) {
  return { ...row, validFrom: row.validFrom.toISOString(), etag: policyEtag(row) };
}

const hospitalRoutes: Route[] = [
  route({
    ...admin,
    method: 'post',
    path: '/v1/hospitals',
    operationId: 'addHospital',
    summary: '登记医院 A hospital joins',
    idempotency: 'required',
    body: hospitalBody,
    replies: { 201: hospitalReply },
    problems: ['hospital/exists'],
    handler: (call) =>
      once(cityAdmin(call), async (tx) => ({
        status: 201,
        body: await addHospital(tx, call.body),
      })),
  }),
  route({
    ...admin,
    method: 'delete',
    path: '/v1/hospitals/{hospitalCode}',
    operationId: 'endHospital',
    summary:
      '医院退出 A hospital leaves: its terminals are revoked at once, what was settled goes on',
    idempotency: 'none',
    params: hospitalParams,
    replies: { 204: null },
    problems: ['resource/not-found'],
    handler: (call) =>
      once(cityAdmin(call), async (tx) => {
        await endHospital(tx, call.params.hospitalCode, call.deps.realNow());
        return { status: 204 };
      }),
  }),
];

const policyRoutes: Route[] = [
  route({
    ...reading,
    method: 'get',
    path: '/v1/policies',
    operationId: 'listPolicies',
    summary: '政策清单 The last version of each policy',
    query: pageQuery.extend({ kind: z.enum(policyKindNames).optional() }),
    replies: { 200: listReply(policyReply) },
    problems: [],
    handler: async ({ deps, query }) => {
      const after = readCursor(query.cursor, z.tuple([z.string(), z.string()])) ?? ['', ''];
      const limit = query.limit + 1;
      const found = await listPolicies(deps.db, { kind: query.kind ?? null, after, limit });
      const { data, nextCursor } = page(found, query.limit, (row) => [row.kind, row.name]);
      return { status: 200, body: { data: data.map(policyView), nextCursor } };
    },
  }),
  route({
    ...reading,
    method: 'get',
    path: '/v1/policies/{kind}/{name}',
    operationId: 'readPolicy',
    summary: '政策的各版本 Every version of a policy, with its ETag',
    params: policyParams,
    replies: { 200: policyHistoryReply },
    problems: ['resource/not-found'],
    handler: async ({ deps, params: { kind, name } }) => {
      const found = await versionsOf(deps.db, kind, name);
      const [last] = found;
      if (!last) throw new Refusal('resource/not-found');
      const versions = found.map(({ version, validFrom, data }) => {
        return { version, validFrom: validFrom.toISOString(), data };
      });
      const etag = policyEtag(last);
      return { status: 200, body: { kind, name, etag, versions }, headers: { etag } };
    },
  }),
  route({
    ...admin,
    method: 'post',
    path: '/v1/policies',
    operationId: 'addPolicy',
    summary: '新建政策 The first version of a policy, e.g. of a region',
    idempotency: 'required',
    body: newPolicyBody,
    replies: { 201: policyReply },
    problems: ['policy/exists', 'policy/invalid'],
    handler: (call) =>
      once(cityAdmin(call), async (tx) => {
        const { validFrom = null, ...order } = call.body;
        const made = await addPolicy(tx, { ...order, data: order.data, validFrom });
        return { status: 201, body: policyView(made), headers: { etag: policyEtag(made) } };
      }),
  }),
  route({
    ...admin,
    method: 'put',
    path: '/v1/policies/{kind}/{name}',
    operationId: 'changePolicy',
    summary: '修订政策 A new version, valid from now or from a later time',
    idempotency: 'none',
    params: policyParams,
    body: policyBody,
    replies: { 200: policyReply },
    problems: [
      'resource/not-found',
      'policy/invalid',
      'request/precondition-required',
      'request/precondition-failed',
    ],
    handler: (call) =>
      once(cityAdmin(call), async (tx) => {
        const { validFrom = null, data } = call.body;
        const made = await changePolicy(tx, { ...call.params, validFrom, data }, call.ifMatch);
        return { status: 200, body: policyView(made), headers: { etag: policyEtag(made) } };
      }),
  }),
];

const zoneRoutes: Route[] = [
  route({
    ...reading,
    method: 'get',
    path: '/v1/zones',
    operationId: 'listZones',
    summary: '免备案区域 Zones whose patients need no filing',
    replies: { 200: z.object({ data: z.array(zoneReply) }) },
    problems: [],
    handler: async ({ deps }) => ({ status: 200, body: { data: await listZones(deps.db) } }),
  }),
  route({
    ...admin,
    method: 'post',
    path: '/v1/zones',
    operationId: 'addZone',
    summary: '新增免备案区域 Add a zone, from now on',
    idempotency: 'required',
    body: zoneBody,
    replies: { 201: zoneReply },
    problems: ['zone/exists'],
    handler: (call) =>
      once(cityAdmin(call), async (tx) => ({ status: 201, body: await addZone(tx, call.body) })),
  }),
  route({
    ...admin,
    method: 'delete',
    path: '/v1/zones/{zoneName}',
    operationId: 'removeZone',
    summary: '取消免备案区域 Remove a zone, from now on',
    idempotency: 'none',
    params: zoneParams,
    replies: { 204: null },
    problems: ['resource/not-found'],
    handler: (call) =>
      once(cityAdmin(call), async (tx) => {
        await removeZone(tx, call.params.zoneName);
        return { status: 204 };
      }),
  }),
];

export const cityRoutes: Route[] = [...hospitalRoutes, ...policyRoutes, ...zoneRoutes];
