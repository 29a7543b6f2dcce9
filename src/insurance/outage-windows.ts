// Role: planned windows of the insurer, entered as data. While one is in force its route counts as open;
// afterwards one trial shows whether the insurer is back, as after any outage.
import { and, desc, eq, gt, lt, sql } from 'drizzle-orm';
import { z } from 'zod';
import { businessNow, type Db, type Tx } from '../db/db.ts';
import { outage } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { type Route, route, staffRoles } from '../http/route.ts';
import { idOf, listReply, pageQuery, shortText, timeReply, timeText } from '../http/schemas.ts';
import { newId } from '../ids.ts';

/** Provinces announce hours, at a change of platform some days; a wrong year is a slip of the pen. */
const MAX_DAYS = 31;
const DAY_MS = 86_400_000;

const routeName = z.enum(['local', 'crossRegion']);

const windowBody = z
  .strictObject({ route: routeName, startsAt: timeText, endsAt: timeText, reason: shortText(200) })
  .refine((window) => window.endsAt > window.startsAt, {
    path: ['endsAt'],
    message: 'expects a time after startsAt',
  })
  .refine((window) => +window.endsAt - +window.startsAt <= MAX_DAYS * DAY_MS, {
    path: ['endsAt'],
    message: `expects ${MAX_DAYS} days at most`,
  });

const windowReply = z
  .object({
    id: idOf('outage'),
    route: routeName,
    startsAt: timeReply,
    endsAt: timeReply,
    reason: z.string(),
  })
  .meta({ id: 'PlannedWindow' });

const windowParams = z.object({ windowId: idOf('outage') });
const shared = { tag: 'Operations', problems: [] } as const;

export const windowRoutes: Route[] = [
  route({
    ...shared,
    method: 'post',
    path: '/v1/insurance/planned-windows',
    operationId: 'planWindow',
    summary: '登记计划停机 Enter a time in which the insurer will be off',
    roles: ['admin'],
    idempotency: 'required',
    body: windowBody,
    replies: { 201: windowReply },
    handler: (call) =>
      once(call, async (tx) => ({ status: 201, body: await planWindow(tx, call.body) })),
  }),
  route({
    ...shared,
    method: 'get',
    path: '/v1/insurance/planned-windows',
    operationId: 'listPlannedWindows',
    summary: '计划停机清单 Planned windows, latest entered first',
    roles: staffRoles,
    idempotency: 'none',
    query: pageQuery.extend({ route: routeName.optional() }),
    replies: { 200: listReply(windowReply) },
    handler: async ({ deps, query }) => {
      const [before] = readCursor(query.cursor, z.tuple([idOf('outage')])) ?? [null];
      const filter = and(
        eq(outage.isPlanned, true),
        query.route && eq(outage.route, query.route),
        before ? lt(outage.id, before) : undefined,
      );
      const found = await deps.db
        .select()
        .from(outage)
        .where(filter)
        .orderBy(desc(outage.id))
        .limit(query.limit + 1);
      const { data, nextCursor } = page(found, query.limit, (row) => [row.id]);
      return { status: 200, body: { data: data.map(windowView), nextCursor } };
    },
  }),
  route({
    ...shared,
    method: 'get',
    path: '/v1/insurance/planned-windows/{windowId}',
    operationId: 'readPlannedWindow',
    summary: '计划停机 A planned window',
    roles: staffRoles,
    idempotency: 'none',
    params: windowParams,
    replies: { 200: windowReply },
    handler: async ({ deps, params }) => ({
      status: 200,
      body: windowView(await findWindow(deps.db, params.windowId)),
    }),
  }),
  route({
    ...shared,
    method: 'delete',
    path: '/v1/insurance/planned-windows/{windowId}',
    operationId: 'withdrawPlannedWindow',
    summary: '取消计划停机 Withdraw a window, or end the one in force now',
    roles: ['admin'],
    idempotency: 'none',
    params: windowParams,
    replies: { 204: null },
    problems: ['insurance/window-over'],
    handler: (call) =>
      once(call, async (tx) => {
        await withdrawWindow(tx, call.params.windowId);
        return { status: 204 };
      }),
  }),
];

type WindowRow = typeof outage.$inferSelect;

function windowView(row: WindowRow) {
  const { id, reason, startsAt, endsAt } = row;
  // A planned window always has an end: it is entered with one.
  const end = (endsAt ?? startsAt).toISOString();
  return { id, route: row.route, startsAt: startsAt.toISOString(), endsAt: end, reason };
}

/** Refuses with request/invalid a window that is over already (by business time). */
async function planWindow(tx: Tx, body: z.output<typeof windowBody>) {
  if (body.endsAt <= (await businessNow(tx))) {
    throw new Refusal('request/invalid', {
      errors: [{ pointer: '/endsAt', detail: 'expects a time to come' }],
    });
  }
  const [row] = await tx
    .insert(outage)
    .values({ id: newId('outage'), isPlanned: true, ...body })
    .returning();
  if (!row) throw new Error('the window was not inserted');
  return windowView(row);
}

async function findWindow(tx: Tx | Db, windowId: string): Promise<WindowRow> {
  const [row] = await tx
    .select()
    .from(outage)
    .where(and(eq(outage.id, windowId), eq(outage.isPlanned, true)));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** One that has not begun is forgotten; one in force ends now and stays on record. */
async function withdrawWindow(tx: Tx, windowId: string): Promise<void> {
  await findWindow(tx, windowId);
  const isIt = eq(outage.id, windowId);
  const forgotten = await tx
    .delete(outage)
    .where(and(isIt, gt(outage.startsAt, sql`business_now()`)))
    .returning();
  if (forgotten.length > 0) return;
  const ended = await tx
    .update(outage)
    .set({ endsAt: sql`business_now()` })
    .where(and(isIt, gt(outage.endsAt, sql`business_now()`)))
    .returning();
  if (ended.length === 0) throw new Refusal('insurance/window-over');
}
