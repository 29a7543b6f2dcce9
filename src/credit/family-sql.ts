// Law: a hold through a family link is placed, raised or captured above itself only while the link is
// active and both caps leave enough, in the same statement as the line's guard. The link is locked after
// the line and its hold; its counter of a month carries what the holds placed in that month (Shanghai)
// hold or captured, less what was given back. The pure form of the rules is family/link.ts.
import { type SQL, sql } from 'drizzle-orm';
import { AGE_OUT } from '../family/link.ts';

/** "2026-01" of a moment, in Shanghai. */
export const monthOf = (at: SQL): SQL =>
  sql`to_char(${at} at time zone 'Asia/Shanghai', 'YYYY-MM')`;

/** The family link that a visit is paid through; null: by its patient, or by nobody. */
const linkOfVisit = (visitId: string): SQL => sql`(
  select v.payer from visit v where v.id = ${visitId} and left(v.payer, 4) = 'lnk_')`;

/** Needs f and the CTE clock: why this link gives no more credit; null when only its caps decide. */
const refusal = sql`case
  when f.end_reason = ${AGE_OUT} or (f.status <> 'ended' and f.ends_at <= clock.now)
    then 'family/age-out'
  when f.status <> 'active' then 'family/not-linked' end`;

/** Needs f: fen that earlier holds of the visit through this link captured, less what came back. */
const usedByVisit = (visitId: string): SQL => sql`(
  select coalesce(sum(t.amount - t.given_back), 0)::bigint
  from settlement s
    join receivable r on r.settlement_id = s.id
    join hold h on h.id = r.hold_id and h.family_link_id = f.id
    join tender t on t.settlement_id = s.id and t.kind = 'credit'
  where s.visit_id = ${visitId})`;

/**
 * CTEs `paid_by`, `link`, `family` for a verb that may take more credit. Needs clock, line, and old: the
 * visit's placed hold (id, amount, placed_at, family_link_id), if any. `family` is one row: link_id and
 * room are null where no link is asked; `room` is what both caps leave above the hold, and the
 * `*_used` are without it.
 */
export const familyCtes = (visitId: string): SQL => sql`
  paid_by as (
    select case when old.id is null then ${linkOfVisit(visitId)} else old.family_link_id end
        as link_id,
      coalesce(old.amount, 0) as base, ${monthOf(sql`coalesce(old.placed_at, clock.now)`)} as month
    from clock left join old on true
  ),
  link as materialized (
    select f.id, f.used_by_month, f.visit_cap, f.monthly_cap, ${refusal} as refusal,
      ${usedByVisit(visitId)} as visit_used
    from line join paid_by on true cross join clock
      join family_link f on f.id = paid_by.link_id and f.payer_citizen_id = line.citizen_id
    for update of f
  ),
  family as (
    select p.link_id, p.month, l.visit_cap, l.visit_used, l.monthly_cap, u.month_used,
      case when p.link_id is null then null when l.id is null then 'family/not-linked'
        else l.refusal end as link_refusal,
      case when l.id is not null then greatest(0, least(l.visit_cap - l.visit_used,
        l.monthly_cap - u.month_used) - p.base) end as room
    from paid_by p left join link l on true, lateral (
      select coalesce((l.used_by_month ->> p.month)::bigint, 0) - p.base as month_used) u
  )`;

/** What a hold `keeps` of the caps when it is raised; from c, a row with the columns of `family`. */
export const capsThen = (isRaised: SQL): SQL => sql`
  visit_cap_then = case when ${isRaised} then c.visit_cap else hold.visit_cap_then end,
  visit_used_then = case when ${isRaised} then c.visit_used else hold.visit_used_then end,
  monthly_cap_then = case when ${isRaised} then c.monthly_cap else hold.monthly_cap_then end,
  month_used_then = case when ${isRaised} then c.month_used else hold.month_used_then end`;

/**
 * CTE `counted`: moves the counters of links by what `moves` yields (link_id, month, delta in fen).
 * Needs the CTE link (id, used_by_month) of the locked links.
 */
export const countedCte = (moves: SQL): SQL => sql`
  counted as (
    update family_link set used_by_month = family_link.used_by_month || d.months
    from (
      select m.link_id, jsonb_object_agg(m.month,
        (coalesce((link.used_by_month ->> m.month)::bigint, 0) + m.delta)::text) as months
      from (
        select link_id, month, sum(delta)::bigint as delta from (${moves}) moved
        group by link_id, month
      ) m join link on link.id = m.link_id
      where m.delta <> 0 group by m.link_id
    ) d where family_link.id = d.link_id
  )`;
