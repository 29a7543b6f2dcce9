// Laws between settlements and the books: every tender, refund and money back has its legs.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

const tenderLegsAreBilled = agree(
  'Within a settlement the tender legs less what is refundable, plus arrears, are what is billed',
  sql`
    select settlement_id as id,
      sum(amount) filter (where account in
        ('1101', '1102', '1104', '1201', '1202', '1203', '1205', '2305', '4102', '2203',
         '1207'))::bigint
        as a,
      -sum(amount) filter (where account = '4101')::bigint as b
    from posting where owner_kind = 'H' and settlement_id is not null group by settlement_id`,
);

const billedIsTotal = agree(
  'H4101 of a settlement is its total less its completed refunds',
  sql`
    select s.id, s.total - coalesce(r.amount, 0) as a, p.billed as b
    from settlement s
    left join (
      select settlement_id, sum(amount)::bigint as amount
      from refund where status = 'completed' group by settlement_id
    ) r on r.settlement_id = s.id
    left join (
      select settlement_id, -sum(amount)::bigint as billed
      from posting where owner_kind = 'H' and account = '4101' group by settlement_id
    ) p on p.settlement_id = s.id`,
);

/**
 * Over the entries that make tenders; refunds change neither tenders nor these legs. A conversion that
 * pays arrears (what a refund left of a cancelled claim) shows its parts in place of that claim's.
 */
const tendersInBooks = agree(
  'The tenders of a settlement stand in the books as settled, collected or converted',
  sql`
    with part (kind, account) as (values
      ('insuranceFund', '1201'), ('personalAccount', '1202'), ('familyAccount', '1202'),
      ('credit', '1203'), ('hospitalBorne', '4102')),
    arrears_paid as materialized (
      select s.id, sum(p.amount)::bigint - s.arrears as amount
      from settlement s join posting p on p.settlement_id = s.id
      join journal_entry e on e.id = p.entry_id
      where p.owner_kind = 'H' and p.account = '1207' and p.amount > 0
        and e.fact = 'refund.completed'
      group by s.id having sum(p.amount) <> s.arrears
    )
    select settlement_id || ' H' || account as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (select settlement_id, a, b,
      case when account in ('1201', '1202', '4102')
        and settlement_id in (select id from arrears_paid) then 'insurer' else account end as account
    from (
      select t.settlement_id, coalesce(part.account, '1101') as account, t.amount as a,
        0::bigint as b
      from tender t left join part on part.kind = t.kind
      union all
      select id, '1207', due_at_counter, 0 from settlement
      union all
      -- Counter takings as a whole: a conversion owes them back (2203) without naming the drawer.
      select p.settlement_id,
        case when p.account in ('1104', '1205', '2203', '2305') then '1101' else p.account end,
        0, p.amount
      from posting p join journal_entry e on e.id = p.entry_id
      where p.owner_kind = 'H' and p.settlement_id is not null
        and p.account in
          ('1101', '1104', '1201', '1202', '1203', '1205', '1207', '2203', '2305', '4102')
        and e.fact in
          ('settlement.settled', 'settlement.paymentCollected', 'settlement.converted')
      union all
      select id, '1207', 0, amount from arrears_paid
      union all
      select id, 'insurer', 0, -amount from arrears_paid
    ) parts) sides
    group by settlement_id, account`,
);

const nothingNegative = holdsForEach(
  'No settlement has negative arrears, or owes its patient less than nothing',
  sql`
    select settlement_id || ' H' || account as id,
      case account when '2203' then sum(amount) <= 0 else sum(amount) >= 0 end as holds
    from posting
    where owner_kind = 'H' and account in ('1207', '2203') and settlement_id is not null
    group by settlement_id, account`,
);

export const settlementBooksLaws: readonly Law[] = [
  tenderLegsAreBilled,
  billedIsTotal,
  tendersInBooks,
  nothingNegative,
];
