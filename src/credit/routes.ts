// Citizen: lenders, enrolment, credit line, consents and receivables.
import { asc, gt } from 'drizzle-orm';
import { z } from 'zod';
import { lender } from '../db/schema.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { idOf, listReply, pageQuery, shortText, timeText } from '../http/schemas.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import { closeLine, enrol, setConsents } from './enrol.ts';
import { explainLine } from './explain-line.ts';
import { creditLineView, listReceivables, readLine, receivableView } from './line-store.ts';
import { readLenderProduct } from './policy.ts';
import {
  consentKinds,
  consentsBody,
  consentsReply,
  enrolmentBody,
  explainedLineReply,
  lenderReply,
  receivableReply,
} from './schemas.ts';

const receivableColumns: readonly Column<ReturnType<typeof receivableView>>[] = (
  [
    'id',
    'settlementId',
    'hospital',
    'amount',
    'paid',
    'outstanding',
    'dueAt',
    'status',
    'lateCharges',
  ] as const
).map((key) => ({ key, cell: (row) => row[key] }));

const citizen = { tag: 'Citizen', roles: ['citizen'] } as const;

export const creditRoutes: Route[] = [
  route({
    tag: 'Citizen',
    roles: 'public',
    method: 'get',
    path: '/v1/lenders',
    operationId: 'listLenders',
    summary: '贷款银行 The lenders, with product and due rule',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(lenderReply) },
    problems: [],
    handler: async ({ deps, query }) => {
      const after = readCursor(query.cursor, z.tuple([shortText(30)]));
      const found = await deps.db
        .select()
        .from(lender)
        .where(after ? gt(lender.code, after[0]) : undefined)
        .orderBy(asc(lender.code))
        .limit(query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.code]);
      const withProduct = data.map(async (row) => ({
        ...row,
        ...(await readLenderProduct(deps.db, row.code)),
      }));
      return { status: 200, body: { data: await Promise.all(withProduct), nextCursor } };
    },
  }),
  route({
    ...citizen,
    method: 'post',
    path: '/v1/enrolments',
    operationId: 'enrol',
    summary: '开通信用就医 Open a credit line with a lender of one’s choice',
    idempotency: 'optional',
    body: enrolmentBody,
    replies: { 201: explainedLineReply },
    problems: [
      'credit/already-enrolled',
      'credit/under-age',
      'credit/consent-missing',
      'credit/score-unavailable',
      'credit/lender-unknown',
      'credit/agreement-outdated',
    ],
    handler: (call) => enrol(call, callerOf(call, 'citizen').citizenId),
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/credit-line',
    operationId: 'readCreditLine',
    summary: '我的信用额度 My credit line',
    idempotency: 'none',
    replies: { 200: explainedLineReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const line = await readLine(call.deps.db, callerOf(call, 'citizen').citizenId);
      const explanation = await explainLine(call.deps.db, line);
      return { status: 200, body: { ...creditLineView(line), explanation } };
    },
  }),
  route({
    ...citizen,
    method: 'delete',
    path: '/v1/me/credit-line',
    operationId: 'closeCreditLine',
    summary: '关闭信用额度 Close my line, while nothing is held or owed',
    idempotency: 'none',
    replies: { 204: null },
    problems: ['resource/not-found', 'credit/debt-open'],
    handler: (call) =>
      once(call, async (tx) => {
        await closeLine(tx, callerOf(call, 'citizen').citizenId);
        return { status: 204 };
      }),
  }),
  route({
    ...citizen,
    method: 'put',
    path: '/v1/me/consents',
    operationId: 'setConsents',
    summary: '我的授权 Set which consents hold; one left out is withdrawn and stops new holds',
    idempotency: 'none',
    body: consentsBody,
    replies: { 200: consentsReply },
    problems: ['resource/not-found'],
    handler: (call) =>
      once(call, async (tx) => {
        const { consents, agreementVersion } = call.body;
        await setConsents(tx, callerOf(call, 'citizen').citizenId, consents, agreementVersion);
        const given = consentKinds.filter((kind) => consents.includes(kind));
        return { status: 200, body: { consents: given } };
      }),
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/receivables',
    operationId: 'listReceivables',
    summary: '应还账单 My receivables, in order of their due time; also as CSV and XLSX',
    isTabular: true,
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(receivableReply) },
    problems: [],
    handler: async (call) => {
      const after = readCursor(call.query.cursor, z.tuple([timeText, idOf('receivable')]));
      const { citizenId } = callerOf(call, 'citizen');
      const found = await listReceivables(call.deps.db, citizenId, after, call.query.limit + 1);
      const { data, nextCursor } = page(found, call.query.limit, (row) => [
        new Date(row.due_at).toISOString(),
        row.id,
      ]);
      const views = data.map(receivableView);
      const { accept } = call;
      if (accept !== 'json') return tabularReply(accept, 'receivables', receivableColumns, views);
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
];
