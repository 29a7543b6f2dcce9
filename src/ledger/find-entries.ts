// Journal entries with their legs, newest first, for finance to read and export.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import type { Fen } from '../money.ts';
import type { OwnerKind } from './chart.ts';

export interface EntryFilter {
  /** YYYY-MM-DD, Asia/Shanghai. */
  businessDate?: string | undefined;
  settlementId?: string | undefined;
  account?: string | undefined;
  ownerKind?: OwnerKind | undefined;
  owner?: string | undefined;
  /** Only entries with legs in this hospital's books, and of them only those legs. */
  hospitalCode?: string | undefined;
}

export interface FoundLeg {
  leg: number;
  ownerKind: OwnerKind;
  owner: string;
  account: string;
  /** Fen, debit positive. */
  amount: Fen;
  undone: Fen;
  counterparty: string | null;
  citizenId: string | null;
  settlementId: string | null;
  claimId: string | null;
  reference: string | null;
  undoesEntryId: string | null;
  undoesLeg: number | null;
}

export interface FoundEntry {
  id: string;
  fact: string;
  subjectId: string;
  settlementId: string | null;
  occurredAt: Date;
  recordedAt: Date;
  businessDate: string;
  legs: FoundLeg[];
}

interface EntryRow extends FoundLeg {
  id: string;
  fact: string;
  subjectId: string;
  entrySettlementId: string | null;
  occurredAt: string;
  recordedAt: string;
  businessDate: string;
}

/**
 * Entries that have a leg which fits the filter, at most `limit`, older than the entry `before`.
 * Ids are UUIDv7, so their order is the order of recording.
 */
export async function findEntries(
  db: Db,
  filter: EntryFilter,
  slice: { limit: number; before: string | null },
): Promise<FoundEntry[]> {
  const found = await rows<EntryRow>(
    db,
    sql`
    with chosen as (
      select e.* from journal_entry e
      where (${slice.before}::text is null or e.id < ${slice.before})
        and (${filter.businessDate ?? null}::date is null
          or e.business_date = ${filter.businessDate ?? null}::date)
        and exists (
          select from posting p where p.entry_id = e.id
            and (${filter.settlementId ?? null}::text is null
              or p.settlement_id = ${filter.settlementId ?? null})
            and (${filter.account ?? null}::text is null or p.account = ${filter.account ?? null})
            and (${filter.ownerKind ?? null}::text is null
              or p.owner_kind = ${filter.ownerKind ?? null})
            and (${filter.owner ?? null}::text is null or p.owner = ${filter.owner ?? null})
            and ${isShown(filter)})
      order by e.id desc limit ${slice.limit}
    )
    select e.id, e.fact, e.subject_id as "subjectId", e.settlement_id as "entrySettlementId",
      e.occurred_at as "occurredAt", e.recorded_at as "recordedAt",
      e.business_date::text as "businessDate", p.leg, p.owner_kind as "ownerKind", p.owner,
      p.account, p.amount, p.undone, p.counterparty, p.citizen_id as "citizenId",
      p.settlement_id as "settlementId", p.claim_id as "claimId", p.reference,
      p.undoes_entry_id as "undoesEntryId", p.undoes_leg as "undoesLeg"
    from chosen e join posting p on p.entry_id = e.id and ${isShown(filter)}
    order by e.id desc, p.leg`,
  );
  return groupLegs(found);
}

function isShown(filter: EntryFilter) {
  const hospital = filter.hospitalCode ?? null;
  return sql`(${hospital}::text is null or (p.owner_kind = 'H' and p.owner = ${hospital}))`;
}

function groupLegs(found: readonly EntryRow[]): FoundEntry[] {
  const entries = new Map<string, FoundEntry>();
  for (const row of found) {
    const { id, fact, subjectId, entrySettlementId, occurredAt, recordedAt, businessDate, ...leg } =
      row;
    const entry = entries.get(id) ?? {
      id,
      fact,
      subjectId,
      settlementId: entrySettlementId,
      occurredAt: new Date(occurredAt),
      recordedAt: new Date(recordedAt),
      businessDate,
      legs: [],
    };
    entry.legs.push(leg);
    entries.set(id, entry);
  }
  return [...entries.values()];
}
