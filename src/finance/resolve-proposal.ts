// A checker approves or declines what a maker proposed. Law: they are two people, always; the effect
// of an approval is in its own transaction, so it happens once or not at all.
import { eq } from 'drizzle-orm';
import { z } from 'zod';
import { closeConversion } from '../conversion/close-conversion.ts';
import { findConversion } from '../conversion/conversion-store.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { proposal } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { decideKinship } from '../family/papers.ts';
import type { CallerOf } from '../http/route.ts';
import { applyRemedy } from '../reconciliation/apply-remedy.ts';
import { decideObjection } from '../repayment/object-to-report.ts';
import { closeCase, closeCasesAbout } from './case-store.ts';
import { lockProposal, type ProposalKind, type ProposalRow } from './proposal-store.ts';
import { setMeaning } from './unlisted-text-store.ts';

type Effect = (tx: Tx, checker: CallerOf<'staff'>, row: ProposalRow) => Promise<void>;

const classified = z.object({
  region: z.string(),
  infno: z.string(),
  text: z.string(),
  meaning: z.string(),
});
const objection = z.object({ reportId: z.string(), decision: z.enum(['upheld', 'refused']) });
const kinship = z.object({ linkId: z.string(), decision: z.enum(['proven', 'refused']) });

const effects: Record<ProposalKind, Effect> = {
  closeConversion: async (tx, checker, row) => {
    const found = await findConversion(tx, row.subjectId, checker);
    await closeConversion(tx, found, row.reason);
    await closeCasesAbout(tx, row.subjectId, row.reason);
  },
  closeCase: (tx, _checker, row) => closeCase(tx, row.subjectId, row.reason),
  classText: (tx, _checker, row) =>
    setMeaning(tx, { ...classified.parse(row.detail), setBy: row.maker }),
  decideKinship: (tx, _checker, row) => {
    const { linkId, decision } = kinship.parse(row.detail);
    return decideKinship(tx, linkId, decision);
  },
  decideObjection: async (tx, _checker, row) => {
    const { reportId, decision } = objection.parse(row.detail);
    await decideObjection(tx, reportId, decision);
    await closeCase(tx, row.subjectId, row.reason);
  },
  breakRemedy: applyRemedy,
};

/**
 * Refuses with resource/not-found, finance/same-person, finance/proposal-resolved, and as the effect
 * does: then the proposal stays open.
 */
export async function resolveProposal(
  tx: Tx,
  checker: CallerOf<'staff'>,
  order: { proposalId: string; decision: 'approved' | 'declined'; reason?: string | undefined },
): Promise<ProposalRow> {
  const row = await lockProposal(tx, checker, order.proposalId);
  if (row.maker === checker.client) throw new Refusal('finance/same-person');
  if (row.status !== 'proposed') throw new Refusal('finance/proposal-resolved');
  if (order.decision === 'approved') await effects[row.kind as ProposalKind](tx, checker, row);
  const [saved] = await tx
    .update(proposal)
    .set({
      status: order.decision,
      checker: checker.client,
      resolvedAt: await businessNow(tx),
      ...(order.reason
        ? { detail: { ...(row.detail as object), checkerReason: order.reason } }
        : {}),
    })
    .where(eq(proposal.id, row.id))
    .returning();
  assert(saved, 'the locked proposal is there');
  return saved;
}
