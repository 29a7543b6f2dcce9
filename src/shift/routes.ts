// Counter: a cashier's shift at a terminal, from its opening float to the count of the drawer.
import { once } from '../http/idempotency.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { closeShift } from './close-shift.ts';
import { openShift } from './open-shift.ts';
import {
  closeBody,
  closedReply,
  closedView,
  openBody,
  shiftParams,
  shiftReply,
  shiftView,
} from './schemas.ts';
import { expectedIn, findOpenShift } from './shift-store.ts';

const counter = { tag: 'Counter', roles: ['terminal'] } as const;

export const shiftRoutes: Route[] = [
  route({
    ...counter,
    method: 'post',
    path: '/v1/shifts',
    operationId: 'openShift',
    summary: '开班 Open a shift at this terminal',
    idempotency: 'required',
    body: openBody,
    replies: { 201: shiftReply },
    problems: ['shift/open'],
    handler: (call) =>
      once(call, async (tx) => {
        const row = await openShift(tx, call.deps, callerOf(call, 'terminal'), call.body);
        return { status: 201, body: shiftView(row, row.openingFloat, call.deps.keyring.open) };
      }),
  }),
  route({
    ...counter,
    method: 'get',
    path: '/v1/shifts/current',
    operationId: 'readCurrentShift',
    summary: '当前班次 The open shift of this terminal and what its drawer should hold',
    idempotency: 'none',
    replies: { 200: shiftReply },
    problems: ['resource/not-found'],
    handler: async (call) => {
      const { db, keyring } = call.deps;
      const row = await findOpenShift(db, callerOf(call, 'terminal').terminalId);
      return { status: 200, body: shiftView(row, await expectedIn(db, row), keyring.open) };
    },
  }),
  route({
    ...counter,
    method: 'post',
    path: '/v1/shifts/{shiftId}/close',
    operationId: 'closeShift',
    summary: '结班 Close a shift: the drawer is counted, what is over or short is a break',
    idempotency: 'required',
    params: shiftParams,
    body: closeBody,
    replies: { 200: closedReply },
    problems: ['resource/not-found', 'shift/closed'],
    handler: (call) =>
      once(call, async (tx) => {
        const order = { shiftId: call.params.shiftId, ...call.body };
        const row = await closeShift(tx, callerOf(call, 'terminal'), order);
        return { status: 200, body: closedView(row, call.deps.keyring.open) };
      }),
  }),
];
