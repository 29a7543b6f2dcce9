// Law: an entry and all its legs are recorded together, once per fact and subject, and never change.
import { type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { together } from '../db/statements.ts';
import { newId } from '../ids.ts';
import { balanced, type Entry } from './journal.ts';

/**
 * Posts a lawful entry in one statement. `recordedAt` is business time now; the entry belongs to
 * that business day, whenever it occurred. A second entry of the same fact about the same subject
 * violates `journal_entry_fact`; undoing more than is left of a leg violates `posting_undone`.
 */
export async function postEntry(tx: Tx, entry: Entry): Promise<{ entryId: string }> {
  const { entryId, parts } = entryParts(entry);
  await together(tx, parts);
  return { entryId };
}

/** `postEntry` as parts of a larger statement. */
export function entryParts(entry: Entry): {
  entryId: string;
  parts: { entry: SQL; posted: SQL };
} {
  const { fact, subjectId, settlementId, occurredAt, legs } = balanced(entry);
  const entryId = newId('entry');
  const parts = {
    entry: sql`
      insert into journal_entry
        (id, fact, subject_id, settlement_id, leg_count, occurred_at, recorded_at, business_date)
      select ${entryId}::text, ${fact}::text, ${subjectId}::text, ${settlementId ?? null}::text,
        ${legs.length}::int, ${occurredAt.toISOString()}::timestamptz, clock.at,
        business_date(clock.at)
      from (select business_now() as at offset 0) as clock
      returning id, leg_count, settlement_id, occurred_at`,
    posted: sql`
      insert into posting
        (entry_id, leg, leg_count, owner_kind, owner, account, amount, counterparty, citizen_id,
         settlement_id, claim_id, reference, shift_id, occurred_at, undoes_entry_id, undoes_leg)
      select e.id, l.leg, e.leg_count, l."ownerKind", l.owner, l.account, l.amount, l.counterparty,
        l."citizenId", coalesce(l."settlementId", e.settlement_id), l."claimId", l.reference,
        l."shiftId", e.occurred_at, l."undoesEntryId", l."undoesLeg"
      from entry e, jsonb_to_recordset(${legsAsJson(legs)}::jsonb) as l (
        leg int, "ownerKind" text, owner text, account text, amount bigint, counterparty text,
        "citizenId" text, "settlementId" text, "claimId" text, reference text,
        "shiftId" text, "undoesEntryId" text, "undoesLeg" int)
      order by l.leg`,
  };
  return { entryId, parts };
}

/** Amounts travel as text: a JSON number would be a float on the way. */
function legsAsJson(legs: Entry['legs']): string {
  return JSON.stringify(
    legs.map(({ undoes, amount, ...leg }, index) => ({
      ...leg,
      leg: index + 1,
      amount: amount.toString(),
      undoesEntryId: undoes?.entryId,
      undoesLeg: undoes?.leg,
    })),
  );
}
