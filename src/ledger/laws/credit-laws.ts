// Laws of credit: lines, holds, receivables and repayments agree with each other and with the books.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

const debtInBooks = agree(
  "B1301 of each citizen at each lender is what the citizen's lines there have outstanding",
  sql`
    select citizen_id || ' at ' || lender as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select citizen_id, lender, outstanding as a, 0::bigint as b from credit_line
      union all
      select coalesce(citizen_id, '?'), owner, 0, amount
      from posting where owner_kind = 'B' and account = '1301'
    ) sides
    group by citizen_id, lender`,
);

const outstandingIsOwed = agree(
  "A line's outstanding is the sum of what is owed on its receivables",
  sql`
    select l.id, l.outstanding as a, r.owed as b
    from credit_line l
    left join (
      select line_id, sum(amount - paid - reduced - written_off)::bigint as owed
      from receivable group by line_id
    ) r on r.line_id = l.id`,
);

const heldIsPlaced = agree(
  "A line's held is the sum of its placed holds",
  sql`
    select l.id, l.held as a, h.amount as b
    from credit_line l
    left join (
      select line_id, sum(amount)::bigint as amount from hold where status = 'placed' group by line_id
    ) h on h.line_id = l.id`,
);

const holdWithinLimit = holdsForEach(
  'Every hold was within the limit of its line when it was placed or raised',
  sql`
    select id, held_then >= 0 and outstanding_then >= 0
      and held_then + outstanding_then + amount <= limit_then + extra_then as holds
    from hold`,
);

const oneHoldPlaced = holdsForEach(
  'A visit has at most one placed hold, and none once it is cancelled',
  sql`
    select h.visit_id as id, count(*) = 1 and bool_and(v.status <> 'cancelled') as holds
    from hold h left join visit v on v.id = h.visit_id
    where h.status = 'placed' group by h.visit_id`,
);

const capturedIsReceivable = agree(
  'What a hold captured is the sum of the receivables that name it',
  sql`
    select coalesce(h.id, r.hold_id) as id, h.captured as a, r.amount as b
    from hold h
    full join (
      select hold_id, sum(amount)::bigint as amount
      from receivable where hold_id is not null group by hold_id
    ) r on r.hold_id = h.id`,
);

const receivableIsCaptured = agree(
  'The receivables of a settlement are the principal that its captures booked on B1301',
  sql`
    select settlement_id as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select settlement_id, amount as a, 0::bigint as b from receivable
      union all
      select coalesce(settlement_id, '?'), 0, amount
      from posting
      where owner_kind = 'B' and account = '1301' and amount > 0 and undoes_entry_id is null
    ) sides
    group by settlement_id`,
);

const paidIsAllocated = agree(
  'What is paid on receivables is what paid repayments allocated, less what met no debt',
  sql`
    select settlement_id as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select settlement_id, paid as a, 0::bigint as b from receivable
      union all
      select r.settlement_id, 0, a.amount
      from repayment_allocation a
      join repayment p on p.id = a.repayment_id and p.status = 'paid'
      join receivable r on r.id = a.receivable_id
      union all
      select m.settlement_id, 0, -m.amount
      from money_back m join repayment p on p.id = m.cause_id and p.status = 'paid'
    ) sides
    group by settlement_id`,
);

const openIsUnderWay = holdsForEach(
  'An allocation is open exactly while its repayment is under way',
  sql`
    select a.repayment_id || ' on ' || a.receivable_id as id,
      a.is_open = (p.status in ('processing', 'unknown')) as holds
    from repayment_allocation a join repayment p on p.id = a.repayment_id`,
);

const repaymentInBooks = agree(
  'A repayment is booked on B1311 exactly when its bank paid it and did not take it back',
  sql`
    select r.id, case r.status when 'paid' then r.amount
      -- Surplus that had left before the bank took the debit back: a case for a person.
      when 'returned' then (select coalesce(sum(m.amount), 0) from money_back m
        where m.cause_id = r.id and m.reason is distinct from 'returned')
      else 0 end as a, p.amount as b
    from repayment r
    left join (
      select e.subject_id, sum(p.amount)::bigint as amount
      from posting p join journal_entry e on e.id = p.entry_id
      where p.owner_kind = 'B' and p.account = '1311' group by e.subject_id
    ) p on p.subject_id = r.id`,
);

const debitsInTransit = agree(
  'A debit that was sent stands on B9201 until its bank answers, and no longer',
  sql`
    select r.id, case when r.status in ('processing', 'unknown') then r.amount else 0 end as a,
      p.amount as b
    from repayment r
    join (
      select e.subject_id, sum(p.amount)::bigint as amount
      from posting p join journal_entry e on e.id = p.entry_id
      where p.owner_kind = 'B' and p.account = '9201' group by e.subject_id
    ) p on p.subject_id = r.id`,
);

const lossStillClaimed = agree(
  'B9301 of each citizen at each lender is what their receivables have written off',
  sql`
    select citizen_id || ' at ' || lender as id, sum(a)::bigint as a, sum(b)::bigint as b
    from (
      select citizen_id, lender, written_off as a, 0::bigint as b from receivable
      union all
      select coalesce(citizen_id, '?'), owner, 0, amount
      from posting where owner_kind = 'B' and account = '9301'
    ) sides
    group by citizen_id, lender`,
);

const planIsOwed = agree(
  'The instalments of a plan sum to what is owed on its receivable',
  sql`
    select i.receivable_id as id, sum(i.amount)::bigint as a,
      min(r.amount - r.paid - r.reduced - r.written_off)::bigint as b
    from instalment i join receivable r on r.id = i.receivable_id group by i.receivable_id`,
);

const suspendedForDebt = holdsForEach(
  'A line is suspended exactly while our policy or its lender holds something against it',
  sql`
    select id, (status = 'suspended') = (suspended_for is not null or frozen_for is not null) as holds
    from credit_line where status <> 'closed'`,
);

const toldBeforeReported = holdsForEach(
  'Nothing is reported to the score provider before the person was told and could object',
  sql`
    select id, reported_at is null or reported_at >= send_after as holds from score_report`,
);

export const creditLaws: readonly Law[] = [
  debtInBooks,
  outstandingIsOwed,
  heldIsPlaced,
  holdWithinLimit,
  oneHoldPlaced,
  capturedIsReceivable,
  receivableIsCaptured,
  paidIsAllocated,
  openIsUnderWay,
  repaymentInBooks,
  debitsInTransit,
  lossStillClaimed,
  planIsOwed,
  suspendedForDebt,
  toldBeforeReported,
];
