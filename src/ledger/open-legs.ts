// What a settlement has in the books and how much of each leg is left to undo.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import type { OpenLeg } from './undo.ts';

export type { OpenLeg } from './undo.ts';
export { undoLegs } from './undo.ts';

/**
 * The legs of a settlement that are not wholly undone, newest first. The caller holds the
 * settlement's row lock; without it the database still refuses an undo beyond a leg's amount.
 */
export async function openLegs(tx: Tx, settlementId: string): Promise<OpenLeg[]> {
  return rows<OpenLeg>(
    tx,
    sql`
    select p.entry_id as "entryId", p.leg, e.fact, p.owner_kind as "ownerKind", p.owner, p.account,
      p.amount, p.undone, p.counterparty, p.citizen_id as "citizenId",
      p.settlement_id as "settlementId", p.claim_id as "claimId", p.reference
    from posting p join journal_entry e on e.id = p.entry_id
    where p.settlement_id = ${settlementId} and p.undone < abs(p.amount)
    order by e.recorded_at desc, p.entry_id desc, p.leg desc`,
  );
}
