// Counter: visits, holds and charges.
import { and, desc, eq, type SQL } from 'drizzle-orm';
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { once, peekKey } from '../http/idempotency.ts';
import { olderThan, page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { listReply, pageQuery, shortText } from '../http/schemas.ts';
import { logLooks } from '../identity/access-log.ts';
import { findCitizenByIdNumber } from '../identity/people.ts';
import { admitAtOnce } from '../inpatient/admit-visit.ts';
import { INSURER_BUDGET_MS } from '../settlement/settlement-order.ts';
import { cancelVisit } from './cancel-visit.ts';
import { changeHold, dropHold } from './change-hold.ts';
import { changeVisit, identifyForPatch } from './change-visit.ts';
import { addCharges, removeBatch } from './charges.ts';
import { insertVisit, isAdmission, prepareOpening } from './open-visit.ts';
import { creditDeclines, identityProblems } from './problems.ts';
import {
  batchText,
  chargesBody,
  chargesReply,
  holdBody,
  holdReply,
  openVisitBody,
  patchVisitBody,
  visitParams,
  visitReply,
} from './schemas.ts';
import { findVisit, holdView, type VisitRow, visitView } from './visit-store.ts';

const counter = { tag: 'Counter', roles: ['terminal'] } as const;

export const visitRoutes: Route[] = [
  route({
    ...counter,
    method: 'post',
    path: '/v1/visits',
    operationId: 'openVisit',
    summary: '开始就诊 Open a visit; a declined hold never refuses it',
    idempotency: 'required',
    body: openVisitBody,
    replies: { 201: visitReply },
    problems: ['visit/number-taken', 'visit/proxy-is-patient', ...identityProblems],
    handler: async (call) => {
      const replay = await peekKey(call.deps.db, call.key);
      if (replay) return replay;
      const deadlineAt = call.deps.realNow().getTime() + INSURER_BUDGET_MS;
      const opening = await prepareOpening(call.deps, callerOf(call, 'terminal'), call.body);
      const opened: VisitRow[] = [];
      const reply = await once(call, async (tx) => {
        const row = await insertVisit(tx, call.deps, opening);
        opened[0] = row;
        return { status: 201, body: await visitView(tx, call.deps.keyring, row) };
      });
      // The visit is open whatever the insurer says; its job comes back to what is left undone.
      if (opened[0] && isAdmission(call.body)) {
        await admitAtOnce(call.deps, opened[0], deadlineAt);
      }
      return reply;
    },
  }),
  route({
    ...counter,
    method: 'get',
    path: '/v1/visits',
    operationId: 'findVisits',
    summary: '查询就诊 Find visits of this hospital by visit number or ID number',
    idempotency: 'none',
    query: pageQuery.extend({
      visitNumber: shortText(64).optional(),
      idNumber: shortText(18).optional(),
    }),
    replies: { 200: listReply(visitReply) },
    problems: [],
    handler: async (call) => {
      const { client: actor, hospitalCode } = callerOf(call, 'terminal');
      const { deps, query } = call;
      const conditions: SQL[] = [eq(visit.hospitalCode, hospitalCode)];
      if (query.visitNumber) conditions.push(eq(visit.visitNumber, query.visitNumber));
      let searched: string | null = null;
      if (query.idNumber) {
        const patient = await findCitizenByIdNumber(deps.db, deps.keyring, query.idNumber);
        if (!patient) return { status: 200, body: { data: [], nextCursor: null } };
        searched = patient.citizenId;
        conditions.push(eq(visit.citizenId, searched));
      }
      const after = readCursor(query.cursor, z.tuple([z.iso.datetime(), z.string()]));
      const found = await deps.db
        .select()
        .from(visit)
        .where(and(...conditions, olderThan({ at: visit.openedAt, id: visit.id }, after)))
        .orderBy(desc(visit.openedAt), desc(visit.id))
        .limit(query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [
        row.openedAt.toISOString(),
        row.id,
      ]);
      const action = query.idNumber ? 'visit.search' : 'visit.read';
      const look = { actor, hospitalCode, action, at: deps.realNow() } as const;
      const patients = [searched, ...data.map((row) => row.citizenId)];
      const [views] = await Promise.all([
        Promise.all(data.map((row) => visitView(deps.db, deps.keyring, row))),
        logLooks(deps.db, patients, look),
      ]);
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...counter,
    method: 'get',
    path: '/v1/visits/{visitId}',
    operationId: 'readVisit',
    summary: '就诊详情 Read a visit',
    idempotency: 'none',
    params: visitParams,
    replies: { 200: visitReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { client: actor, hospitalCode } = callerOf(call, 'terminal');
      const { db, keyring, realNow } = call.deps;
      const row = await findVisit(db, call.params.visitId, hospitalCode);
      if (!row) throw new Refusal('resource/not-found');
      const look = { actor, hospitalCode, action: 'visit.read', at: realNow() } as const;
      // Sent together: the line costs the counter no round trip, and without it nothing is shown.
      const [body] = await Promise.all([
        visitView(db, keyring, row),
        logLooks(db, [row.citizenId], look),
      ]);
      return { status: 200, body };
    },
  }),
  route({
    ...counter,
    method: 'patch',
    path: '/v1/visits/{visitId}',
    operationId: 'changeVisit',
    summary: '补充就诊信息 Change clinical fields or bind an unnamed emergency',
    idempotency: 'none',
    params: visitParams,
    body: patchVisitBody,
    replies: { 200: visitReply },
    problems: [
      'resource/not-found',
      'visit/settling',
      'visit/wrong-state',
      'visit/patient-bound',
      'visit/proxy-is-patient',
      ...identityProblems,
    ],
    handler: async (call) => {
      const terminal = callerOf(call, 'terminal');
      const known = await findVisit(call.deps.db, call.params.visitId, terminal.hospitalCode);
      if (!known) throw new Refusal('resource/not-found');
      const patient = await identifyForPatch(call.deps, terminal, call.body);
      return transact(call.deps.db, async (tx) => {
        const order = { visitId: call.params.visitId, patch: call.body, patient };
        const row = await changeVisit(tx, call.deps, terminal, order);
        return { status: 200, body: await visitView(tx, call.deps.keyring, row) };
      });
    },
  }),
  route({
    ...counter,
    method: 'delete',
    path: '/v1/visits/{visitId}',
    operationId: 'cancelVisit',
    summary: '取消就诊 Cancel an unsettled visit',
    idempotency: 'none',
    params: visitParams,
    replies: { 200: visitReply },
    problems: ['resource/not-found', 'visit/settling', 'visit/already-settled'],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const { hospitalCode } = callerOf(call, 'terminal');
        const row = await cancelVisit(tx, hospitalCode, call.params.visitId);
        return { status: 200, body: await visitView(tx, call.deps.keyring, row) };
      }),
  }),
  route({
    ...counter,
    method: 'put',
    path: '/v1/visits/{visitId}/hold',
    operationId: 'setHold',
    summary: '调整额度占用 Set the total held for a visit',
    idempotency: 'none',
    params: visitParams,
    body: holdBody,
    replies: { 200: holdReply },
    problems: [
      'resource/not-found',
      'visit/settling',
      'visit/wrong-state',
      'credit/confirmation-needed',
      ...creditDeclines,
    ],
    handler: async (call) => {
      const { hospitalCode } = callerOf(call, 'terminal');
      const { visitId } = call.params;
      const held = await changeHold(call.deps.db, { visitId, hospitalCode, ...call.body });
      return { status: 200, body: holdView(held) };
    },
  }),
  route({
    ...counter,
    method: 'delete',
    path: '/v1/visits/{visitId}/hold',
    operationId: 'voidHold',
    summary: '释放额度占用 Void the hold',
    idempotency: 'none',
    params: visitParams,
    replies: { 200: holdReply },
    problems: ['resource/not-found', 'visit/settling', 'visit/wrong-state', 'hold/none'],
    handler: async (call) => {
      const { hospitalCode } = callerOf(call, 'terminal');
      const { visitId } = call.params;
      const dropped = await transact(call.deps.db, (tx) => dropHold(tx, { visitId, hospitalCode }));
      if (!dropped) throw new Refusal('hold/none');
      return { status: 200, body: holdView(dropped) };
    },
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/visits/{visitId}/charges',
    operationId: 'addCharges',
    summary: '记费 Add one batch of charges',
    idempotency: 'required',
    params: visitParams,
    body: chargesBody,
    replies: { 201: chargesReply },
    problems: [
      'resource/not-found',
      'visit/settling',
      'visit/wrong-state',
      'charge/batch-taken',
      'charge/line-taken',
      'charge/amount-mismatch',
      'charge/total-exceeded',
    ],
    handler: (call) =>
      once(call, async (tx) => {
        const { hospitalCode } = callerOf(call, 'terminal');
        const body = await addCharges(tx, hospitalCode, call.params.visitId, call.body);
        return { status: 201, body };
      }),
  }),
  route({
    ...counter,
    method: 'delete',
    path: '/v1/visits/{visitId}/charges/{batch}',
    operationId: 'removeCharges',
    summary: '撤销费用批次 Take an unsettled batch off the bill',
    idempotency: 'none',
    params: visitParams.extend({ batch: batchText }),
    replies: { 200: chargesReply },
    problems: ['resource/not-found', 'visit/settling', 'visit/wrong-state', 'charge/batch-settled'],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const { hospitalCode } = callerOf(call, 'terminal');
        const { visitId, batch } = call.params;
        return { status: 200, body: await removeBatch(tx, hospitalCode, visitId, batch) };
      }),
  }),
];
