// Lender's operators: their own lines and receivables, and nobody else's (404); notices of their own.
import { z } from 'zod';
import type { ProblemCode } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route } from '../http/route.ts';
import { idOf, listReply, pageQuery } from '../http/schemas.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import { disbursementRoutes } from './disbursement-routes.ts';
import { readEvidence } from './evidence.ts';
import { giveNotice, resolveNotice } from './give-notice.ts';
import { findLine, lineView, listLines, listLoans, loanView } from './loan-store.ts';
import { listNotices, noticeView } from './notice-store.ts';
import {
  evidenceReply,
  lenderLineReply,
  lenderReceivableReply,
  lineParams,
  linesQuery,
  noticeBody,
  noticeParams,
  noticeReply,
  receivableParams,
  receivablesQuery,
} from './schemas.ts';

const roles = ['lenderOperator'] as const;
const reading = { tag: 'Lender', method: 'get', roles, idempotency: 'none' } as const;
const acting = { tag: 'Lender', method: 'post', roles, idempotency: 'required' } as const;

const effectProblems = [
  'resource/not-found',
  'notice/wrong-state',
  'notice/plan-mismatch',
  'repayment/exceeds-debt',
  'repayment/under-way',
] as const satisfies readonly ProblemCode[];

const columns: readonly Column<ReturnType<typeof loanView>>[] = (
  [
    'id',
    'lineId',
    'holdId',
    'loanNumber',
    'hospitalCode',
    'hospital',
    'amount',
    'paid',
    'reduced',
    'writtenOff',
    'outstanding',
    'lateCharges',
    'capturedAt',
    'dueAt',
    'overdueAt',
    'disbursedOn',
    'status',
  ] as const
).map((key) => ({ key, cell: (row) => row[key] }));

const resolved = (
  call: Call<z.output<typeof noticeParams>>,
  decision: 'applied' | 'declined',
): Promise<Reply> =>
  once(call, async (tx) => {
    const order = { noticeId: call.params.noticeId, decision };
    const row = await resolveNotice(tx, callerOf(call, 'lenderOperator'), order);
    return { status: 200, body: noticeView(row) };
  });

export const lenderRoutes: Route[] = [
  route({
    ...reading,
    path: '/v1/lender/lines',
    operationId: 'listLenderLines',
    summary: '本行额度 The lender’s lines, newest first',
    query: linesQuery,
    replies: { 200: listReply(lenderLineReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query } = call;
      const { lender } = callerOf(call, 'lenderOperator');
      const after = readCursor(query.cursor, z.tuple([idOf('creditLine')]));
      const found = await listLines(deps.db, lender, {
        status: query.status,
        before: after?.[0] ?? null,
        count: query.limit + 1,
      });
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      const views = data.map((row) => lineView(deps.keyring, row));
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...reading,
    path: '/v1/lender/lines/{lineId}',
    operationId: 'readLenderLine',
    summary: '额度详情 One of the lender’s lines',
    params: lineParams,
    replies: { 200: lenderLineReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { lender } = callerOf(call, 'lenderOperator');
      const row = await findLine(call.deps.db, lender, call.params.lineId);
      return { status: 200, body: lineView(call.deps.keyring, row) };
    },
  }),
  route({
    ...reading,
    path: '/v1/lender/receivables',
    operationId: 'listLenderReceivables',
    summary: '本行应收 The lender’s receivables, oldest first; also as CSV and XLSX',
    isTabular: true,
    query: receivablesQuery,
    replies: { 200: listReply(lenderReceivableReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query, accept } = call;
      const { lender } = callerOf(call, 'lenderOperator');
      const after = readCursor(query.cursor, z.tuple([idOf('receivable')]));
      const { lineId, status } = query;
      const wish = { lineId, status, after: after?.[0] ?? null, count: query.limit + 1 };
      const found = await listLoans(deps.reportDb, lender, wish);
      const { data, nextCursor } = page(found.map(loanView), query.limit, (row) => [row.id]);
      if (accept !== 'json') return tabularReply(accept, 'receivables', columns, data);
      return { status: 200, body: { data, nextCursor } };
    },
  }),
  route({
    ...reading,
    path: '/v1/lender/receivables/{receivableId}/evidence',
    operationId: 'readLoanEvidence',
    summary: '借款凭证 What proves a loan: agreement, consents, hold, capture; nothing medical',
    params: receivableParams,
    replies: { 200: evidenceReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const operator = callerOf(call, 'lenderOperator');
      const body = await readEvidence(call.deps, operator, call.params.receivableId);
      return { status: 200, body };
    },
  }),
  ...disbursementRoutes,
  route({
    ...acting,
    path: '/v1/lender/notices',
    operationId: 'giveLenderNotice',
    summary: '银行通知 A notice of the lender; plans and write-offs wait for a second person (202)',
    body: noticeBody,
    replies: { 201: noticeReply, 202: noticeReply },
    problems: [...effectProblems, 'notice/number-taken'],
    handler: (call) =>
      once(call, async (tx) => {
        const row = await giveNotice(tx, callerOf(call, 'lenderOperator'), call.body);
        return { status: row.status === 'proposed' ? 202 : 201, body: noticeView(row) };
      }),
  }),
  route({
    ...reading,
    path: '/v1/lender/notices',
    operationId: 'listLenderNotices',
    summary: '通知清单 The lender’s notices, newest first',
    query: pageQuery,
    replies: { 200: listReply(noticeReply) },
    problems: [],
    handler: async (call) => {
      const { query } = call;
      const { lender } = callerOf(call, 'lenderOperator');
      const after = readCursor(query.cursor, z.tuple([idOf('lenderNotice')]));
      const window = { before: after?.[0] ?? null, count: query.limit + 1 };
      const found = await listNotices(call.deps.db, lender, window);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(noticeView), nextCursor } };
    },
  }),
  route({
    ...acting,
    path: '/v1/lender/notices/{noticeId}/approve',
    operationId: 'approveLenderNotice',
    summary: '复核通过 Approve a colleague’s plan or write-off; it takes effect at once',
    params: noticeParams,
    replies: { 200: noticeReply },
    problems: [...effectProblems, 'finance/same-person', 'notice/resolved'],
    handler: (call) => resolved(call, 'applied'),
  }),
  route({
    ...acting,
    path: '/v1/lender/notices/{noticeId}/decline',
    operationId: 'declineLenderNotice',
    summary: '复核退回 Decline a colleague’s plan or write-off',
    params: noticeParams,
    replies: { 200: noticeReply },
    problems: ['resource/not-found', 'finance/same-person', 'notice/resolved'],
    handler: (call) => resolved(call, 'declined'),
  }),
];
