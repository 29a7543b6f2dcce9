// What the insurer said on the way is kept for the next run, whatever became of this one.
import { eq } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { storeAnswer } from '../insurance/message-store.ts';
import { sealPerson } from '../insurance/person.ts';
import type { ClaimResult } from './claim-run.ts';

/** Saves the answer that no later message stored, the insured person and the registration. */
export async function keepLearnt(
  tx: Tx,
  deps: Deps,
  visitId: string,
  claim: ClaimResult | { outcome: 'skipped' },
): Promise<void> {
  if (claim.outcome === 'skipped') return;
  const { unsaved, person, mdtrtId, filing } = claim;
  if (unsaved) await storeAnswer(tx, deps.keyring, unsaved.msgid, unsaved.answer);
  if (!person) return;
  await tx
    .update(visit)
    .set({
      insuredPerson: sealPerson(deps.keyring, person),
      ...(mdtrtId ? { mdtrtId } : {}),
      ...(filing ? { filing } : {}),
    })
    .where(eq(visit.id, visitId));
}
