// Kinship that the registry cannot prove: papers named by the payer, checked by a person of finance.
// Law: maker and checker decide (finance/resolve-proposal.ts); until then the link gives no credit.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { familyLink } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { closeCasesAbout } from '../finance/case-store.ts';
import { openCase } from '../finance/open-case.ts';
import { logLooks } from '../identity/access-log.ts';
import { statusAt } from './link.ts';
import { type LinkRow, openPapers, peopleOf, saveLink, tellBoth } from './link-store.ts';

/** The kind of finance case that such a link opens. */
export const PAPERS_CASE = 'family/kinship-papers';

/** Opens the case; what the papers say stays encrypted on the link. */
export async function openPapersCase(tx: Tx, row: LinkRow, now: Date): Promise<void> {
  await openCase(tx, {
    kind: PAPERS_CASE,
    subjectId: row.id,
    hospitalCode: null,
    reason: '亲属关系待核实 kinship to be checked by papers',
    detail: { linkKind: row.kind },
    now,
  });
}

/** What the person who checks must see: both people and the papers, whole. The look is logged. */
export async function papersToCheck(
  deps: Pick<Deps, 'db' | 'keyring' | 'realNow'>,
  linkId: string,
  actor: string,
) {
  const { db } = deps;
  const [row] = await db.select().from(familyLink).where(eq(familyLink.id, linkId));
  const papers = row && openPapers(deps.keyring, row);
  if (!papers) return null;
  const { payer, beneficiary } = await peopleOf(db, deps.keyring, row);
  const at = deps.realNow();
  const look = { actor, hospitalCode: null, action: 'kinshipPapers.read', at } as const;
  await logLooks(db, [payer.id, beneficiary.id], look);
  const shown = ({ name, idNumber }: typeof payer) => ({ name, idNumber });
  const { kind, number } = papers;
  return { payer: shown(payer), beneficiary: shown(beneficiary), papers: { kind, number } };
}

/** Proves the kinship (a child's or an accepted link is active at once) or ends the link, as approved. */
export async function decideKinship(
  tx: Tx,
  linkId: string,
  decision: 'proven' | 'refused',
): Promise<void> {
  const [found] = await tx.select().from(familyLink).where(eq(familyLink.id, linkId)).for('update');
  if (!found) throw new Refusal('resource/not-found');
  const row = found as LinkRow;
  const now = await businessNow(tx);
  if (statusAt(row, now) === 'ended') throw new Refusal('family/link-ended');
  await closeCasesAbout(tx, row.id, decision);
  if (decision === 'refused') {
    const end = { status: 'ended', endedAt: now, endReason: 'kinshipRefused' };
    return tellBoth(tx, await saveLink(tx, row, end), 'familyLink.ended', now);
  }
  const status = row.acceptedAt ? 'active' : 'pending';
  const saved = await saveLink(tx, row, { proof: 'papers', status });
  if (status === 'active') await tellBoth(tx, saved, 'familyLink.active', now);
}
