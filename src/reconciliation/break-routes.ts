// Breaks: listed with age and evidence, given to a person, settled by two.

import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { businessNow, rows, transact } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { proposalView } from '../finance/proposal-store.ts';
import { proposalReply } from '../finance/schemas.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route, staffRoles } from '../http/route.ts';
import { listReply } from '../http/schemas.ts';
import { tabularReply } from '../http/tabular.ts';
import { idPattern } from '../ids.ts';
import { proposeRemedy } from './apply-remedy.ts';
import { type BreakFilter, type BreakRow, findBreak, listBreaks } from './break-store.ts';
import { breakParams, breakReply, breaksQuery, ownerBody, remedyBody } from './schemas.ts';
import { breakColumns, breakView, etagOf } from './views.ts';

/** Breaks of one download; the month's 2,000 fit. */
const EXPORT_BREAKS = 5_000;

const reading = { tag: 'Finance', method: 'get', roles: staffRoles, idempotency: 'none' } as const;

/** A page of breaks as JSON, or a download. */
export async function listBreaksReply(
  call: Pick<Call, 'deps' | 'caller' | 'accept'>,
  filter: BreakFilter & { limit: number; cursor?: string | undefined },
): Promise<Reply> {
  const { limit, cursor, ...wanted } = filter;
  const shape = z.tuple([z.string().regex(idPattern('reconciliationBreak'))]);
  const before = readCursor(cursor, shape)?.[0] ?? null;
  const size = call.accept === 'json' ? limit : EXPORT_BREAKS;
  const staff = callerOf(call, 'staff');
  const found = await listBreaks(call.deps.db, staff, wanted, { before, count: size + 1 });
  const now = await businessNow(call.deps.db);
  const { data, nextCursor } = page<BreakRow>(found, size, (row) => [row.id]);
  const views = data.map((row) => breakView(row, now));
  if (call.accept === 'json') return { status: 200, body: { data: views, nextCursor } };
  const reply = await tabularReply(call.accept, 'breaks', breakColumns, views);
  const next: Record<string, string> = nextCursor ? { 'Next-Cursor': nextCursor } : {};
  return { ...reply, headers: { ...reply.headers, ...next } };
}

export const breakRoutes: Route[] = [
  route({
    ...reading,
    path: '/v1/breaks',
    operationId: 'listBreaks',
    summary: '差错清单 Breaks, newest first; also CSV and XLSX',
    query: breaksQuery,
    isTabular: true,
    replies: { 200: listReply(breakReply) },
    problems: [],
    handler: (call) => {
      const { hospital, ...filter } = call.query;
      return listBreaksReply(call, { ...filter, hospitalCode: hospital });
    },
  }),
  route({
    ...reading,
    path: '/v1/breaks/{breakId}',
    operationId: 'readBreak',
    summary: '差错详情 Read a break, with its ETag',
    params: breakParams,
    replies: { 200: breakReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const row = await findBreak(call.deps.db, callerOf(call, 'staff'), call.params.breakId);
      return shown(row, await businessNow(call.deps.db));
    },
  }),
  route({
    tag: 'Finance',
    method: 'patch',
    path: '/v1/breaks/{breakId}',
    operationId: 'ownBreak',
    summary: '指定责任人 Give a break to a person; needs If-Match',
    roles: ['financeMaker', 'financeChecker', 'admin'],
    idempotency: 'none',
    params: breakParams,
    body: ownerBody,
    replies: { 200: breakReply },
    problems: [
      'resource/not-found',
      'request/precondition-failed',
      'request/precondition-required',
      'break/closed',
    ],
    handler: giveToOwner,
  }),
  route({
    tag: 'Finance',
    method: 'post',
    path: '/v1/breaks/{breakId}/proposals',
    operationId: 'proposeRemedy',
    summary: '申请处理差错 Propose what settles a break',
    roles: ['financeMaker'],
    idempotency: 'required',
    params: breakParams,
    body: remedyBody,
    replies: { 202: proposalReply },
    problems: [
      'resource/not-found',
      'break/closed',
      'break/remedy-unfit',
      'break/unbalanced',
      'finance/proposal-open',
    ],
    handler: (call) =>
      once(call, async (tx) => {
        const maker = callerOf(call, 'staff');
        const row = await proposeRemedy(tx, maker, call.params.breakId, call.body);
        return { status: 202, body: proposalView(row) };
      }),
  }),
];

function shown(row: BreakRow, now: Date): Reply {
  return { status: 200, body: breakView(row, now), headers: { etag: etagOf(row) } };
}

function giveToOwner(
  call: Call<z.output<typeof breakParams>, unknown, z.output<typeof ownerBody>>,
): Promise<Reply> {
  const { ifMatch, params, body } = call;
  if (ifMatch === null) throw new Refusal('request/precondition-required');
  return transact(call.deps.db, async (tx) => {
    const row = await findBreak(tx, callerOf(call, 'staff'), params.breakId, 'for update');
    if (!isMatch(ifMatch, row)) throw new Refusal('request/precondition-failed');
    if (row.status !== 'open') throw new Refusal('break/closed');
    await rows(
      tx,
      sql`update reconciliation_break set owner = ${body.owner}, version = version + 1
      where id = ${row.id}`,
    );
    const saved = { ...row, owner: body.owner, version: row.version + 1 };
    return shown(saved, await businessNow(tx));
  });
}

/** RFC 9110 If-Match: "*" or a list of entity tags; quotes may be missing. */
function isMatch(ifMatch: string, row: BreakRow): boolean {
  const unquoted = (tag: string) => tag.trim().replaceAll('"', '');
  const asked = ifMatch.split(',').map(unquoted);
  return asked.includes('*') || asked.includes(unquoted(etagOf(row)));
}
