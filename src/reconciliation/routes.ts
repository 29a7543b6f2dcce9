// Finance compares a counterparty's file with our books and reads what came of it.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Tx } from '../db/db.ts';
import { type ProblemCode, Refusal } from '../errors.ts';
import { finishKey, peekKey, takeKey } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route, staffRoles } from '../http/route.ts';
import { listReply } from '../http/schemas.ts';
import { statementTypes } from '../http/upload.ts';
import { idPattern } from '../ids.ts';
import { breakRoutes, listBreaksReply } from './break-routes.ts';
import { refusalOfFile } from './file-refusal.ts';
import { parseStatement } from './files/parse-statement.ts';
import { type ImportOrder, importStatement } from './import-statement.ts';
import { askInsurerDay } from './insurer-statement.ts';
import { areKnown, findRun, listRuns, type RunRow } from './run-store.ts';
import {
  acceptedReply,
  breakReply,
  importQuery,
  runBreaksQuery,
  runParams,
  runReply,
  runsQuery,
} from './schemas.ts';
import { FileRefusal, type Statement } from './statement.ts';
import { runView } from './views.ts';

/** A million rows are about 150 MB. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;

const fileProblems = [
  'file/wrong-header',
  'file/wrong-encoding',
  'file/truncated',
  'file/zip-bomb',
  'file/formula',
  'file/duplicate-row',
  'file/totals-lie',
  'file/bad-value',
  'file/unknown-format',
  'file/too-large',
] as const satisfies readonly ProblemCode[];

const reading = { tag: 'Finance', method: 'get', roles: staffRoles, idempotency: 'none' } as const;

const runRoutes: Route[] = [
  route({
    tag: 'Finance',
    method: 'post',
    path: '/v1/reconciliations',
    operationId: 'importStatement',
    summary:
      '对账文件导入 Compare a counterparty’s file with our books; the same file is the same run',
    roles: ['financeMaker', 'financeChecker', 'admin'],
    idempotency: 'required',
    query: importQuery,
    file: { maxBytes: MAX_FILE_BYTES, contentTypes: statementTypes, isOptional: true },
    replies: { 202: acceptedReply },
    problems: ['resource/not-found', 'insurance/offline', 'insurance/unknown', ...fileProblems],
    handler: importFile,
  }),
  route({
    ...reading,
    path: '/v1/reconciliations',
    operationId: 'listReconciliations',
    summary: '对账批次 Runs, newest first',
    query: runsQuery,
    replies: { 200: listReply(runReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query } = call;
      const before = beforeId(query.cursor, 'reconciliation');
      const window = { before, count: query.limit + 1 };
      const found = await listRuns(deps.db, callerOf(call, 'staff'), query, window);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(runView), nextCursor } };
    },
  }),
  route({
    ...reading,
    path: '/v1/reconciliations/{reconciliationId}',
    operationId: 'readReconciliation',
    summary: '对账结果 Totals of both sides, what agrees, breaks by kind',
    params: runParams,
    replies: { 200: runReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const staff = callerOf(call, 'staff');
      const row = await findRun(call.deps.db, staff, call.params.reconciliationId);
      return { status: 200, body: runView(row) };
    },
  }),
  route({
    ...reading,
    path: '/v1/reconciliations/{reconciliationId}/breaks',
    operationId: 'listBreaksOfReconciliation',
    summary: '本批差错 What this run found; also CSV and XLSX',
    params: runParams,
    query: runBreaksQuery,
    isTabular: true,
    replies: { 200: listReply(breakReply) },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const staff = callerOf(call, 'staff');
      const { id } = await findRun(call.deps.db, staff, call.params.reconciliationId);
      return listBreaksReply(call, { ...call.query, reconciliationId: id });
    },
  }),
];

export const reconciliationRoutes: Route[] = [...runRoutes, ...breakRoutes];

type ImportCall = Call<undefined, z.output<typeof importQuery>>;

async function importFile(call: ImportCall): Promise<Reply> {
  const stored = await peekKey(call.deps.db, call.key);
  if (stored) return stored;
  const place = await placeOf(call);
  const { counterparty, businessDate, format = null } = call.query;
  const { file } = call;
  if (!file) return askInsurer(call, place.hospitalCode);
  const { hospitalCode } = place;
  const order = {
    ...{ ...place, counterparty, businessDate, format: format ?? 'auto' },
    fileHash: file.sha256.toString('hex'),
    createdBy: call.caller.client,
  };
  return runUnder(call, order, () =>
    parseStatement({ counterparty, format, businessDate, hospitalCode, body: file }),
  );
}

/** Only the insurer can be asked for its side: 3201 by group, 3202 where that is not flat. */
async function askInsurer(call: ImportCall, hospitalCode: string | null): Promise<Reply> {
  const { counterparty, businessDate } = call.query;
  if (counterparty !== 'insurer' || !hospitalCode) {
    const detail = '请求体应为文件 A file is expected as the body';
    throw new Refusal('request/malformed', { detail });
  }
  const asked = await askInsurerDay(call.deps, hospitalCode, businessDate);
  if (asked.outcome !== 'statement') {
    const code = asked.outcome === 'unknown' ? 'insurance/unknown' : 'insurance/offline';
    throw new Refusal(code, { detail: asked.reason, retryAfterSeconds: 60 });
  }
  const hash = createHash('sha256');
  for await (const rows of asked.open().rows) hash.update(JSON.stringify(rows, asText));
  const order = {
    ...{ counterparty, businessDate, hospitalCode, lender: null, format: '3201' },
    ...{ fileHash: hash.digest('hex'), createdBy: call.caller.client },
  };
  return runUnder(call, order, asked.open);
}

/** The reply is kept with the run, in one transaction. */
async function runUnder(
  call: ImportCall,
  order: ImportOrder,
  open: () => Statement,
): Promise<Reply> {
  let reply: Reply = { status: 500 };
  try {
    await importStatement(call.deps, order, open, async (tx, run) => {
      reply = await keep(tx, call, run);
    });
    return reply;
  } catch (error) {
    throw error instanceof FileRefusal ? refusalOfFile(error) : error;
  }
}

const asText = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;

async function keep(tx: Tx, { key }: Pick<Call, 'key'>, run: RunRow): Promise<Reply> {
  const reply = { status: 202, body: { id: run.id, status: run.status } };
  if (!key) return reply;
  const stored = await takeKey(tx, key);
  if (stored) return stored;
  await finishKey(tx, key, reply);
  return reply;
}

/** A role limited to one hospital sends that hospital's files; a hospital's file says whose it is. */
async function placeOf(call: ImportCall) {
  const { counterparty, hospital, lender = null } = call.query;
  const own = callerOf(call, 'staff').hospitalCode;
  if (own && hospital && hospital !== own) throw new Refusal('access/forbidden');
  const place = { hospitalCode: hospital ?? own, lender };
  if (counterparty === 'hospital' && !place.hospitalCode) {
    throw new Refusal('request/invalid', {
      detail: '/hospital',
      errors: [{ pointer: '/hospital', detail: 'whose file it is' }],
    });
  }
  if (!(await areKnown(call.deps.db, place))) throw new Refusal('resource/not-found');
  return place;
}

/** Lists whose ids sort by time: a page ends where the next one begins, by id. */
const beforeId = (cursor: string | undefined, kind: 'reconciliation') =>
  readCursor(cursor, z.tuple([z.string().regex(idPattern(kind))]))?.[0] ?? null;
