// Laws of the counter's day: the drawer of a shift is what was taken and paid out in it.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

const drawerIsCounted = agree(
  'A closed shift expected its opening float and every leg of H1101 of it',
  sql`
    select s.id, s.expected as a, s.opening_float + coalesce(p.moved, 0) as b
    from counter_shift s left join (
      select shift_id, sum(amount)::bigint as moved from posting
      where shift_id is not null group by shift_id
    ) p on p.shift_id = s.id
    where s.closed_at is not null`,
);

const onlyCash = holdsForEach(
  'Only cash taken or a voucher paid at a terminal of its hospital moves the drawer of a shift',
  sql`
    select p.entry_id || ' leg ' || p.leg as id,
      p.owner_kind = 'H' and p.account = '1101' and p.owner = s.hospital_code
      and case e.fact when 'settlement.settled' then p.amount > 0
        when 'settlement.paymentCollected' then p.amount > 0
        when 'voucher.paid' then p.amount < 0 else false end as holds
    from posting p join journal_entry e on e.id = p.entry_id
    left join counter_shift s on s.id = p.shift_id
    where p.shift_id is not null`,
);

/**
 * Per shift and by way of the tenders themselves; a conversion rewrites the tenders of its settlement,
 * so those are told by the legs alone.
 */
const drawerIsTenders = agree(
  'H1101 of a shift is the cash tenders taken in it less the vouchers paid in it',
  sql`
    with moved as (
      select p.shift_id, p.amount, e.fact, e.subject_id, p.settlement_id
      from posting p join journal_entry e on e.id = p.entry_id
      where p.shift_id is not null and p.account = '1101'
    ),
    booked as (
      select m.shift_id, m.amount, case m.fact
        when 'settlement.settled' then (
          select sum(t.amount) from tender t where t.settlement_id = m.subject_id
            and t.kind = 'cash' and t.paid_at = s.settled_at)
        when 'settlement.paymentCollected' then (
          select t.amount from tender t
          where t.settlement_id || '/' || t.position = m.subject_id
            and t.settlement_id = m.settlement_id and t.kind = 'cash')
        else (select -b.amount from money_back b where b.id = m.subject_id) end as told
      from moved m left join settlement s on s.id = m.settlement_id
      where m.fact = 'voucher.paid' or s.insurance_status <> 'converted'
    )
    select shift_id as id, sum(amount)::bigint as a, sum(told)::bigint as b
    from booked group by shift_id`,
);

const overAndShort = holdsForEach(
  'A drawer that was over or short has its break, and no other has one',
  sql`
    select s.id, (s.counted <> s.expected) = exists (
      select from reconciliation_break b where b.counterparty = 'counter' and b.subject = s.id
        and b.our_amount = s.expected and b.their_amount = s.counted) as holds
    from counter_shift s where s.closed_at is not null`,
);

export const shiftLaws: readonly Law[] = [drawerIsCounted, onlyCash, drawerIsTenders, overAndShort];
