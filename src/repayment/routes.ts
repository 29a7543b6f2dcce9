// Citizen: repaying, and what became of it.
import { z } from 'zod';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { idOf, listReply, pageQuery } from '../http/schemas.ts';
import { listReports, objectToReport, reportView } from './object-to-report.ts';
import { repay } from './repay.ts';
import { listRepayments, repaymentViews } from './repayment-store.ts';
import {
  objectionBody,
  repaymentBody,
  repaymentReply,
  reportParams,
  reportReply,
} from './schemas.ts';

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
  route({
    tag: 'Citizen',
    roles: ['citizen'],
    method: 'get',
    path: '/v1/me/score-reports',
    operationId: 'listScoreReports',
    summary: '逾期报送 Reports of my overdue bills to the score provider, newest first',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(reportReply) },
    problems: [],
    handler: async (call) => {
      const after = readCursor(call.query.cursor, z.tuple([idOf('scoreReport')]));
      const { citizenId } = callerOf(call, 'citizen');
      const window = { before: after?.[0] ?? null, count: call.query.limit + 1 };
      const found = await listReports(call.deps.db, citizenId, window);
      const { data, nextCursor } = page(found, call.query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(reportView), nextCursor } };
    },
  }),
  route({
    tag: 'Citizen',
    roles: ['citizen'],
    method: 'post',
    path: '/v1/me/score-reports/{reportId}/objection',
    operationId: 'objectToScoreReport',
    summary:
      '对报送提出异议 Object before it is sent; finance decides, and nothing is sent meanwhile',
    idempotency: 'optional',
    params: reportParams,
    body: objectionBody,
    replies: { 200: reportReply },
    problems: ['resource/not-found', 'report/wrong-state'],
    handler: (call) =>
      once(call, async (tx) => {
        const { citizenId } = callerOf(call, 'citizen');
        const order = { citizenId, reportId: call.params.reportId, text: call.body.text };
        const row = await objectToReport(tx, call.deps.keyring, order);
        return { status: 200, body: reportView(row) };
      }),
  }),
];
