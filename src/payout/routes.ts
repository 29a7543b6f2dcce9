// Finance: payouts to hospitals by maker and checker, the advice that lists them gross, and returns.
import { z } from 'zod';
import type { Db, Tx } from '../db/db.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route, staffRoles } from '../http/route.ts';
import { listReply, pageQuery } from '../http/schemas.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import { idPattern } from '../ids.ts';
import { payoutAdvice } from './advice.ts';
import { buildPayouts } from './build-payouts.ts';
import { returnPayout } from './move-payout.ts';
import { findPayout, grossOf, legsOf, listPayouts, type PayoutRow } from './payout-store.ts';
import { resolvePayout } from './resolve-payout.ts';
import {
  buildBody,
  legsReply,
  legView,
  madeReply,
  type PayoutView,
  payoutDetailReply,
  payoutParams,
  payoutReply,
  payoutsQuery,
  payoutView,
  returnedBody,
} from './schemas.ts';

/** Payouts of one download: lenders times hospitals times a few months. */
const EXPORT_PAYOUTS = 5_000;
const DETAIL_LEGS = 1_000;

const reading = { tag: 'Finance', method: 'get', roles: staffRoles, idempotency: 'none' } as const;
const acting = { tag: 'Finance', method: 'post', idempotency: 'required' } as const;
const checking = {
  ...acting,
  roles: ['financeChecker'],
  params: payoutParams,
  replies: { 200: payoutReply },
  problems: ['resource/not-found', 'finance/same-person', 'payout/wrong-state'],
} as const;

type PayoutCall = Call<z.output<typeof payoutParams>>;

const viewOf = async (db: Db | Tx, row: PayoutRow) => payoutView(row, await grossOf(db, [row.id]));

const resolved = (call: PayoutCall, decision: 'approved' | 'declined'): Promise<Reply> =>
  once(call, async (tx) => {
    const order = { payoutId: call.params.payoutId, decision };
    const row = await resolvePayout(tx, callerOf(call, 'staff'), order);
    return { status: 200, body: await viewOf(tx, row) };
  });

