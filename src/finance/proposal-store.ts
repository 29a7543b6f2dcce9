// Rows of proposals. Law: what finance changes is proposed by one person and approved by another; the
// database refuses the same person too (proposal_four_eyes).
import { and, desc, eq, lt } from 'drizzle-orm';
import { businessNow, type Db, type Tx } from '../db/db.ts';
import { proposal } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { newId } from '../ids.ts';

/** What may be proposed; resolve-proposal.ts has the effect of each. */
export const proposalKinds = [
  'closeConversion',
  'closeCase',
  'classText',
  'decideKinship',
  'decideObjection',
  'breakRemedy',
] as const;
export type ProposalKind = (typeof proposalKinds)[number];

export const proposalStatuses = ['proposed', 'approved', 'declined'] as const;

export type ProposalRow = typeof proposal.$inferSelect;

/** One open proposal a kind and subject: else 409 finance/proposal-open. */
export async function insertProposal(
  tx: Tx,
  maker: CallerOf<'staff'>,
  order: {
    kind: ProposalKind;
    subjectId: string;
    hospitalCode: string | null;
    reason: string;
    detail?: Record<string, unknown>;
  },
): Promise<ProposalRow> {
  const { kind, subjectId, hospitalCode, reason, detail = {} } = order;
  const [row] = await tx
    .insert(proposal)
    .values({
      id: newId('proposal'),
      kind,
      subjectId,
      hospitalCode,
      detail,
      reason,
      maker: maker.client,
      status: 'proposed',
      createdAt: await businessNow(tx),
    })
    .onConflictDoNothing()
    .returning();
  if (!row) throw new Refusal('finance/proposal-open');
  return row;
}

/** A proposal that this person may see, locked; 404 for another hospital's. */
export async function lockProposal(
  tx: Tx,
  staff: CallerOf<'staff'>,
  id: string,
): Promise<ProposalRow> {
  const [row] = await tx
    .select()
    .from(proposal)
    .where(and(eq(proposal.id, id), ownHospital(staff)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Newest first, from before the cursor id on. */
export function listProposals(
  db: Db,
  staff: CallerOf<'staff'>,
  filter: { status?: string | undefined; kind?: string | undefined },
  window: { before: string | null; count: number },
): Promise<ProposalRow[]> {
  return db
    .select()
    .from(proposal)
    .where(
      and(
        ownHospital(staff),
        filter.status ? eq(proposal.status, filter.status) : undefined,
        filter.kind ? eq(proposal.kind, filter.kind) : undefined,
        window.before ? lt(proposal.id, window.before) : undefined,
      ),
    )
    .orderBy(desc(proposal.id))
    .limit(window.count);
}

/** A role limited to one hospital sees what is about that hospital; the city's is for the city's. */
function ownHospital(staff: CallerOf<'staff'>) {
  return staff.hospitalCode ? eq(proposal.hospitalCode, staff.hospitalCode) : undefined;
}

/** A proposal as finance sees it. */
export function proposalView(row: ProposalRow) {
  return {
    id: row.id,
    kind: row.kind,
    subjectId: row.subjectId,
    status: row.status,
    hospitalCode: row.hospitalCode,
    reason: row.reason,
    detail: row.detail,
    maker: row.maker,
    checker: row.checker,
    createdAt: row.createdAt.toISOString(),
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
  };
}
