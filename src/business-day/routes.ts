// Finance: business days, what they came to, and their close.
import { z } from 'zod';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route, staffRoles } from '../http/route.ts';
import { businessDateText, listReply, pageQuery } from '../http/schemas.ts';
import { closeDay } from './close-day.ts';
import { breaksOf } from './day-breaks.ts';
import { findDay, listDays } from './day-store.ts';
import { totalsOf } from './day-totals.ts';
import { dayParams, dayReply, daySummaryReply, dayView, openView, summaryView } from './schemas.ts';

const reading = { tag: 'Finance', method: 'get', roles: staffRoles, idempotency: 'none' } as const;

export const businessDayRoutes: Route[] = [
  route({
    ...reading,
    path: '/v1/business-days',
    operationId: 'listBusinessDays',
    summary: '业务日清单 Business days that are closed or over, newest first',
    query: pageQuery,
    replies: { 200: listReply(daySummaryReply) },
    problems: [],
    handler: async ({ deps, query }) => {
      const [before] = readCursor(query.cursor, z.tuple([businessDateText])) ?? [null];
      const found = await listDays(deps.db, { before, count: query.limit + 1 });
      const { data, nextCursor } = page(found, query.limit, (row) => [row.date]);
      return { status: 200, body: { data: data.map(summaryView), nextCursor } };
    },
  }),
  route({
    ...reading,
    path: '/v1/business-days/{date}',
    operationId: 'readBusinessDay',
    summary: '业务日 What a business day came to; a role of one hospital sees its own part',
    params: dayParams,
    replies: { 200: dayReply },
    problems: [],
    handler: async (call) => {
      const { db } = call.deps;
      const { date } = call.params;
      const { hospitalCode } = callerOf(call, 'staff');
      const row = await findDay(db, date);
      if (row?.status === 'closed' && !hospitalCode) return { status: 200, body: dayView(row) };
      // What was found since the look after midnight is shown, too.
      const breaks = await breaksOf(db, date, hospitalCode);
      if (row && !hospitalCode) return { status: 200, body: { ...dayView(row), breaks } };
      const totals = await totalsOf(db, date, hospitalCode);
      const seen = openView(date, totals, breaks);
      return { status: 200, body: row ? { ...seen, ...summaryView(row) } : seen };
    },
  }),
  route({
    tag: 'Finance',
    method: 'post',
    // Nothing is proposed: a close only freezes what is there, and it may be either's daily act.
    roles: ['financeMaker', 'financeChecker'],
    idempotency: 'required',
    path: '/v1/business-days/{date}/close',
    operationId: 'closeBusinessDay',
    summary: '日终关账 Close a business day: frozen by a hash chained to the day before',
    params: dayParams,
    replies: { 200: dayReply },
    problems: ['day/not-in-order', 'day/breaks-unowned'],
    handler: (call) =>
      once(call, async (tx) => {
        const staff = callerOf(call, 'staff');
        // The city's books close as a whole.
        if (staff.hospitalCode) throw new Refusal('access/forbidden');
        const row = await closeDay(tx, staff.client, call.params.date);
        return { status: 200, body: dayView(row) };
      }),
  }),
];
