// Finance: what becomes of a person's objection to a report; a maker proposes, another person approves.
import { z } from 'zod';
import type { Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { once } from '../http/idempotency.ts';
import { type CallerOf, callerOf, route } from '../http/route.ts';
import { shortText } from '../http/schemas.ts';
import { logLooks } from '../identity/access-log.ts';
import { OBJECTION_CASE, objectionText } from '../repayment/object-to-report.ts';
import { type CaseRow, findCase } from './case-store.ts';
import { insertProposal, type ProposalRow, proposalView } from './proposal-store.ts';
import { caseParams, proposalReply } from './schemas.ts';

const objectionDecision = z.strictObject({
  decision: z.enum(['upheld', 'refused']).meta({
    description: 'upheld: nothing is reported; refused: it is reported',
  }),
  reason: shortText(200),
});

/** Decides on an objection, once a second person approves. */
export const objectionRoute = route({
  tag: 'Finance',
  method: 'post',
  roles: ['financeMaker'],
  idempotency: 'required',
  path: '/v1/finance-cases/{caseId}/objection',
  operationId: 'proposeObjectionDecision',
  summary: '申请裁定异议 Propose whether an objection to a report is upheld or refused',
  params: caseParams,
  body: objectionDecision,
  replies: { 202: proposalReply },
  problems: ['resource/not-found', 'finance/case-closed', 'finance/proposal-open'],
  handler: (call) =>
    once(call, async (tx) => {
      const maker = callerOf(call, 'staff');
      const row = await proposeDecision(tx, maker, call.params.caseId, call.body);
      return { status: 202, body: proposalView(row) };
    }),
});

async function proposeDecision(
  tx: Tx,
  maker: CallerOf<'staff'>,
  caseId: string,
  order: z.output<typeof objectionDecision>,
): Promise<ProposalRow> {
  const row = await findCase(tx, maker, caseId);
  if (row.kind !== OBJECTION_CASE) throw new Refusal('resource/not-found');
  if (row.status !== 'open') throw new Refusal('finance/case-closed');
  return insertProposal(tx, maker, {
    kind: 'decideObjection',
    subjectId: row.id,
    hospitalCode: null,
    reason: order.reason,
    detail: { reportId: row.subjectId, decision: order.decision },
  });
}

/** The person's own words with an open case of an objection; they see that staff read them. */
export async function objectionOf(
  deps: Deps,
  staff: CallerOf<'staff'>,
  row: CaseRow,
): Promise<{ objection?: string }> {
  if (row.kind !== OBJECTION_CASE || row.status !== 'open') return {};
  const found = await objectionText(deps.db, deps.keyring, row.subjectId);
  if (!found) return {};
  const look = { actor: staff.client, hospitalCode: null, at: deps.realNow() };
  await logLooks(deps.db, [found.citizenId], { ...look, action: 'scoreReport.readByStaff' });
  return { objection: found.text };
}
