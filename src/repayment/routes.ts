// Citizen: repaying, and what became of it.
import { z } from 'zod';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { idOf, listReply, pageQuery } from '../http/schemas.ts';
import { repay } from './repay.ts';
import { listRepayments, repaymentViews } from './repayment-store.ts';
import { repaymentBody, repaymentReply } from './schemas.ts';

export const repaymentRoutes: Route[] = [
  route({
    tag: 'Citizen',
    roles: ['citizen'],
    method: 'post',
    path: '/v1/me/repayments',
    operationId: 'repay',
    summary: '还款 Repay from my account, what is due first, first',
    idempotency: 'required',
    body: repaymentBody,
    replies: { 201: repaymentReply, 202: repaymentReply },
    problems: ['repayment/exceeds-debt', 'repayment/under-way', 'resource/not-found'],
    handler: (call) => repay(call, callerOf(call, 'citizen').citizenId),
  }),
  route({
    tag: 'Citizen',
    roles: ['citizen'],
    method: 'get',
    path: '/v1/me/repayments',
    operationId: 'listRepayments',
    summary: '我的还款 My repayments, newest first',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(repaymentReply) },
    problems: [],
    handler: async (call) => {
      const after = readCursor(call.query.cursor, z.tuple([idOf('repayment')]));
      const { citizenId } = callerOf(call, 'citizen');
      const { limit } = call.query;
      const found = await listRepayments(call.deps.db, citizenId, after?.[0] ?? null, limit + 1);
      const { data, nextCursor } = page(found, limit, (row) => [row.id]);
      return { status: 200, body: { data: await repaymentViews(call.deps.db, data), nextCursor } };
    },
  }),
];
