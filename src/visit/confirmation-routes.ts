// The payer's own word on a large hold, over HTTP: in the app, and by a second credential at the counter.
import { z } from 'zod';
import { once, peekKey } from '../http/idempotency.ts';
import { page, readCursor } from '../http/paging.ts';
import { callerOf, type Route, route } from '../http/route.ts';
import { idOf, listReply, pageQuery, timeReply, yuanReply } from '../http/schemas.ts';
import { credentialSchema } from '../identity/credential-schema.ts';
import { answerInApp, confirmAtCounter, identifySecond } from './confirm-hold.ts';
import { listWaiting, readConfirmation } from './confirmation-store.ts';
import { creditDeclines, identityProblems } from './problems.ts';
import { holdConfirmationReply, visitParams, visitReply } from './schemas.ts';
import { visitView } from './visit-store.ts';

const myConfirmationReply = holdConfirmationReply.extend({
  visitId: idOf('visit'),
  hospital: z.object({ code: z.string(), name: z.string() }),
  /** Masked; null while the patient of an emergency is unnamed. */
  patient: z.object({ name: z.string() }).nullable(),
  isOwnVisit: z.boolean(),
  amount: yuanReply,
  createdAt: timeReply,
});

const params = z.strictObject({ confirmationId: idOf('holdConfirmation') });
const common = { tag: 'Citizen', roles: ['citizen'] } as const;
const closed = [
  'resource/not-found',
  'hold/confirmation-closed',
  'visit/settling',
  'visit/wrong-state',
] as const;

const answers = [
  {
    path: '/v1/me/confirmations/{confirmationId}/confirm',
    operationId: 'confirmHold',
    summary: '同意大额占用 Agree to a large hold on my line',
    status: 'confirmed',
    problems: [...closed, ...creditDeclines],
  },
  {
    path: '/v1/me/confirmations/{confirmationId}/decline',
    operationId: 'declineHold',
    summary: '拒绝大额占用 Refuse a large hold on my line',
    status: 'declined',
    problems: closed,
  },
] as const;

export const confirmationRoutes: Route[] = [
  route({
    ...common,
    method: 'get',
    path: '/v1/me/confirmations',
    operationId: 'listMyConfirmations',
    summary: '待我确认的占用 Holds that wait for my word',
    idempotency: 'none',
    query: pageQuery,
    replies: { 200: listReply(myConfirmationReply) },
    problems: [],
    handler: async (call) => {
      const { citizenId } = callerOf(call, 'citizen');
      const { cursor, limit } = call.query;
      const [afterId] = readCursor(cursor, z.tuple([z.string()])) ?? [''];
      const found = await listWaiting(call.deps, citizenId, { afterId, limit: limit + 1 });
      return { status: 200, body: page(found, limit, (row) => [row.id]) };
    },
  }),
  ...answers.map(({ path, operationId, summary, status, problems }) =>
    route({
      ...common,
      method: 'post',
      path,
      operationId,
      summary,
      idempotency: 'optional',
      params,
      replies: { 200: myConfirmationReply },
      problems,
      handler: (call) =>
        once(call, async (tx) => {
          const { citizenId: payerCitizenId } = callerOf(call, 'citizen');
          const { confirmationId } = call.params;
          await answerInApp(tx, { confirmationId, payerCitizenId, status });
          const { keyring } = call.deps;
          return { status: 200, body: await readConfirmation({ db: tx, keyring }, confirmationId) };
        }),
    }),
  ),
  route({
    method: 'post',
    path: '/v1/visits/{visitId}/hold-confirmation',
    operationId: 'confirmHoldAtCounter',
    tag: 'Counter',
    roles: ['terminal'],
    summary: '付款人出示第二凭证 The payer’s second credential for a large hold',
    idempotency: 'required',
    params: visitParams,
    body: z.strictObject({ credential: credentialSchema }),
    replies: { 200: visitReply },
    problems: [...closed, 'identity/stronger-needed', ...identityProblems, ...creditDeclines],
    handler: async (call) => {
      const { deps, key, params: at, body } = call;
      const replay = await peekKey(deps.db, key);
      if (replay) return replay;
      const terminal = callerOf(call, 'terminal');
      const order = { visitId: at.visitId, credential: body.credential };
      const shown = await identifySecond(deps, terminal, order);
      return once(call, async (tx) => {
        const row = await confirmAtCounter(tx, deps, { visitId: at.visitId, terminal, shown });
        return { status: 200, body: await visitView(tx, deps.keyring, row) };
      });
    },
  }),
];
