// People and access over HTTP: terminals and hospitals, what citizens set for themselves, and the
// identification at the counter.
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { pageQuery } from '../http/schemas.ts';
import { identifyAtCounter } from './make-identification.ts';
import { makePaymentCode } from './one-time-credentials.ts';
import { authoriseAccounts, listAccesses, listHospitals } from './reads.ts';
import {
  accessLogReply,
  authorisationBody,
  authorisationReply,
  hospitalsReply,
  identificationBody,
  identificationReply,
  newTerminalBody,
  newTerminalReply,
  paymentCodeReply,
  terminalParams,
  terminalsReply,
} from './schemas.ts';
import { listTerminals, registerTerminal, revokeTerminal } from './terminals.ts';
import { vendorRoutes } from './vendor-routes.ts';

const afterText = z.tuple([z.string()]);
const afterAccess = z.tuple([z.iso.datetime(), z.string()]);

const access: Route[] = [
  route({
    method: 'post',
    path: '/v1/terminals',
    operationId: 'registerTerminal',
    summary: '登记终端 Register a terminal by its public key',
    tag: 'Access',
    roles: ['admin'],
    idempotency: 'optional',
    body: newTerminalBody,
    replies: { 201: newTerminalReply },
    problems: ['terminal/key-invalid', 'visit/hospital-unknown'],
    handler: (call) =>
      once(call, async (tx) => {
        const order = { ...call.body, ownHospital: callerOf(call, 'staff').hospitalCode };
        return { status: 201, body: await registerTerminal(tx, order) };
      }),
  }),
  route({
    method: 'get',
    path: '/v1/terminals',
    operationId: 'listTerminals',
    summary: '终端列表 Terminals',
    tag: 'Access',
    roles: ['admin'],
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: terminalsReply },
    problems: [],
    handler: async ({ deps, query, ...call }) => {
      const [afterId] = readCursor(query.cursor, afterText) ?? [''];
      const ownHospital = callerOf(call, 'staff').hospitalCode;
      const limit = query.limit + 1;
      const found = await listTerminals(deps.db, { afterId, limit, ownHospital });
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      const shown = data.map(({ id, clientId, hospitalCode, name, createdAt, revokedAt }) => ({
        id,
        clientId,
        hospitalCode,
        name,
        createdAt: createdAt.toISOString(),
        revokedAt: revokedAt?.toISOString() ?? null,
      }));
      return { status: 200, body: { data: shown, nextCursor } };
    },
  }),
  route({
    method: 'delete',
    path: '/v1/terminals/{terminalId}',
    operationId: 'revokeTerminal',
    summary: '停用终端 Revoke a terminal at once',
    tag: 'Access',
    roles: ['admin'],
    idempotency: 'none',
    params: terminalParams,
    replies: { 204: null },
    problems: ['resource/not-found'],
    handler: async ({ deps, params, ...call }) => {
      const ownHospital = callerOf(call, 'staff').hospitalCode;
      const order = { ...params, at: deps.realNow(), ownHospital };
      await transact(deps.db, (tx) => revokeTerminal(tx, order));
      return { status: 204 };
    },
  }),
  route({
    method: 'get',
    path: '/v1/hospitals',
    operationId: 'listHospitals',
    summary: '医院列表 Hospitals of the city; no token needed',
    tag: 'Operations',
    roles: 'public',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: hospitalsReply },
    problems: [],
    handler: async ({ deps, query }) => {
      const [after] = readCursor(query.cursor, afterText) ?? [''];
      const found = await listHospitals(deps.db, after, query.limit + 1);
      return { status: 200, body: page(found, query.limit, (row) => [row.code]) };
    },
  }),
];

const ownThings: Route[] = [
  route({
    method: 'put',
    path: '/v1/me/account-authorisation',
    operationId: 'authoriseAccounts',
    summary: '个账授权 Use of personal and family account money',
    tag: 'Citizen',
    roles: ['citizen'],
    idempotency: 'none',
    body: authorisationBody,
    replies: { 200: authorisationReply },
    problems: [],
    handler: async (call) => {
      const { citizenId } = callerOf(call, 'citizen');
      await transact(call.deps.db, (tx) => authoriseAccounts(tx, citizenId, call.body));
      return { status: 200, body: call.body };
    },
  }),
  route({
    method: 'post',
    path: '/v1/me/payment-codes',
    operationId: 'makePaymentCode',
    summary: '付款码 One-time payment code, 60 seconds',
    tag: 'Citizen',
    roles: ['citizen'],
    idempotency: 'optional',
    replies: { 201: paymentCodeReply },
    problems: [],
    handler: (call) =>
      once(call, async (tx) => {
        const { citizenId } = callerOf(call, 'citizen');
        const now = call.deps.realNow();
        const made = await makePaymentCode(tx, call.deps.keyring, { citizenId, now });
        return { status: 201, body: { code: made.code, expiresAt: made.expiresAt.toISOString() } };
      }),
  }),
  route({
    method: 'get',
    path: '/v1/me/access-log',
    operationId: 'listAccesses',
    summary: '谁看过我的信息 Who looked at my data, when and why',
    tag: 'Citizen',
    roles: ['citizen'],
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: accessLogReply },
    problems: [],
    handler: async (call) => {
      const { citizenId } = callerOf(call, 'citizen');
      const { cursor, limit } = call.query;
      const after = readCursor(cursor, afterAccess);
      const found = await listAccesses(call.deps, citizenId, after, limit + 1);
      const { data, nextCursor } = page(found, limit, (row) => [row.at, row.id]);
      return { status: 200, body: { data: data.map(({ id: _, ...shown }) => shown), nextCursor } };
    },
  }),
];

const counter: Route[] = [
  route({
    method: 'post',
    path: '/v1/identifications',
    operationId: 'identify',
    summary: '身份识别 Who is at the counter, and what is usable',
    tag: 'Counter',
    roles: ['terminal'],
    idempotency: 'none',
    body: identificationBody,
    replies: { 200: identificationReply },
    problems: [
      'identity/unknown',
      'identity/expired',
      'identity/already-used',
      'identity/insurer-needed',
    ],
    handler: async (call) => ({
      status: 200,
      body: await identifyAtCounter(call.deps, callerOf(call, 'terminal'), call.body),
    }),
  }),
];

export const identityRoutes: Route[] = [...access, ...vendorRoutes, ...ownThings, ...counter];
