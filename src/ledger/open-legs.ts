// What a settlement has in the books and how much of each leg is left to undo.
import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import type { OpenLeg } from './undo.ts';

export type { OpenLeg } from './undo.ts';
export { undoLegs } from './undo.ts';

/** A leg as JSON carries it: fen as text. */
export type SentLeg = Omit<OpenLeg, 'amount' | 'undone'> & Record<'amount' | 'undone', string>;

/**
 * The legs of a settlement that are not wholly undone, newest first. The caller holds the
 * settlement's row lock; without it the database still refuses an undo beyond a leg's amount.
 */
export async function openLegs(tx: Tx, settlementId: string): Promise<OpenLeg[]> {
  const [found] = await rows<{ legs: SentLeg[] }>(tx, sql`select ${legsOf(settlementId)} as legs`);
  return found?.legs.map(legOf) ?? [];
}

/** `openLegs` as an expression, a JSON array for `legOf`. */
export const legsOf = (settlementId: string): SQL => sql`(
  select coalesce(jsonb_agg(jsonb_build_object('entryId', p.entry_id, 'leg', p.leg,
    'fact', e.fact, 'ownerKind', p.owner_kind, 'owner', p.owner, 'account', p.account,
    'amount', p.amount::text, 'undone', p.undone::text, 'counterparty', p.counterparty,
    'citizenId', p.citizen_id, 'settlementId', p.settlement_id, 'claimId', p.claim_id,
    'reference', p.reference) order by e.recorded_at desc, p.entry_id desc, p.leg desc), '[]')
  from posting p join journal_entry e on e.id = p.entry_id
  where p.settlement_id = ${settlementId} and p.undone < abs(p.amount))`;

export const legOf = (sent: SentLeg): OpenLeg => ({
  ...sent,
  amount: BigInt(sent.amount),
  undone: BigInt(sent.undone),
});
