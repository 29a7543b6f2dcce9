// Citizen, on the phone: open bills and settling them, what became of the settled ones, notices, export.
import { z } from 'zod';
import { wardsOf } from '../family/wards.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { listReply, pageQuery, timeReply } from '../http/schemas.ts';
import { logLooks } from '../identity/access-log.ts';
import { settleProblems } from '../settlement/routes.ts';
import { settlementBody, settlementReply } from '../settlement/schemas.ts';
import { visitParams } from '../visit/schemas.ts';
import { exportMine } from './export-mine.ts';
import { listMySettlements, mySettlementView } from './my-settlements.ts';
import { listNotices, noticeView } from './notices.ts';
import { billViews, listOpenBills } from './open-bills.ts';
import { billReply, mySettlementReply, noticeReply } from './schemas.ts';
import { settleBill } from './settle-bill.ts';

const citizen = { tag: 'Citizen', roles: ['citizen'] } as const;
const timeAndId = z.tuple([z.iso.datetime(), z.string()]);

export const phoneRoutes: Route[] = [
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/bills',
    operationId: 'listBills',
    summary: '待付账单 Open visits with charges, mine and of my children under a family link',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(billReply) },
    problems: [],
    handler: async ({ deps, query, ...call }) => {
      const { citizenId, client } = callerOf(call, 'citizen');
      const after = readCursor(query.cursor, timeAndId);
      const wards = await wardsOf(deps.db, deps.keyring, citizenId);
      const window = { after, count: query.limit + 1 };
      const found = await listOpenBills(deps, citizenId, wards, window);
      const { data, nextCursor } = page(found, query.limit, ({ visit }) => [
        visit.openedAt.toISOString(),
        visit.id,
      ]);
      const others = data.map(({ visit }) =>
        visit.citizenId === citizenId ? null : visit.citizenId,
      );
      const look = {
        actor: client,
        hospitalCode: null,
        action: 'bill.read',
        at: deps.realNow(),
      } as const;
      const [bills] = await Promise.all([
        billViews(deps.db, data, citizenId, wards),
        logLooks(deps.db, others, look),
      ]);
      return { status: 200, body: { data: bills, nextCursor } };
    },
  }),
  route({
    ...citizen,
    method: 'post',
    path: '/v1/me/bills/{visitId}/settlement',
    operationId: 'settleBill',
    summary: '手机结算 Settle a bill with insurance and credit; the rest is due at the counter',
    idempotency: 'optional',
    params: visitParams,
    body: settlementBody,
    isBodyOptional: true,
    replies: { 200: settlementReply },
    problems: [...settleProblems, 'tender/not-by-phone', 'settlement/receipt-not-by-phone'],
    handler: (call) =>
      settleBill({
        deps: call.deps,
        key: call.key,
        caller: callerOf(call, 'citizen'),
        visitId: call.params.visitId,
        request: call.body,
      }),
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/settlements',
    operationId: 'listMySettlements',
    summary: '我的结算单 My settlements: tenders, what came back and why; as payer the amount only',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(mySettlementReply) },
    problems: [],
    handler: async ({ deps, query, ...call }) => {
      const { citizenId, client } = callerOf(call, 'citizen');
      const after = readCursor(query.cursor, timeAndId);
      const wards = await wardsOf(deps.db, deps.keyring, citizenId);
      const window = { after, count: query.limit + 1 };
      const found = await listMySettlements(deps, citizenId, wards, window);
      const { data, nextCursor } = page(found, query.limit, ({ settlement }) => [
        settlement.settledAt.toISOString(),
        settlement.id,
      ]);
      const patients = data.map(({ settlement }) => settlement.citizenId);
      const others = patients.map((id) => (id === citizenId ? null : id));
      const action = 'settlement.readByPayer';
      await logLooks(deps.db, others, {
        ...{ actor: client, hospitalCode: null, action, at: deps.realNow() },
      });
      const views: unknown[] = [];
      // One after the other: a page of a hundred must not take all connections at once.
      for (const mine of data) views.push(await mySettlementView(deps.db, mine, citizenId, wards));
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/notices',
    operationId: 'listNotices',
    summary: '我的通知 What happened to my visits, bills and credit, newest first',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(noticeReply) },
    problems: [],
    handler: async ({ deps, query, ...call }) => {
      const { citizenId } = callerOf(call, 'citizen');
      const after = readCursor(query.cursor, timeAndId);
      const found = await listNotices(deps.db, citizenId, { after, count: query.limit + 1 });
      const { data, nextCursor } = page(found, query.limit, (row) => [
        new Date(row.at).toISOString(),
        row.id,
      ]);
      return { status: 200, body: { data: data.map(noticeView), nextCursor } };
    },
  }),
  route({
    ...citizen,
    method: 'get',
    path: '/v1/me/export',
    operationId: 'exportMine',
    summary: '导出我的数据 Everything held about me, as one JSON document',
    idempotency: 'none',
    replies: { 200: exportReply() },
    problems: [],
    handler: async ({ deps, ...call }) => ({
      status: 200,
      headers: { 'Content-Disposition': 'attachment; filename="egret-export.json"' },
      stream: await exportMine(deps, callerOf(call, 'citizen')),
    }),
  }),
];

function exportReply() {
  const list = z.array(z.looseObject({}));
  return z
    .object({
      exportedAt: timeReply,
      person: z.looseObject({ name: z.string(), idNumber: z.string() }),
      consents: list,
      creditLines: list,
      holds: list,
      familyLinks: list,
      visits: list,
      settlements: list,
      receivables: list,
      repayments: list,
      credentials: list,
      accessLog: list,
      notices: list,
    })
    .meta({ id: 'Export' });
}
