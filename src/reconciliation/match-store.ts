// Matching in SQL: totals of every bill by kind first, then only what differs is looked at. Law: a rule joins
// two bills only if each fits the other alone; whatever fits several is ambiguous and left to a person.
import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import type { Counterparty } from './break-catalogue.ts';

/** A visit number that differs is worth a look; remarks and message ids are not the same words on purpose. */
const comparesKey2 = (counterparty: Counterparty) => counterparty === 'hospital';

/** 64 bits of it: for a million groups, comparing them costs a third of what comparing texts does. */
const shortKey2 = sql`hashtextextended(key2, 0)`;

/**
 * Finds every bill that does not agree by its first key: diff_ours and diff_theirs have its rows. One
 * grouping of both sides is a full join by (bill, kind) with many-to-one and one-to-many in it.
 */
export async function findDifferent(tx: Tx, counterparty: Counterparty): Promise<void> {
  await tx.execute(sql`
    create temp table different on commit drop as
    select distinct bill from (
      select bill from (
        select bill, kind, amount, ${shortKey2} as key2, false as fee, 1 as o, 0 as t from our_row
        union all
        select bill, kind, -amount, ${shortKey2}, has_wrong_fee, 0, 1 from their_row
      ) both_sides
      group by bill, kind
      having sum(amount) <> 0 or max(o) = 0 or max(t) = 0 or bool_or(fee)
        or (${comparesKey2(counterparty)}::boolean and min(key2) <> max(key2))
    ) differing`);
  await tx.execute(sql`create temp table diff_ours on commit drop as
    select r.* from our_row r join different d on d.bill = r.bill`);
  await tx.execute(sql`create temp table diff_theirs on commit drop as
    select r.*, false as is_ambiguous from their_row r join different d on d.bill = r.bill`);
  await tx.execute(
    sql`alter table diff_ours add column is_ambiguous boolean not null default false`,
  );
  await tx.execute(sql`analyze diff_ours`);
  await tx.execute(sql`analyze diff_theirs`);
}

/** Joins what stands alone on both sides by further keys; what several fit is marked. */
export async function joinByRules(tx: Tx, counterparty: Counterparty): Promise<void> {
  switch (counterparty) {
    case 'hospital':
      await joinPairs(tx, 'settlementId', sql`t.alt = o.settlement_id`);
      // A receipt that only one side numbers, or numbers otherwise: the visit, then visit and amount.
      await joinPairs(tx, 'visitNumber', sql`t.key2 = o.key2 and t.total = o.total`);
      await joinVisits(tx);
      await joinPairs(tx, 'visitNumber', sql`t.key2 = o.key2`);
      return markAmbiguous(tx, sql`t.key2 = o.key2 and t.total > 0 and o.total > 0`);
    case 'insurer':
      return joinPairs(tx, 'msgid', sql`t.key2 = o.key2 and sign(t.total) = sign(o.total)`);
    case 'bank':
      // Remarks are cut: what is left of one must still be the beginning of our key, or hold it whole.
      await joinPairs(
        tx,
        'remark',
        sql`t.total = o.total and length(t.key2) >= 12
          and (position(o.bill in t.key2) > 0 or starts_with(o.bill, t.key2))`,
      );
      await joinPairs(tx, 'amount', sql`t.bill like 'row %' and t.total = o.total`);
      return markAmbiguous(tx, sql`t.bill like 'row %' and t.total = o.total`);
    case 'wechatPay':
    case 'alipay':
      // A refund under another number than ours: its payment and its money, if only one of each fits.
      return joinPairs(tx, 'original', sql`t.original = o.key2 and t.total = o.total`);
  }
  return counterparty satisfies never;
}

/** Bills of one side only, one row each, with their money. */
const alone = sql`
  only_ours as materialized (
    select bill, max(key2) as key2, max(settlement_id) as settlement_id,
      coalesce(sum(amount) filter (where not is_part), 0) as total
    from diff_ours o where not exists (select from diff_theirs t where t.bill = o.bill) group by bill),
  only_theirs as materialized (
    select bill, max(key2) as key2, max(alt) as alt,
      max(original) as original, coalesce(sum(amount) filter (where not is_part), 0) as total
    from diff_theirs t where not exists (select from diff_ours o where o.bill = t.bill) group by bill)`;

/** The rows of theirs take our bill's key where the condition fits one and one only, both ways. */
async function joinPairs(tx: Tx, via: string, condition: SQL): Promise<void> {
  await tx.execute(sql`
    with ${alone},
    pair as (
      select o.bill as ours, t.bill as theirs, count(*) over (partition by o.bill) as of_ours,
        count(*) over (partition by t.bill) as of_theirs
      from only_ours o join only_theirs t on ${condition}
    )
    update diff_theirs d set bill = p.ours, via = ${via}
    from pair p where p.of_ours = 1 and p.of_theirs = 1 and d.bill = p.theirs`);
}

