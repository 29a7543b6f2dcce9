// Laws of money that goes back: lines, refunds and what each tender gave back agree.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

const refundedWithinLine = holdsForEach(
  'No charge line is refunded for more than its quantity or amount',
  sql`
    select visit_id || ' line ' || line_number as id,
      refunded_amount between 0 and amount and refunded_quantity between 0 and quantity
      and (refunded_quantity < quantity or refunded_amount = amount) as holds
    from charge where refunded_amount <> 0 or refunded_quantity <> 0`,
);

/** A refund under way may have taken its lines already, or may take them when it completes. */
const refundsAreLines = holdsForEach(
  'What is refunded of the lines of a settlement is the sum of its refunds',
  sql`
    select s.id, coalesce(l.amount, 0) between coalesce(r.completed, 0)
        and coalesce(r.completed, 0) + coalesce(r.processing, 0)
      and s.refundable between s.total - coalesce(r.completed, 0) - coalesce(r.processing, 0)
        and s.total - coalesce(r.completed, 0) as holds
    from settlement s
    left join (
      select settlement_id,
        sum(amount) filter (where status = 'completed')::bigint as completed,
        sum(amount) filter (where status = 'processing')::bigint as processing
      from refund group by settlement_id
    ) r on r.settlement_id = s.id
    left join (
      select b.settlement_id, sum(c.refunded_amount)::bigint as amount
      from charge_batch b join charge c on c.visit_id = b.visit_id and c.batch = b.batch
      group by b.settlement_id
    ) l on l.settlement_id = s.id`,
);

const statusIsRefunded = holdsForEach(
  'A settlement is refunded when nothing is left of it, partly refunded when something came back',
  sql`
    select s.id, case s.status
        when 'refunded' then r.amount = s.total
        when 'partlyRefunded' then r.amount < s.total
        else coalesce(r.amount, 0) < s.total or s.total = 0 end as holds
    from settlement s
    left join (
      select settlement_id, sum(amount)::bigint as amount
      from refund where status = 'completed' group by settlement_id
    ) r on r.settlement_id = s.id`,
);

const moneyOnItsWay = agree(
  'H2203 and B2201 of a settlement are the money that is still on its way back',
  sql`
    select settlement_id || ' ' || account as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select settlement_id, case when kind = 'credit' then '2201' else '2203' end as account,
        amount as a, 0::bigint as b
      from money_back where not is_reduction and status <> 'done'
      union all
      select settlement_id, account, 0, -amount from posting
      where settlement_id is not null
        and (owner_kind = 'H' and account = '2203' or owner_kind = 'B' and account = '2201')
    ) sides
    group by settlement_id, account`,
);

/** A conversion writes its tenders anew and a repayment may meet no debt: neither is a refund's. */
const tendersGaveBack = agree(
  'What each kind of tender, and what was due, gave back by refunds is their money back',
  sql`
    select settlement_id || ' ' || kind as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select settlement_id, kind, given_back as a, 0::bigint as b from tender
      union all
      select id, 'dueAtCounter', due_reduced + arrears_reduced, 0 from settlement
      union all
      select m.settlement_id, m.kind, 0, m.amount from money_back m
      join refund r on r.id = m.cause_id
    ) sides
    where kind not in ('insuranceFund', 'personalAccount', 'familyAccount', 'hospitalBorne')
    group by settlement_id, kind`,
);

export const refundLaws: readonly Law[] = [
  refundedWithinLine,
  refundsAreLines,
  statusIsRefunded,
  moneyOnItsWay,
  tendersGaveBack,
];
