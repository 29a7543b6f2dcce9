// Role: finance and auditors see each outage, what it came to, and its list of visits.
import { and, desc, eq, isNotNull, lt } from 'drizzle-orm';
import { z } from 'zod';
import { outage } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, callerOf, type Reply, type Route, route, staffRoles } from '../http/route.ts';
import { idOf, listReply, pageQuery, timeReply, yuanReply } from '../http/schemas.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import {
  type OutageRow,
  outageView,
  reportOutage,
  type VisitOfOutage,
  visitsOfOutage,
} from './outage-report.ts';
import { wireDateTime } from './wire-time.ts';

/** Visits of one download: eight hours of a city that sees 110,000 a day. */
const EXPORT_VISITS = 40_000;

const routeName = z.enum(['local', 'crossRegion']);

const outageReply = z
  .object({
    id: idOf('outage'),
    route: routeName,
    isPlanned: z.boolean(),
    reason: z.string(),
    startsAt: timeReply,
    detectedAt: timeReply.nullable(),
    endsAt: timeReply.nullable(),
    secondsToDetect: z
      .number()
      .nullable()
      .meta({ description: 'from the first failure until the route was switched off' }),
  })
  .meta({ id: 'Outage' });

const count = z.int().min(0);
const reportReply = outageReply
  .extend({
    visits: count,
    money: yuanReply,
    minutesToDrain: z
      .number()
      .nullable()
      .meta({ description: 'from its end until nothing of it waited any more' }),
    refunds: count,
    refundedMoney: yuanReply,
    converted: count,
    rejected: count,
    cancelled: count,
    waiting: count,
  })
  .meta({ id: 'OutageReport' });

const finance = { method: 'get', tag: 'Finance', roles: staffRoles, idempotency: 'none' } as const;

export const outageRoutes: Route[] = [
  route({
    ...finance,
    path: '/v1/insurance/outages',
    operationId: 'listOutages',
    summary: '医保中断记录 Times in which a road to the insurer was off, newest first',
    query: pageQuery.extend({ route: routeName.optional() }),
    replies: { 200: listReply(outageReply) },
    problems: [],
    handler: async ({ deps, query }) => {
      const [before] = readCursor(query.cursor, z.tuple([idOf('outage')])) ?? [null];
      const found = await deps.reportDb
        .select()
        .from(outage)
        .where(
          and(
            // A planned window is an outage from when it has begun.
            isNotNull(outage.detectedAt),
            query.route && eq(outage.route, query.route),
            before ? lt(outage.id, before) : undefined,
          ),
        )
        .orderBy(desc(outage.id))
        .limit(query.limit + 1);
      const { data, nextCursor } = page(found as OutageRow[], query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(outageView), nextCursor } };
    },
  }),
  route({
    ...finance,
    path: '/v1/insurance/outages/{outageId}',
    operationId: 'readOutage',
    summary: '医保中断报告 What an outage came to; its visits as CSV and XLSX',
    isTabular: true,
    params: z.object({ outageId: idOf('outage') }),
    query: z.strictObject({ cursor: pageQuery.shape.cursor }),
    replies: { 200: reportReply },
    problems: ['resource/not-found'],
    handler: readOutage,
  }),
];

type ReadCall = Call<{ outageId: string }, { cursor?: string | undefined }>;

async function readOutage(call: ReadCall): Promise<Reply> {
  const { deps, params, query } = call;
  const { hospitalCode } = callerOf(call, 'staff');
  const [found] = await deps.reportDb.select().from(outage).where(eq(outage.id, params.outageId));
  if (!found) throw new Refusal('resource/not-found');
  const row = found as OutageRow;
  if (call.accept === 'json') {
    const report = await reportOutage(deps.reportDb, row, hospitalCode);
    return { status: 200, body: { ...outageView(row), ...report } };
  }
  const [after] = readCursor(query.cursor, z.tuple([idOf('settlement')])) ?? [null];
  const window = { hospitalCode, after, limit: EXPORT_VISITS + 1 };
  const visits = await visitsOfOutage(deps.reportDb, row.id, window);
  const { data, nextCursor } = page(visits, EXPORT_VISITS, (visit) => [visit.settlementId]);
  const reply = await tabularReply(call.accept, `outage-${row.id}`, columnsOf(row.id), data);
  const next: Record<string, string> = nextCursor ? { 'Next-Cursor': nextCursor } : {};
  return { ...reply, headers: { ...reply.headers, ...next } };
}

const shanghai = (at: Date) => `${wireDateTime(at).replace(' ', 'T')}+08:00`;

function columnsOf(outageId: string): Column<VisitOfOutage>[] {
  return [
    { key: 'visitTime', cell: (visit) => shanghai(visit.visitTime) },
    { key: 'claimTime', cell: (visit) => visit.claimTime && shanghai(visit.claimTime) },
    { key: 'visitNumber', cell: (visit) => visit.visitNumber },
    { key: 'outageId', cell: () => outageId },
    { key: 'hospital', cell: (visit) => visit.hospitalCode },
    { key: 'status', cell: (visit) => visit.status },
  ];
}