/** Several bills of one visit on either side whose kinds sum alike: they are one. */
async function joinVisits(tx: Tx): Promise<void> {
  await tx.execute(sql`
    with ${alone},
    kind_sum as (
      select key2, kind, sum(amount) as left_over, max(o) as o, max(t) as t from (
        select o.key2, d.kind, d.amount, 1 as o, 0 as t
        from only_ours o join diff_ours d on d.bill = o.bill
        union all
        select t.key2, d.kind, -d.amount, 0, 1 from only_theirs t join diff_theirs d on d.bill = t.bill
      ) sides where key2 is not null group by key2, kind
    ),
    even as (
      select key2 from kind_sum group by key2
      having bool_and(left_over = 0) and max(o) = 1 and max(t) = 1
    ),
    ours as (
      update diff_ours d set bill = 'visit ' || o.key2 from only_ours o join even e on e.key2 = o.key2
      where d.bill = o.bill
    )
    update diff_theirs d set bill = 'visit ' || t.key2, via = 'visit'
    from only_theirs t join even e on e.key2 = t.key2 where d.bill = t.bill`);
}

async function markAmbiguous(tx: Tx, condition: SQL): Promise<void> {
  await tx.execute(sql`
    with ${alone},
    pair as (select o.bill as ours, t.bill as theirs from only_ours o join only_theirs t on ${condition}),
    ours as (
      update diff_ours d set is_ambiguous = true from pair p where d.bill = p.ours
    )
    update diff_theirs d set is_ambiguous = true from pair p where d.bill = p.theirs`);
}

/** Numbers what still differs after the rules, in the order of its keys. Returns how many. */
export async function listDifferences(tx: Tx, counterparty: Counterparty): Promise<number> {
  await tx.execute(sql`
    create temp table difference on commit drop as
    select row_number() over (order by bill)::int as n, bill from (
      select bill from (
        select bill, kind, amount, key2, false as fee, 1 as o, 0 as t, is_ambiguous, null as via
        from diff_ours
        union all
        select bill, kind, -amount, key2, has_wrong_fee, 0, 1, is_ambiguous, via from diff_theirs
      ) both_sides
      group by bill, kind
      having sum(amount) <> 0 or max(o) = 0 or max(t) = 0 or bool_or(fee) or bool_or(is_ambiguous)
        or (${comparesKey2(counterparty)}::boolean and min(key2) <> max(key2))
        or (max(via) in ('settlementId', 'visitNumber') and bill not like 'set\\_%')
    ) differing group by bill`);
  await tx.execute(sql`analyze difference`);
  const [row] = await rows<{ count: number }>(
    tx,
    sql`select count(*)::int as count from difference`,
  );
  return row?.count ?? 0;
}

/** How many rows of theirs are part of a difference. */
export async function countDiffering(tx: Tx): Promise<number> {
  const [row] = await rows<{ differing: number }>(
    tx,
    sql`
    select count(*)::int as differing
    from diff_theirs t join difference d on d.bill = t.bill where not t.is_part`,
  );
  return row?.differing ?? 0;
}

/** A row of ours within a difference. */
export interface OurSide {
  kind: string;
  amount: string;
  isPart: boolean;
  settlementId: string | null;
  subjectId: string | null;
  at: string | null;
  isLate: boolean;
  awaits: boolean;
}

/** A row of theirs, with the file's own words as evidence. */
export interface TheirSide {
  row: number;
  kind: string;
  amount: string;
  isPart: boolean;
  original: string | null;
  hasWrongFee: boolean;
  via: string | null;
  key2: string | null;
  alt: string | null;
  /** As staged: see detailOf. */
  detail: string;
}

export interface Difference {
  n: number;
  bill: string;
  isAmbiguous: boolean;
  hasOtherKey: boolean;
  ours: OurSide[] | null;
  theirs: TheirSide[] | null;
}

/** Differences n > after, in order. */
export function readDifferences(
  tx: Tx,
  counterparty: Counterparty,
  window: { after: number; count: number },
): Promise<Difference[]> {
  return rows<Difference>(
    tx,
    sql`
    with chosen as materialized (
      select n, bill from difference where n > ${window.after}::int
      order by n limit ${window.count}::int),
    ours as (
      select c.n, bool_or(o.is_ambiguous) as ambiguous, max(o.key2) as key2,
        jsonb_agg(jsonb_build_object('kind', o.kind, 'amount', o.amount::text, 'isPart', o.is_part,
          'settlementId', o.settlement_id, 'subjectId', o.subject_id, 'at', o.at,
          'isLate', o.is_late_capture, 'awaits', o.awaits_insurance) order by o.kind, o.amount) as side
      from chosen c join diff_ours o on o.bill = c.bill group by c.n),
    theirs as (
      select c.n, bool_or(t.is_ambiguous) as ambiguous, min(t.key2) as low, max(t.key2) as high,
        max(t.via) as via,
        jsonb_agg(jsonb_build_object('row', t.n, 'kind', t.kind, 'amount', t.amount::text,
          'isPart', t.is_part, 'original', t.original, 'hasWrongFee', t.has_wrong_fee, 'via', t.via,
          'key2', t.key2, 'alt', t.alt, 'detail', t.detail) order by t.n, t.kind) as side
      from chosen c join diff_theirs t on t.bill = c.bill group by c.n)
    select c.n, c.bill, coalesce(o.ambiguous, false) or coalesce(t.ambiguous, false) as "isAmbiguous",
      coalesce(${comparesKey2(counterparty)}::boolean and (o.key2 <> t.low or o.key2 <> t.high), false)
        or coalesce(t.via in ('settlementId', 'visitNumber') and c.bill not like 'set\\_%', false)
        as "hasOtherKey",
      o.side as ours, t.side as theirs
    from chosen c left join ours o on o.n = c.n left join theirs t on t.n = c.n order by c.n`,
  );
}
