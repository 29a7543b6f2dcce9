// Law: what a refund or conversion gives back of credit reduces what is still owed first (later
// instalments first); only what was repaid already becomes money to send back (domain.md, books.md 3b).
// What the lender wrote off comes first of all: it is no longer claimed then (books.md, last line).
// All of it goes to the payer of then, and off what the hold counts in its month on the family link.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { assert } from '../errors.ts';
import { type Fen, sumFen } from '../money.ts';
import { countedCte, monthOf } from './family-sql.ts';
import { hasPlan, takeOffPlan } from './instalments.ts';
import { needsRestoring, restoreLine } from './restore-line.ts';

export interface GivenBack {
  receivableId: string;
  lineId: string;
  /** The payer of then. */
  citizenId: string;
  lender: string;
  /** Fen no longer owed: B 2101 / 1301. */
  reduced: Fen;
  /** Fen that the lender had written off and no longer claims: B 2101 / 5102, 9302 / 9301. */
  writtenOff: Fen;
  /** Fen that was repaid already, to be paid back to the repaying account: B 2101 / 2201. */
  repaid: Fen;
}

interface GivenBackRow {
  id: string;
  line_id: string;
  citizen_id: string;
  lender: string;
  reduced: Fen;
  written_off: Fen;
  repaid: Fen;
  needs_restoring: boolean;
  has_plan: boolean;
}

/**
 * Gives `amount` fen of a settlement's credit tender back: lowers its receivables and the line's
 * outstanding in one statement. The caller holds the settlement's lock, never gives back more than
 * the tender (tender.givenBack), and posts the entry.
 */
export async function giveBackCredit(
  tx: Tx,
  wish: { settlementId: string; amount: Fen },
): Promise<{ reduced: Fen; writtenOff: Fen; repaid: Fen; parts: GivenBack[] }> {
  if (wish.amount === 0n) return { reduced: 0n, writtenOff: 0n, repaid: 0n, parts: [] };
  const found = await rows<GivenBackRow>(
    tx,
    sql`
    with line as materialized (
      select l.id, ${needsRestoring} as needs_restoring from credit_line l
      where l.id in (select line_id from receivable where settlement_id = ${wish.settlementId})
      order by l.id for update of l
    ),
    link as materialized (
      select f.id, f.used_by_month from family_link f
      where f.id in (
        select h.family_link_id from line join receivable r on r.line_id = line.id
          join hold h on h.id = r.hold_id
        where r.settlement_id = ${wish.settlementId})
      order by f.id for update of f
    ),
    -- Asking the link first makes it be locked first, in the order that all verbs keep.
    mine as materialized (
      select r.*, line.needs_restoring, ${hasPlan} as has_plan from receivable r join line on line.id = r.line_id
      where r.settlement_id = ${wish.settlementId} and (select count(*) from link) >= 0
      order by r.id for update of r
    ),
    ranked as (
      select m.*, m.amount - m.paid - m.reduced - m.written_off as owed,
        row_number() over (order by m.due_at desc, m.id desc) as rank from mine m
    ),
    forgiven as (
      select r.*, greatest(0, least(r.written_off, ${wish.amount}::bigint
        - coalesce((select sum(o.written_off) from ranked o where o.rank < r.rank), 0)))::bigint
          as forgiven_by
      from ranked r
    ),
    lowered as (
      select r.*, greatest(0, least(r.owed, ${wish.amount}::bigint
        - (select sum(forgiven_by) from forgiven)
        - coalesce((select sum(o.owed) from ranked o where o.rank < r.rank), 0)))::bigint as reduced_by
      from forgiven r
    ),
    split as (
      select l.*, greatest(0, least(l.paid, ${wish.amount}::bigint
        - (select sum(forgiven_by + reduced_by) from lowered)
        - coalesce((select sum(o.paid) from lowered o where o.rank < l.rank), 0)))::bigint as repaid_by
      from lowered l
    ),
    changed as (
      update receivable set reduced = receivable.reduced + s.reduced_by + s.forgiven_by,
        written_off = receivable.written_off - s.forgiven_by,
        -- A debt that is erased was never overdue.
        overdue_at = case when s.owed > s.reduced_by then receivable.overdue_at end
      from split s where receivable.id = s.id and s.reduced_by + s.forgiven_by > 0
    ),
    ${countedCte(sql`
      select h.family_link_id as link_id, ${monthOf(sql`h.placed_at`)} as month,
        -(s.forgiven_by + s.reduced_by + s.repaid_by) as delta
      from split s join hold h on h.id = s.hold_id`)},
    moved as (
      update credit_line set outstanding = credit_line.outstanding - s.reduced_by
      from (select line_id, sum(reduced_by)::bigint as reduced_by from split group by line_id) s
      where credit_line.id = s.line_id
    )
    select id, line_id, citizen_id, lender, reduced_by as reduced, forgiven_by as written_off,
      repaid_by as repaid, needs_restoring, has_plan
    from split where forgiven_by + reduced_by + repaid_by > 0 order by rank`,
  );
  const parts = found.map((row) => ({
    receivableId: row.id,
    lineId: row.line_id,
    citizenId: row.citizen_id,
    lender: row.lender,
    reduced: row.reduced,
    writtenOff: row.written_off,
    repaid: row.repaid,
  }));
  const reduced = sumFen(parts.map((part) => part.reduced));
  const repaid = sumFen(parts.map((part) => part.repaid));
  const writtenOff = sumFen(parts.map((part) => part.writtenOff));
  const all = writtenOff + reduced + repaid;
  assert(all === wish.amount, `credit of ${wish.settlementId} has less to give back`);
  for (const row of found) {
    if (row.has_plan && row.reduced > 0n) await takeOffPlan(tx, row.id, row.reduced, 'last');
    if (row.needs_restoring) await restoreLine(tx, row.line_id);
  }
  return { reduced, writtenOff, repaid, parts };
}
