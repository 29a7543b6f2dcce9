// Finance: cases to decide, proposals by maker and checker, conversions retried or closed, and what
// insurers' texts mean.
import { z } from 'zod';
import { conversionView } from '../conversion/conversion-store.ts';
import { retryConversion } from '../conversion/retry-conversion.ts';
import { conversionParams, conversionReply, reasonBody } from '../conversion/schemas.ts';
import type { Tx } from '../db/db.ts';
import { type ProblemCode, Refusal } from '../errors.ts';
import { PAPERS_CASE, papersToCheck } from '../family/papers.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import {
  type Call,
  type CallerOf,
  callerOf,
  type Reply,
  type Route,
  route,
  staffRoles,
} from '../http/route.ts';
import { listReply, pageQuery } from '../http/schemas.ts';
import { idPattern } from '../ids.ts';
import { caseView, closeCasesAbout, findCase, listCases } from './case-store.ts';
import { objectionOf, objectionRoute } from './objection-route.ts';
import { listProposals, type ProposalRow, proposalView } from './proposal-store.ts';
import {
  proposeCaseClose,
  proposeConversionClose,
  proposeKinship,
  proposeMeaning,
} from './propose.ts';
import { resolveProposal } from './resolve-proposal.ts';
import {
  caseParams,
  caseReply,
  casesQuery,
  decisionBody,
  kinshipBody,
  meaningBody,
  proposalParams,
  proposalReply,
  proposalsQuery,
  textParams,
  unlistedTextReply,
} from './schemas.ts';
import { listUnlistedTexts, unlistedTextView } from './unlisted-text-store.ts';

const reading = { tag: 'Finance', method: 'get', roles: staffRoles, idempotency: 'none' } as const;
const acting = { tag: 'Finance', method: 'post', idempotency: 'required' } as const;
const making = { ...acting, roles: ['financeMaker'], replies: { 202: proposalReply } } as const;
const checking = {
  ...acting,
  roles: ['financeChecker'],
  params: proposalParams,
  body: decisionBody,
  isBodyOptional: true,
  replies: { 200: proposalReply },
} as const;

const checkProblems = [
  'resource/not-found',
  'finance/same-person',
  'finance/proposal-resolved',
] as const satisfies readonly ProblemCode[];

/** Runs a maker's proposal under its key: 202. */
function propose(
  call: Pick<Call, 'deps' | 'key' | 'caller'>,
  make: (tx: Tx, maker: CallerOf<'staff'>) => Promise<ProposalRow>,
): Promise<Reply> {
  return once(call, async (tx) => ({
    status: 202,
    body: proposalView(await make(tx, callerOf(call, 'staff'))),
  }));
}

/** Texts belong to regions: a role that is limited to one hospital has no say. */
function cityStaff(call: Pick<Call, 'caller'>): CallerOf<'staff'> {
  const staff = callerOf(call, 'staff');
  if (staff.hospitalCode) throw new Refusal('access/forbidden');
  return staff;
}

const resolved = (
  call: Call<z.output<typeof proposalParams>, unknown, z.output<typeof decisionBody>>,
  decision: 'approved' | 'declined',
): Promise<Reply> =>
  once(call, async (tx) => {
    const order = { ...call.params, decision, reason: call.body.reason };
    const row = await resolveProposal(tx, callerOf(call, 'staff'), order);
    return { status: 200, body: proposalView(row) };
  });

/** Lists whose ids sort by time: a page ends where the next one begins, by id. */
const beforeId = (cursor: string | undefined, kind: 'financeCase' | 'proposal') =>
  readCursor(cursor, z.tuple([z.string().regex(idPattern(kind))]))?.[0] ?? null;