export const payoutRoutes: Route[] = [
  route({
    ...acting,
    roles: ['financeMaker'],
    path: '/v1/payouts',
    operationId: 'buildPayouts',
    summary: '生成拨付 Propose what the lenders owe the hospitals for a day that is over',
    body: buildBody,
    replies: { 201: madeReply },
    problems: ['payout/day-not-over'],
    handler: (call) =>
      once(call, async (tx) => {
        const staff = callerOf(call, 'staff');
        const ids = await buildPayouts(tx, staff, call.body);
        const made = await Promise.all(ids.map((id) => findPayout(tx, staff, id)));
        const gross = await grossOf(tx, ids);
        return { status: 201, body: { data: made.map((row) => payoutView(row, gross)) } };
      }),
  }),
  route({
    ...reading,
    path: '/v1/payouts',
    operationId: 'listPayouts',
    summary: '拨付清单 Payouts, newest first; also CSV and XLSX',
    isTabular: true,
    query: payoutsQuery,
    replies: { 200: listReply(payoutReply) },
    problems: [],
    handler: listAll,
  }),
  route({
    ...reading,
    path: '/v1/payouts/{payoutId}',
    operationId: 'readPayout',
    summary: '拨付详情 A payout and what it lists, gross',
    params: payoutParams,
    replies: { 200: payoutDetailReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { db } = call.deps;
      const row = await findPayout(db, callerOf(call, 'staff'), call.params.payoutId);
      const legs = await legsOf(db, row.id, { after: 0, count: DETAIL_LEGS });
      return { status: 200, body: { ...(await viewOf(db, row)), legs: legs.map(legView) } };
    },
  }),
  route({
    ...reading,
    path: '/v1/payouts/{payoutId}/legs',
    operationId: 'listPayoutLegs',
    summary: '拨付明细 The legs of a payout in their order',
    params: payoutParams,
    query: pageQuery,
    replies: { 200: legsReply },
    problems: ['resource/not-found'],
    handler: async ({ deps, params, query, ...call }) => {
      const row = await findPayout(deps.db, callerOf(call, 'staff'), params.payoutId);
      const [after] = readCursor(query.cursor, z.tuple([z.int32()])) ?? [0];
      const found = await legsOf(deps.db, row.id, { after, count: query.limit + 1 });
      const { data, nextCursor } = page(found, query.limit, (leg) => [leg.position]);
      return { status: 200, body: { data: data.map(legView), nextCursor } };
    },
  }),
  route({
    ...reading,
    path: '/v1/payouts/{payoutId}/advice',
    operationId: 'readPayoutAdvice',
    summary: '拨付通知 The advice to the hospital: CSV (or XLSX), one row a leg',
    isTabular: true,
    params: payoutParams,
    replies: { 200: z.string() },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { db } = call.deps;
      const row = await findPayout(db, callerOf(call, 'staff'), call.params.payoutId);
      return payoutAdvice(db, row, call.accept === 'xlsx' ? 'xlsx' : 'csv');
    },
  }),
  route({
    ...checking,
    path: '/v1/payouts/{payoutId}/approve',
    operationId: 'approvePayout',
    summary: '复核通过拨付 Approve a payout; its file goes to the lender',
    handler: (call) => resolved(call, 'approved'),
  }),
  route({
    ...checking,
    path: '/v1/payouts/{payoutId}/decline',
    operationId: 'declinePayout',
    summary: '复核退回拨付 Decline a payout; what it lists waits for another',
    handler: (call) => resolved(call, 'declined'),
  }),
  route({
    ...acting,
    roles: ['financeMaker', 'financeChecker'],
    path: '/v1/payouts/{payoutId}/returned',
    operationId: 'returnPayout',
    summary: '拨付退回 The bank gave a payout back; what it lists waits for another',
    params: payoutParams,
    body: returnedBody,
    replies: { 200: payoutReply },
    problems: ['resource/not-found', 'payout/wrong-state'],
    handler: (call) =>
      once(call, async (tx) => {
        const order = { payoutId: call.params.payoutId, ...call.body };
        const row = await returnPayout(tx, callerOf(call, 'staff'), order);
        return { status: 200, body: await viewOf(tx, row) };
      }),
  }),
];

async function listAll(call: Call<undefined, z.output<typeof payoutsQuery>>): Promise<Reply> {
  const { limit, cursor, ...filter } = call.query;
  const [before] = readCursor(cursor, z.tuple([z.string().regex(idPattern('payout'))])) ?? [null];
  const size = call.accept === 'json' ? limit : EXPORT_PAYOUTS;
  const window = { before, count: size + 1 };
  const found = await listPayouts(call.deps.db, callerOf(call, 'staff'), filter, window);
  const { data, nextCursor } = page(found, size, (row) => [row.id]);
  const gross = await grossOf(
    call.deps.db,
    data.map((row) => row.id),
  );
  const views = data.map((row) => payoutView(row, gross));
  if (call.accept === 'json') return { status: 200, body: { data: views, nextCursor } };
  const reply = await tabularReply(call.accept, 'payouts', columns, views);
  const next: Record<string, string> = nextCursor ? { 'Next-Cursor': nextCursor } : {};
  return { ...reply, headers: { ...reply.headers, ...next } };
}

const plain = [
  ...(['id', 'businessDate', 'run', 'lender', 'hospitalCode', 'status', 'amount'] as const),
  ...(['endToEndId', 'maker', 'checker', 'carriedInto', 'createdAt', 'approvedAt'] as const),
  ...(['sentAt', 'paidAt', 'bankReference', 'returnedAt', 'returnReason'] as const),
];
const columns: readonly Column<PayoutView>[] = plain.map((key) => ({
  key,
  cell: (row) => (row[key] === null ? null : String(row[key])),
}));
