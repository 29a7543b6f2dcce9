// What else is known of a bill that stands alone or differs: on which other day it is ours, whether the same
// money is matched elsewhere. Evidence for classify-break.ts; nothing is decided here.
import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import type { Compared } from './our-rows.ts';

export interface FoundFacts {
  n: number;
  hasMatchedTwin: boolean;
  daysApart: number | null;
  isOriginalOurs: boolean;
  isNearCutoff: boolean;
  /** Where the bill is ours, if it is. */
  settlementId: string | null;
}

/** From this time of the day on the other side may already write the next day. */
const CUTOFF_TIME = '23:30';

/** Facts of the differences from `first` to `last`. */
export function findFacts(
  tx: Tx,
  what: Compared,
  span: { first: number; last: number },
): Promise<FoundFacts[]> {
  return rows<FoundFacts>(
    tx,
    sql`
    with chosen as materialized (
      select n, bill from difference where n between ${span.first}::int and ${span.last}::int),
    o as materialized (
      select c.n, max(r.key2) as key2, max(r.at) as at, max(r.settlement_id) as settlement_id,
        coalesce(sum(r.amount) filter (where not r.is_part), 0) as total
      from chosen c join diff_ours r on r.bill = c.bill group by c.n),
    t as materialized (
      select c.n, c.bill, max(r.key2) as key2, max(r.alt) as alt, max(r.original) as original,
        max(r.day) as day, coalesce(sum(r.amount) filter (where not r.is_part), 0) as total
      from chosen c join diff_theirs r on r.bill = c.bill group by c.n, c.bill),
    our_twin as materialized (
      select t.n from t join our_row r on not r.is_part
        and (r.settlement_id = t.alt or r.key2 = t.key2)
      where not exists (select from o where o.n = t.n)
        and not exists (select from difference d where d.bill = r.bill)
      group by t.n, t.total, r.bill having sum(r.amount) = t.total),
    their_twin as materialized (
      select o.n from o join their_row r on not r.is_part and r.key2 = o.key2
      where not exists (select from t where t.n = o.n)
        and not exists (select from difference d where d.bill = r.bill)
      group by o.n, o.total, r.bill having sum(r.amount) = o.total),
    elsewhere as materialized (
      select e.*, ${agreesThere(what)} as agrees_there
      from (${elsewhere(what)}) e join t on t.n = e.n
      where e.day <> ${what.businessDate}::date),
    original as materialized (${original(what)})
    select c.n,
      c.n in (select n from our_twin) or c.n in (select n from their_twin)
        or exists (select from elsewhere e where e.n = c.n and e.is_same and e.agrees_there)
        as "hasMatchedTwin",
      (select (t.day - e.day) from t join elsewhere e on e.n = t.n
        where t.n = c.n and e.is_same and not e.agrees_there
        order by abs(t.day - e.day) limit 1) as "daysApart",
      exists (select from original i where i.n = c.n) as "isOriginalOurs",
      coalesce((select (o.at at time zone 'Asia/Shanghai')::time >= ${CUTOFF_TIME}::time
        from o where o.n = c.n), false) as "isNearCutoff",
      coalesce((select o.settlement_id from o where o.n = c.n),
        (select e.settlement_id from elsewhere e where e.n = c.n limit 1),
        (select i.settlement_id from original i where i.n = c.n limit 1)) as "settlementId"
    from chosen c order by c.n`,
  );
}

const here = (column: SQL, what: Compared) =>
  what.hospitalCode ? sql`${column} = ${what.hospitalCode}` : sql`true`;

/** That day was compared, and the bill is no open difference of it. */
const agreesThere = (what: Compared) => sql`(
  exists (select from reconciliation r where r.counterparty = ${what.counterparty}
    and r.scope = ${what.hospitalCode ?? what.lender ?? ''} and r.business_date = e.day and r.status = 'done')
  and not exists (select from reconciliation_break b where b.counterparty = ${what.counterparty}
    and b.scope = ${what.hospitalCode ?? what.lender ?? ''} and b.business_date = e.day
    and b.subject = e.day::text || ' ' || t.bill
    and (b.status <> 'cleared' or b.resolution ? 'counterDate')))`;

/** (n, day, settlement_id, is_same: of the same amount): where a bill of theirs stands in our books, of the same direction. */
function elsewhere(what: Compared): SQL {
  switch (what.counterparty) {
    case 'hospital':
      return sql`
        select t.n, s.business_date as day, s.id as settlement_id,
          t.total in (s.total, s.total - s.due_at_counter) as is_same
        from t join used_reference u on u.kind = 'receipt' and u.reference = t.bill
          and ${here(sql`u.hospital_code`, what)}
        join settlement s on s.id = u.settlement_id where t.total >= 0
        union all
        select t.n, s.business_date, s.id, t.total in (s.total, s.total - s.due_at_counter)
        from t join settlement s on s.id = t.alt
          and ${here(sql`s.hospital_code`, what)} where t.total >= 0
        union all
        select t.n, business_date(r.resolved_at), r.settlement_id, r.amount = -t.total
        from t join used_reference u on u.kind = 'receipt' and u.reference = t.original
          and ${here(sql`u.hospital_code`, what)}
        join refund r on r.settlement_id = u.settlement_id and r.status = 'completed'
        where t.total < 0`;
    case 'wechatPay':
    case 'alipay':
      return sql`
        select t.n, business_date(k.paid_at) as day, k.settlement_id, k.amount = t.total as is_same
        from t join used_reference u on u.kind = ${what.counterparty} and u.reference = t.bill
          and ${here(sql`u.hospital_code`, what)}
        join tender k on k.settlement_id = u.settlement_id and k.reference = u.reference
          and k.kind = u.kind where t.total >= 0
        union all
        select t.n, business_date(m.resolved_at), m.settlement_id, m.amount = -t.total
        from t join money_back m on m.id = t.bill where t.total < 0 and m.resolved_at is not null`;
    case 'insurer':
      return sql`
        select t.n, business_date(case when t.total < 0 then c.reversed_at else c.setl_time end) as day,
          c.settlement_id, c.total = abs(t.total) as is_same
        from t join claim c on ${here(sql`c.hospital_code`, what)}
          and case when t.total < 0 then c.reversal_setl_id else c.setl_id end = t.bill`;
    case 'bank':
      return sql`
        select t.n, business_date(p.sent_at) as day, null::text as settlement_id,
          p.amount = t.total as is_same
        from t join payout p on p.end_to_end_id = t.bill where p.sent_at is not null`;
  }
  return what.counterparty satisfies never;
}

/** (n, settlement_id): a refund of theirs whose payment is ours. */
function original(what: Compared): SQL {
  switch (what.counterparty) {
    case 'hospital':
      return sql`
        select t.n, u.settlement_id from t join used_reference u
          on u.kind = 'receipt' and u.reference = t.original and ${here(sql`u.hospital_code`, what)}`;
    case 'wechatPay':
    case 'alipay':
      return sql`
        select t.n, u.settlement_id from t join used_reference u
          on u.kind = ${what.counterparty} and u.reference = t.original
          and ${here(sql`u.hospital_code`, what)}`;
    case 'insurer':
    case 'bank':
      return sql`select n, null::text as settlement_id from t where false`;
  }
  return what.counterparty satisfies never;
}
