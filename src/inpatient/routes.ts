// Counter: discharge of inpatients and its cancelling.
import { transact } from '../db/db.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { visitParams, visitReply } from '../visit/schemas.ts';
import { visitView } from '../visit/visit-store.ts';
import { cancelDischarge } from './cancel-discharge.ts';
import { dischargeVisit } from './discharge-visit.ts';
import { dischargeBody } from './schemas.ts';

const counter = { tag: 'Counter', roles: ['terminal'] } as const;

export const inpatientRoutes: Route[] = [
  route({
    ...counter,
    method: 'post',
    path: '/v1/visits/{visitId}/discharge',
    operationId: 'dischargeVisit',
    summary: '出院 Discharge an inpatient; the next settlement closes the stay',
    idempotency: 'required',
    params: visitParams,
    body: dischargeBody,
    isBodyOptional: true,
    replies: { 200: visitReply },
    problems: ['resource/not-found', 'visit/settling', 'visit/wrong-state'],
    handler: (call) =>
      dischargeVisit({
        deps: call.deps,
        key: call.key,
        caller: callerOf(call, 'terminal'),
        visitId: call.params.visitId,
        request: call.body,
      }),
  }),
  route({
    ...counter,
    method: 'delete',
    path: '/v1/visits/{visitId}/discharge',
    operationId: 'cancelDischarge',
    summary: '取消出院 Cancel a discharge whose settlement is not made or refunded',
    idempotency: 'none',
    params: visitParams,
    replies: { 200: visitReply },
    problems: [
      'resource/not-found',
      'visit/settling',
      'visit/wrong-state',
      'visit/already-settled',
    ],
    handler: (call) =>
      transact(call.deps.db, async (tx) => {
        const { hospitalCode } = callerOf(call, 'terminal');
        const row = await cancelDischarge(tx, call.deps, hospitalCode, call.params.visitId);
        return { status: 200, body: await visitView(tx, call.deps.keyring, row) };
      }),
  }),
];
