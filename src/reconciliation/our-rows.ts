// Our side of a comparison: what our books hold for one counterparty and business day, gross. A conversion
// rewrites tenders, so a day before it is read from what the conversion kept (`before`).
import { type SQL, sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import type { Counterparty } from './break-catalogue.ts';

export interface Compared {
  counterparty: Counterparty;
  /** YYYY-MM-DD. */
  businessDate: string;
  hospitalCode: string | null;
  lender: string | null;
}

/** Fills our_row. The rows of the file are staged already: a bank's are asked for by what it shows. */
export async function stageOurs(tx: Tx, what: Compared): Promise<void> {
  for (const statement of statementsOf(what)) await tx.execute(statement);
  await tx.execute(sql`analyze our_row (bill, kind, key2, settlement_id)`);
}

function statementsOf(what: Compared): SQL[] {
  switch (what.counterparty) {
    case 'hospital':
      return [tenders(what, null), refunds(what), conversions(what)];
    case 'insurer':
      return [claims(what)];
    case 'bank':
      return what.hospitalCode ? [payouts(what)] : [payouts(what), debits(what), moneyBack(what)];
    case 'wechatPay':
    case 'alipay':
      return [tenders(what, what.counterparty), channelRefunds(what)];
  }
  return what.counterparty satisfies never;
}

const dayBegins = (what: Compared) =>
  sql`(${what.businessDate}::date::timestamp at time zone 'Asia/Shanghai')`;
const dayEnds = (what: Compared) =>
  sql`((${what.businessDate}::date + 1)::timestamp at time zone 'Asia/Shanghai')`;
const inDay = (column: SQL, what: Compared) =>
  sql`(${column} >= ${dayBegins(what)} and ${column} < ${dayEnds(what)})`;
const ofHospital = (column: SQL, what: Compared) =>
  what.hospitalCode ? sql`${column} = ${what.hospitalCode}` : sql`true`;
/** "12.30" of a kept proof in fen. */
const fenOf = (column: SQL) => sql`replace(${column}, '.', '')::bigint`;

/** What was taken on this day: at settling, or collected later; of one kind, or of all. */
function tenders(what: Compared, kind: string | null): SQL {
  const bill = kind ? sql`reference` : sql`coalesce(receipt_number, settlement_id)`;
  // What is known of the settlement goes along: a million rows are not joined to it a second time.
  const known = sql`s.id as settlement_id, s.receipt_number, s.visit_number, s.is_late_capture`;
  return sql`
    insert into our_row
    with day_settlement as materialized (
      select s.id, s.receipt_number, s.settled_at, s.is_late_capture, v.visit_number,
        s.insurance_status = 'awaitingInsurance' as awaits
      from settlement s join visit v on v.id = s.visit_id
      where s.business_date = ${what.businessDate}::date and ${ofHospital(sql`s.hospital_code`, what)}
      union all
      select s.id, s.receipt_number, s.settled_at, s.is_late_capture, v.visit_number,
        s.insurance_status = 'awaitingInsurance'
      from settlement s join visit v on v.id = s.visit_id
      where s.business_date < ${what.businessDate}::date and ${ofHospital(sql`s.hospital_code`, what)}
        and s.id in (select e.settlement_id from journal_entry e
          where e.business_date = ${what.businessDate}::date
            and e.fact = 'settlement.paymentCollected')
    ),
    converted as materialized (
      select distinct on (c.settlement_id) c.settlement_id, c.before,
        c.resolved_at >= ${dayEnds(what)} as is_later
      from conversion c join day_settlement s on s.id = c.settlement_id
      where c.status = 'converted' order by c.settlement_id, c.created_at
    ),
    taken as (
      select ${known}, s.awaits, t.kind, t.amount, t.reference, t.paid_at
      from day_settlement s join tender t on t.settlement_id = s.id
      where ${inDay(sql`t.paid_at`, what)} and ${kind ? sql`t.kind = ${kind}` : sql`true`}
        and not exists (select from converted c where c.settlement_id = s.id)
      union all
      select ${known}, s.awaits or c.is_later, p.kind, ${fenOf(sql`p.amount`)}, p.reference,
        s.settled_at
      from converted c join day_settlement s on s.id = c.settlement_id
      cross join jsonb_to_recordset(c.before) as p(kind text, amount text, reference text)
      left join tender k on k.settlement_id = c.settlement_id and k.kind = p.kind
        and k.reference = p.reference
      where p.kind <> 'dueAtCounter'
        and ${inDay(sql`coalesce(k.paid_at, s.settled_at)`, what)}
        and ${kind ? sql`p.kind = ${kind}` : sql`true`}
    )
    select ${bill}, ${kind ? sql`'payment'` : sql`kind`}, amount, false,
      ${kind ? sql`null` : sql`visit_number`}, settlement_id, null, paid_at, is_late_capture, awaits
    from taken`;
}

/** What a refund took off each kind, on the day it was completed. */
function refunds(what: Compared): SQL {
  return sql`
    insert into our_row
    select coalesce(s.receipt_number, s.id), p.kind, -p.amount, false, v.visit_number, s.id, r.id,
      r.resolved_at, false, s.insurance_status = 'awaitingInsurance'
    from refund r join settlement s on s.id = r.settlement_id join visit v on v.id = s.visit_id
    cross join lateral (
      select i.kind, i.amount::bigint as amount
      from jsonb_to_recordset(coalesce(r.insurer_parts, '[]')) as i(kind text, amount text)
      union all
      select m.kind, m.amount from money_back m
      where m.cause_id = r.id and m.kind <> 'dueAtCounter'
    ) p
    where r.status = 'completed' and ${inDay(sql`r.resolved_at`, what)} and p.amount <> 0
      and ${ofHospital(sql`s.hospital_code`, what)}`;
}

/** On the day of a conversion the hospital reverses the old receipt and writes a new one: the difference. */
function conversions(what: Compared): SQL {
  return sql`
    insert into our_row
    select coalesce(s.receipt_number, s.id), p.kind, p.amount, false, v.visit_number, s.id, c.id,
      c.resolved_at, false, false
    from conversion c join settlement s on s.id = c.settlement_id join visit v on v.id = s.visit_id
    cross join lateral (
      select kind, sum(amount)::bigint as amount from (
        select a.kind, ${fenOf(sql`a.amount`)} as amount
        from jsonb_to_recordset(c.after) as a(kind text, amount text)
        union all
        select b.kind, -${fenOf(sql`b.amount`)}
        from jsonb_to_recordset(c.before) as b(kind text, amount text)
      ) sides where kind <> 'dueAtCounter' group by kind having sum(amount) <> 0
    ) p
    where c.status = 'converted' and ${inDay(sql`c.resolved_at`, what)}
      and ${ofHospital(sql`s.hospital_code`, what)}`;
}

/** Money that a channel was asked to give back; its merchant refund number is ours of the money back, key2 its payment's. */
function channelRefunds(what: Compared): SQL {
  return sql`
    insert into our_row
    select m.id, 'payment', -m.amount, false, m.reference, s.id, m.id, m.resolved_at, false, false
    from money_back m join settlement s on s.id = m.settlement_id
    where m.kind = ${what.counterparty} and not m.is_reduction and m.status = 'done'
      and ${inDay(sql`m.resolved_at`, what)} and ${ofHospital(sql`s.hospital_code`, what)}`;
}

/** Claims by the insurer's own time; a reversal is a row of its own with its own setl_id. */
function claims(what: Compared): SQL {
  return sql`
    insert into our_row
    with moved as (
      select c.set_id as bill, c.* from (
        select setl_id as set_id, 1 as sign, setl_time as at, claim.* from claim
        where ${inDay(sql`setl_time`, what)} and ${ofHospital(sql`hospital_code`, what)}
        union all
        select coalesce(nullif(reversal_setl_id, ''), setl_id || ' reversed'), -1, reversed_at, claim.* from claim
        where status = 'reversed' and ${inDay(sql`reversed_at`, what)}
          and ${ofHospital(sql`hospital_code`, what)}
      ) c
    )
    select m.bill, p.kind, m.sign * p.amount, p.is_part, m.msgid, m.settlement_id, m.id, m.at, false,
      false
    from moved m cross join lateral (values
      ('claim', m.total, false), ('part:fund', m.fund, true), ('part:account', m.account, true)
    ) as p(kind, amount, is_part)`;
}

/**
 * Payouts sent on the day and not proved yet, and those that the file names: a bank books on the next
 * working day. A payout that another day's statement proved is no longer waited for; one that was proved
 * on this day without its key is found again when the day's file comes again.
 */
function payouts(what: Compared): SQL {
  return sql`
    insert into our_row
    select p.end_to_end_id, 'transfer', p.amount, false, null, null, p.id, p.sent_at, false,
      false
    from payout p
    where p.status in ('approved', 'sent', 'paid')
      and ${ofHospital(sql`p.hospital_code`, what)}
      and ${what.lender ? sql`p.lender = ${what.lender}` : sql`true`}
      and ((p.status = 'sent' and ${inDay(sql`p.sent_at`, what)})
        or p.end_to_end_id in (select bill from their_row)
        or (p.status = 'paid' and exists (select from journal_entry e
            where e.fact = 'payout.confirmed' and e.subject_id = p.id
              and ${inDay(sql`e.occurred_at`, what)})
          and exists (select from their_row t where t.amount = p.amount
            and (t.bill like 'row %' or t.key2 is not null))))`;
}

/** Repayments that a lender's own account received: by our id, which is the debit's serial. */
function debits(what: Compared): SQL {
  return sql`
    insert into our_row
    select r.id, 'transfer', ${what.lender ? sql`-r.amount` : sql`r.amount`}, false, null, null, r.id, r.resolved_at, false, false
    from repayment r
    where r.status = 'paid' and ${what.lender ? sql`r.lender = ${what.lender}` : sql`true`}
      and (${what.lender ? inDay(sql`r.resolved_at`, what) : sql`false`}
        or r.id in (select bill from their_row))`;
}

/** Repaid credit that the lender gave back. */
function moneyBack(what: Compared): SQL {
  return sql`
    insert into our_row
    select m.id, 'transfer', m.amount, false, null, m.settlement_id, m.id, m.resolved_at, false, false
    from money_back m
    where m.status = 'done' and not m.is_reduction
      and ((m.kind = 'credit' and ${what.lender ? inDay(sql`m.resolved_at`, what) : sql`false`}
          and exists (select from receivable v where v.settlement_id = m.settlement_id
            and v.lender = ${what.lender}))
        or m.id in (select bill from their_row))`;
}
