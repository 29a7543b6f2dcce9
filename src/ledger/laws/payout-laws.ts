// Laws of payouts: every leg of H1203 is paid once, and the books show each payout's state.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

/** Statuses whose legs are paid by nobody: they wait for another payout. */
const dead = sql`('declined', 'returned')`;

const payoutSums = agree(
  'A payout pays the sum of what it lists',
  sql`
    select y.id, y.amount as a, l.amount as b
    from payout y left join (
      select payout_id, sum(amount)::bigint as amount from payout_leg group by payout_id
    ) l on l.payout_id = y.id`,
);

const legsAreFree = holdsForEach(
  'What a payout lists is free again once it was declined or returned, and only then',
  sql`
    select l.payout_id || ' leg ' || l.position as id,
      l.is_live = (y.status not in ${dead}) as holds
    from payout_leg l left join payout y on y.id = l.payout_id`,
);

const legsAreReal = holdsForEach(
  'What a payout lists is a leg of H1203 of its hospital and lender, as posted by the end of its day',
  sql`
    select l.payout_id || ' leg ' || l.position as id,
      p.owner_kind = 'H' and p.account = '1203' and p.owner = y.hospital_code
        and p.counterparty = y.lender and p.amount = l.amount
        and p.settlement_id is not distinct from l.settlement_id
        and e.business_date <= y.business_date and e.fact not like 'payout.%' as holds
    from payout_leg l
    left join payout y on y.id = l.payout_id
    left join posting p on p.entry_id = l.entry_id and p.leg = l.leg
    left join journal_entry e on e.id = l.entry_id
    where l.kind <> 'carried'`,
);

const paidOnce = holdsForEach(
  'No leg is in two living payouts',
  sql`
    select coalesce(entry_id || ' leg ' || leg, carried_from) as id,
      count(*) filter (where is_live) <= 1 as holds
    from payout_leg group by entry_id, leg, carried_from`,
);

const carriedWhole = holdsForEach(
  'A negative payout is carried whole, into the one payout that lists it',
  sql`
    select y.id, y.amount <= 0 and case when y.carried_into is null then l.payout_id is null
        else l.payout_id = y.carried_into and l.amount = y.amount end as holds
    from payout y left join payout_leg l on l.carried_from = y.id and l.is_live
    where y.status = 'carried'`,
);

/** H1203 of the payout's own entries, then H1103 and H1102: each as its state wants it. */
const entriesOfState = holdsForEach(
  'A payout has the entries of its state: in transit once sent, at the bank once paid, none once returned',
  sql`
    select coalesce(y.id, p.subject_id) as id,
      coalesce(p.owed, 0) = case when y.status in ('sent', 'paid') then -y.amount else 0 end
      and coalesce(p.transit, 0) = case when y.status = 'sent' then y.amount else 0 end
      and coalesce(p.bank, 0) = case when y.status = 'paid' then y.amount else 0 end as holds
    from payout y full join (
      select e.subject_id, sum(p.amount) filter (where p.account = '1203') as owed,
        sum(p.amount) filter (where p.account = '1103') as transit,
        sum(p.amount) filter (where p.account = '1102') as bank
      from journal_entry e join posting p on p.entry_id = e.id and p.owner_kind = 'H'
      where e.fact in ('payout.sent', 'payout.confirmed', 'payout.returned')
      group by e.subject_id
    ) p on p.subject_id = y.id`,
);

const nothingForgotten = agree(
  'What a lender owes a hospital is what no payout lists, what awaits a checker or the bank, and what is carried',
  sql`
    select hospital_code || ' and ' || lender as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select p.owner as hospital_code, coalesce(p.counterparty, '?') as lender, p.amount as a,
        case when e.fact like 'payout.%' or exists (
          select from payout_leg l where l.entry_id = p.entry_id and l.leg = p.leg and l.is_live
        ) then 0 else p.amount end as b
      from posting p join journal_entry e on e.id = p.entry_id
      where p.owner_kind = 'H' and p.account = '1203'
      union all
      select hospital_code, lender, 0, amount from payout
      where status in ('proposed', 'approved') or (status = 'carried' and carried_into is null)
    ) parts
    group by hospital_code, lender`,
);

export const payoutLaws: readonly Law[] = [
  payoutSums,
  legsAreFree,
  legsAreReal,
  paidOnce,
  carriedWhole,
  entriesOfState,
  nothingForgotten,
];
