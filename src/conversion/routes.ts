// Finance: the conversions that wait for insurance. Converting itself comes with the late road.
import { and, desc, eq, lt, or } from 'drizzle-orm';
import { z } from 'zod';
import type { Db } from '../db/db.ts';
import { conversion, moneyBack } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Call, type Route, route, staffRoles } from '../http/route.ts';
import { idOf, listReply, pageQuery, timeReply, yuanReply } from '../http/schemas.ts';
import { formatYuan, parseYuan, sumFen } from '../money.ts';
import { conversionCauses } from './queue-conversion.ts';

const statuses = [
  'queued',
  'claiming',
  'awaitingPatient',
  'converted',
  'rejected',
  'cancelled',
] as const;
const part = z.object({ kind: z.string(), amount: yuanReply, reference: z.string().optional() });

const conversionReply = z
  .object({
    id: idOf('conversion'),
    settlementId: idOf('settlement'),
    cause: z.enum(conversionCauses),
    status: z.enum(statuses),
    reason: z.string().optional(),
    attempts: z.array(z.looseObject({})),
    before: z.array(part),
    after: z.array(part).nullable(),
    refunds: z.array(z.object({ to: z.string(), amount: yuanReply, status: z.string() })),
    proof: z.object({
      totalBefore: yuanReply,
      totalAfter: yuanReply.nullable(),
      balanced: z.boolean().nullable(),
    }),
    createdAt: timeReply,
  })
  .meta({ id: 'Conversion' });

type ConversionRow = typeof conversion.$inferSelect;
type Part = z.output<typeof part>;

const totalOf = (parts: Part[]) => sumFen(parts.map((p) => parseYuan(p.amount)));

async function conversionView(db: Db, row: ConversionRow) {
  const before = row.before as Part[];
  const after = row.after as Part[] | null;
  const back = await db.select().from(moneyBack).where(eq(moneyBack.causeId, row.id));
  return {
    id: row.id,
    settlementId: row.settlementId,
    cause: row.cause,
    status: row.status,
    ...(row.reason ? { reason: row.reason } : {}),
    attempts: row.attempts,
    before,
    after,
    refunds: back
      .filter((b) => !b.isReduction)
      .map((b) => ({ to: b.kind, amount: formatYuan(b.amount), status: b.status })),
    proof: {
      totalBefore: formatYuan(totalOf(before)),
      totalAfter: after && formatYuan(totalOf(after)),
      balanced: after && totalOf(before) === totalOf(after),
    },
    createdAt: row.createdAt.toISOString(),
  };
}

/** A finance role that is limited to one hospital sees only that hospital's. */
function ownHospital(call: Pick<Call, 'caller'>) {
  const { caller } = call;
  return caller.kind === 'staff' && caller.hospitalCode
    ? eq(conversion.hospitalCode, caller.hospitalCode)
    : undefined;
}

const finance = { tag: 'Finance', roles: staffRoles } as const;

export const conversionRoutes: Route[] = [
  route({
    ...finance,
    method: 'get',
    path: '/v1/conversions',
    operationId: 'listConversions',
    summary: '转医保清单 List conversions, newest first',
    idempotency: 'none',
    query: pageQuery.extend({ status: z.enum(statuses).optional() }),
    replies: { 200: listReply(conversionReply) },
    problems: [],
    handler: async (call) => {
      const { deps, query } = call;
      const after = readCursor(query.cursor, z.tuple([z.iso.datetime(), z.string()]));
      const at = after && new Date(after[0]);
      const found = await deps.db
        .select()
        .from(conversion)
        .where(
          and(
            ownHospital(call),
            query.status && eq(conversion.status, query.status),
            after && at
              ? or(
                  lt(conversion.createdAt, at),
                  and(eq(conversion.createdAt, at), lt(conversion.id, after[1])),
                )
              : undefined,
          ),
        )
        .orderBy(desc(conversion.createdAt), desc(conversion.id))
        .limit(query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [
        row.createdAt.toISOString(),
        row.id,
      ]);
      const views = await Promise.all(data.map((row) => conversionView(deps.db, row)));
      return { status: 200, body: { data: views, nextCursor } };
    },
  }),
  route({
    ...finance,
    method: 'get',
    path: '/v1/conversions/{conversionId}',
    operationId: 'readConversion',
    summary: '转医保详情 Read a conversion',
    idempotency: 'none',
    params: z.object({ conversionId: idOf('conversion') }),
    replies: { 200: conversionReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { deps, params } = call;
      const [row] = await deps.db
        .select()
        .from(conversion)
        .where(and(eq(conversion.id, params.conversionId), ownHospital(call)));
      if (!row) throw new Refusal('resource/not-found');
      return { status: 200, body: await conversionView(deps.db, row) };
    },
  }),
];
