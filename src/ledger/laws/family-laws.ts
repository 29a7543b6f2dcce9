// Laws of family links: counters, caps and birthdays agree with the holds that were placed.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

/** What a captured hold carries is the credit tender of its settlement, less what was given back. */
const counterIsHolds = agree(
  "A link's counter of a month is what the holds placed in it hold or captured, less given back",
  sql`
    select link_id || ' ' || month as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select f.id as link_id, u.key as month, u.value::bigint as a, 0::bigint as b
      from family_link f, jsonb_each_text(f.used_by_month) u
      union all
      select h.family_link_id, to_char(h.placed_at at time zone 'Asia/Shanghai', 'YYYY-MM'), 0,
        case h.status when 'placed' then h.amount when 'captured' then coalesce(t.left_over, 0)
          else 0 end
      from hold h
      left join (
        select r.hold_id, sum(t.amount - t.given_back)::bigint as left_over
        from receivable r join tender t on t.settlement_id = r.settlement_id and t.kind = 'credit'
        group by r.hold_id
      ) t on t.hold_id = h.id
      where h.family_link_id is not null
    ) sides
    group by link_id, month`,
);

const holdWithinCaps = holdsForEach(
  'Every hold through a link was within both caps when it was placed or raised, on the payer’s line',
  sql`
    select h.id, h.visit_used_then >= 0 and h.month_used_then >= 0
      and h.visit_used_then + h.amount <= h.visit_cap_then
      and h.month_used_then + h.amount <= h.monthly_cap_then
      and l.citizen_id = f.payer_citizen_id and v.citizen_id = f.beneficiary_citizen_id as holds
    from hold h
    join family_link f on f.id = h.family_link_id
    left join credit_line l on l.id = h.line_id
    left join visit v on v.id = h.visit_id`,
);

const endsOnBirthday = holdsForEach(
  'A child’s link ends by 00:00 of a Shanghai day and carries no hold that was placed from then on',
  sql`
    select f.id, (f.ends_at at time zone 'Asia/Shanghai')::time = '00:00'
      and (f.ended_at is null or f.ended_at <= f.ends_at)
      and not exists (
        select from hold h where h.family_link_id = f.id and h.placed_at >= f.ends_at) as holds
    from family_link f where f.kind = 'minorChild'`,
);

const fiveLinks = holdsForEach(
  'A payer has at most five links that are active or pending',
  sql`
    select payer_citizen_id as id, count(*) <= 5 as holds
    from family_link where status <> 'ended'
    group by payer_citizen_id`,
);

export const familyLaws: readonly Law[] = [
  counterIsHolds,
  holdWithinCaps,
  endsOnBirthday,
  fiveLinks,
];