export const financeRoutes: Route[] = [
  objectionRoute,
  route({
    ...making,
    roles: ['financeMaker'],
    path: '/v1/conversions/{conversionId}/retry',
    operationId: 'retryConversion',
    summary: '重试转医保 Send a refused or stuck conversion round again',
    params: conversionParams,
    replies: { 202: conversionReply },
    problems: [
      'resource/not-found',
      'conversion/wrong-state',
      'conversion/not-possible',
      'settlement/busy',
    ],
    handler: (call) =>
      once(call, async (tx) => {
        const row = await retryConversion(tx, callerOf(call, 'staff'), call.params.conversionId);
        await closeCasesAbout(tx, row.id, '重试 retried');
        return { status: 202, body: await conversionView(tx, row) };
      }),
  }),
  route({
    ...making,
    path: '/v1/conversions/{conversionId}/close',
    operationId: 'proposeConversionClose',
    summary: '申请关闭转医保 Propose to give a conversion up',
    params: conversionParams,
    body: reasonBody,
    problems: ['resource/not-found', 'conversion/wrong-state', 'finance/proposal-open'],
    handler: (call) =>
      propose(call, (tx, maker) =>
        proposeConversionClose(tx, maker, call.params.conversionId, call.body.reason),
      ),
  }),
  route({
    ...reading,
    path: '/v1/finance-cases',
    operationId: 'listFinanceCases',
    summary: '待处理事项 Cases that a person must decide, newest first',
    query: casesQuery,
    replies: { 200: listReply(caseReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query } = call;
      const window = { before: beforeId(query.cursor, 'financeCase'), count: query.limit + 1 };
      const found = await listCases(deps.db, callerOf(call, 'staff'), query, window);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      const views = await Promise.all(data.map((row) => caseView(deps.db, row)));
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...reading,
    path: '/v1/finance-cases/{caseId}',
    operationId: 'readFinanceCase',
    summary: '事项详情 Read a case: reason, deadline and papers of a claim by hand',
    params: caseParams,
    replies: { 200: caseReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const staff = callerOf(call, 'staff');
      const row = await findCase(call.deps.db, staff, call.params.caseId);
      const seen = await caseView(call.deps.db, row);
      const view = { ...seen, ...(await objectionOf(call.deps, staff, row)) };
      if (row.kind !== PAPERS_CASE || row.status !== 'open') return { status: 200, body: view };
      const kinship = await papersToCheck(call.deps, row.subjectId, staff.client);
      return { status: 200, body: { ...view, ...(kinship ? { kinship } : {}) } };
    },
  }),
  route({
    ...making,
    path: '/v1/finance-cases/{caseId}/close',
    operationId: 'proposeCaseClose',
    summary: '申请关闭事项 Propose to close a case',
    params: caseParams,
    body: reasonBody,
    problems: ['resource/not-found', 'finance/case-closed', 'finance/proposal-open'],
    handler: (call) =>
      propose(call, (tx, maker) =>
        proposeCaseClose(tx, maker, call.params.caseId, call.body.reason),
      ),
  }),
  route({
    ...making,
    path: '/v1/finance-cases/{caseId}/kinship',
    operationId: 'proposeKinship',
    summary: '申请认定亲属关系 Propose what the papers of a family link prove',
    params: caseParams,
    body: kinshipBody,
    problems: ['resource/not-found', 'finance/case-closed', 'finance/proposal-open'],
    handler: (call) =>
      propose(call, (tx, maker) => proposeKinship(tx, maker, call.params.caseId, call.body)),
  }),
  route({
    ...reading,
    path: '/v1/proposals',
    operationId: 'listProposals',
    summary: '复核清单 Proposals, newest first',
    query: proposalsQuery,
    replies: { 200: listReply(proposalReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query } = call;
      const window = { before: beforeId(query.cursor, 'proposal'), count: query.limit + 1 };
      const found = await listProposals(deps.db, callerOf(call, 'staff'), query, window);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(proposalView), nextCursor } };
    },
  }),
  route({
    ...checking,
    path: '/v1/proposals/{proposalId}/approve',
    operationId: 'approveProposal',
    summary: '复核通过 Approve what another person proposed; it takes effect at once',
    problems: [
      ...checkProblems,
      'conversion/wrong-state',
      'conversion/fate-unknown',
      'settlement/busy',
      'finance/case-closed',
      'family/link-ended',
      'break/closed',
      'break/remedy-unfit',
      'break/unbalanced',
      'visit/settling',
      'tender/deposit-not-allowed',
      'payment/exceeds-due',
      'settlement/nothing-due',
      'tender/reference-used',
    ],
    handler: (call) => resolved(call, 'approved'),
  }),
  route({
    ...checking,
    path: '/v1/proposals/{proposalId}/decline',
    operationId: 'declineProposal',
    summary: '复核退回 Decline what another person proposed',
    problems: checkProblems,
    handler: (call) => resolved(call, 'declined'),
  }),
  route({
    ...reading,
    path: '/v1/insurance/unlisted-texts',
    operationId: 'listUnlistedTexts',
    summary: '未识别的医保报错 Insurer texts that no pattern knows, most often seen first',
    query: pageQuery,
    replies: { 200: listReply(unlistedTextReply) },
    problems: [],
    handler: async (call) => {
      cityStaff(call);
      const { deps, query } = call;
      const after = readCursor(
        query.cursor,
        z.tuple([z.int32(), z.string().regex(/^[0-9a-f]{64}$/)]),
      );
      const found = await listUnlistedTexts(deps.db, after, query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.count, row.id]);
      return { status: 200, body: { data: data.map(unlistedTextView), nextCursor } };
    },
  }),
  route({
    ...making,
    path: '/v1/insurance/unlisted-texts/{textId}/proposals',
    operationId: 'proposeMeaning',
    summary: '申请归类报错 Propose what an insurer text means from now on',
    params: textParams,
    body: meaningBody,
    problems: ['resource/not-found', 'finance/proposal-open'],
    handler: (call) => {
      cityStaff(call);
      return propose(call, (tx, maker) => proposeMeaning(tx, maker, call.params.textId, call.body));
    },
  }),
];
