// What a neighbouring day explains. Law: two days explain each other only if their rows of one bill sum to nothing
// kind by kind; a corrected file that explains nothing any more opens again what its first version had cleared.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { breakCatalogue } from './break-catalogue.ts';
import type { Run } from './save-differences.ts';

/** How far apart the two sides of one thing may be written: long holidays. A conversion takes its own time. */
const PAIR_DAYS = 10;

/** Open breaks of other days, and those that an earlier version of this day's file cleared. */
const isNeighbour = (run: Run) => sql`(b.counterparty = ${run.counterparty}
  and b.scope = ${run.scope} and b.business_date <> ${run.businessDate}::date
  and ((b.status = 'open' and (b.kind = 'conversionPending' or b.business_date
      between ${run.businessDate}::date - ${PAIR_DAYS}::int and ${run.businessDate}::date + ${PAIR_DAYS}::int))
    or (b.status = 'cleared' and b.resolution ->> 'counterDate' = ${run.businessDate})))`;

/** The bill agrees in this file, on its own. */
const agreesToday = sql`(exists (select from their_row t where t.bill = substr(b.subject, 12))
  and exists (select from our_row o where o.bill = substr(b.subject, 12))
  and not exists (select from difference d where d.bill = substr(b.subject, 12)))`;

/** A side of a break's evidence as rows; what has too many rows to be kept whole explains nothing. */
const kept = (side: 'ours' | 'theirs', sign: 1 | -1) => sql`
  select e ->> 'kind' as kind, ${sign}::int * replace(e ->> 'amount', '.', '')::bigint as amount
  from jsonb_array_elements(b.evidence -> ${side}) e`;
const isWhole = sql`(jsonb_array_length(b.evidence -> 'ours') < 20
  and jsonb_array_length(b.evidence -> 'theirs') < 20)`;

/**
 * The counter-row turned up: a break of another day and what differs today, or (for a bank) agrees. The old
 * one is cleared, today's is none.
 */
export async function clearPaired(tx: Tx, run: Run): Promise<void> {
  await tx.execute(sql`
    with pair as materialized (
      select b.id, d.n, d.bill from reconciliation_break b
      join difference d on d.bill = substr(b.subject, 12) where ${isNeighbour(run)} and ${isWhole}
    ),
    explained as materialized (
      select id, n from (
        select id, n, kind, sum(amount) as left_over from (
          select p.id, p.n, o.kind, o.amount from pair p join diff_ours o on o.bill = p.bill
          union all
          select p.id, p.n, t.kind, -t.amount from pair p join diff_theirs t on t.bill = p.bill
          union all
          select p.id, p.n, e.kind, e.amount from pair p join reconciliation_break b on b.id = p.id
          cross join lateral (${kept('ours', 1)} union all ${kept('theirs', -1)}) e
        ) sides group by id, n, kind
      ) sums group by id, n having bool_and(left_over = 0)
    ),
    matched as materialized (
      select b.id from reconciliation_break b
      where ${run.counterparty === 'bank'}::boolean and ${isNeighbour(run)}
        and b.their_amount is null and ${agreesToday}
    ),
    ended as materialized (select id from explained union select id from matched),
    cleared as (
      update reconciliation_break b set status = 'cleared', resolved_at = business_now(),
        version = version + 1, kind = case when kind in ('missingAtHospital', 'missingAtBank',
          'missingAtInsurer', 'missingAtPlatform') then 'dateCutoff' else kind end,
        resolution = jsonb_build_object('by', 'reconciliation', 'reconciliationId', ${run.id}::text,
          'counterDate', ${run.businessDate}::text, 'kind', kind)
      where b.status = 'open' and b.id in (select id from ended)
    ),
    reopened as (
      update reconciliation_break b set status = 'open', resolved_at = null, version = version + 1,
        kind = coalesce(b.resolution ->> 'kind', b.kind), resolution = null
      where b.status = 'cleared' and ${isNeighbour(run)} and b.id not in (select id from ended)
        and not exists (select from reconciliation_break other where other.status = 'open'
          and other.counterparty = b.counterparty and other.scope = b.scope
          and other.subject = b.subject)
    )
    delete from difference d using explained e where d.n = e.n`);
}

/** What was taken for a matter of days, but agrees today as well, stands twice on the other side. */
export async function findRepeated(tx: Tx, run: Run): Promise<void> {
  const { isSelfClearing, remedy } = breakCatalogue.duplicateExternal;
  await rows(
    tx,
    sql`
    update reconciliation_break b set kind = 'duplicateExternal', version = version + 1,
      is_self_clearing = ${isSelfClearing}::boolean, remedy = ${remedy}
    where b.status = 'open' and b.kind = 'dateCutoff' and b.our_amount is null
      and ${isNeighbour(run)} and ${agreesToday} returning 1`,
  );
}
