// What the insurer said on the way is kept for the next run, whatever became of this one.
import { eq } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { storeAnswer } from '../insurance/message-store.ts';
import { sealPerson } from '../insurance/person.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import type { ClaimResult } from './claim-run.ts';

/** What the visit's row keeps of a run. */
export type Learnt = Partial<Pick<VisitRow, 'insuredPerson' | 'mdtrtId' | 'filing'>>;

/** Empty when the run learnt nothing. */
export function learntOf(
  deps: Pick<Deps, 'keyring'>,
  claim: ClaimResult | { outcome: 'skipped' },
): Learnt {
  if (claim.outcome === 'skipped' || !claim.person) return {};
  const { person, mdtrtId, filing } = claim;
  return {
    insuredPerson: sealPerson(deps.keyring, person),
    ...(mdtrtId ? { mdtrtId } : {}),
    ...(filing ? { filing } : {}),
  };
}

/** Saves the answer that no later message stored, the insured person and the registration. */
export async function keepLearnt(
  tx: Tx,
  deps: Deps,
  visitId: string,
  claim: ClaimResult | { outcome: 'skipped' },
): Promise<void> {
  if (claim.outcome === 'skipped') return;
  const { unsaved } = claim;
  if (unsaved) await storeAnswer(tx, deps.keyring, unsaved.msgid, unsaved.answer);
  const learnt = learntOf(deps, claim);
  if (!learnt.insuredPerson) return;
  await tx.update(visit).set(learnt).where(eq(visit.id, visitId));
}
