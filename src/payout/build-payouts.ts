// Law: every leg of H1203 is paid once: a payout lists what no living payout lists, gross, and what was
// carried; its amount is their sum, and what is not positive is carried into the next one.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { newId } from '../ids.ts';
import { endToEndIdOf, type PayoutPair } from './payout.ts';

export interface PayoutOrder {
  /** Legs of this business day and of all days before it. */
  businessDate: string;
  lender?: string | undefined;
  hospitalCode?: string | undefined;
}

/**
 * Proposes one payout per lender and hospital that have something unpaid, in one statement; returns
 * their ids. Two makers go one after the other: the second finds nothing more to list.
 * Refuses with payout/day-not-over, access/forbidden.
 */
export async function buildPayouts(
  tx: Tx,
  maker: CallerOf<'staff'>,
  order: PayoutOrder,
): Promise<string[]> {
  const { hospitalCode: own } = maker;
  if (own && order.hospitalCode && own !== order.hospitalCode) {
    throw new Refusal('access/forbidden');
  }
  const wanted = { ...order, hospitalCode: own ?? order.hospitalCode };
  await takeTurn(tx, order.businessDate);
  const pairs = await unpaidPairs(tx, wanted);
  if (pairs.length === 0) return [];
  const named = pairs.map(({ run, ...pair }) => ({
    ...pair,
    run,
    id: newId('payout'),
    endToEndId: endToEndIdOf(pair, order.businessDate, run),
  }));
  const made = await insertPayouts(tx, maker.client, wanted, named);
  return made.map(({ id }) => id);
}

async function takeTurn(tx: Tx, businessDate: string): Promise<void> {
  const [day] = await rows<{ is_over: boolean }>(
    tx,
    sql`
    select ${businessDate}::date < business_date(business_now()) as is_over
    from pg_advisory_xact_lock(hashtextextended(current_schema() || ' payouts', 0))`,
  );
  if (!day?.is_over) throw new Refusal('payout/day-not-over');
}

/** The legs of H1203 that no living payout lists; a payout's own entries are none of them. */
function unlisted(order: PayoutOrder) {
  return sql`
    select p.entry_id, p.leg, p.owner as hospital_code, p.counterparty as lender, p.settlement_id,
      p.amount, case e.fact
        when 'settlement.settled' then 'capture'
        when 'order.paid' then 'capture'
        when 'refund.completed' then 'refund'
        when 'settlement.converted' then 'conversion'
        else 'adjustment' end as kind
    from posting p join journal_entry e on e.id = p.entry_id
    where p.owner_kind = 'H' and p.account = '1203'
      and e.business_date <= ${order.businessDate}::date
      and e.fact not in ('payout.sent', 'payout.confirmed', 'payout.returned')
      and (${order.hospitalCode ?? null}::text is null or p.owner = ${order.hospitalCode ?? null})
      and (${order.lender ?? null}::text is null or p.counterparty = ${order.lender ?? null})
      and not exists (
        select from payout_leg l where l.entry_id = p.entry_id and l.leg = p.leg and l.is_live)`;
}

function unpaidPairs(tx: Tx, order: PayoutOrder): Promise<(PayoutPair & { run: number })[]> {
  return rows(
    tx,
    sql`
    select u.lender, u.hospital_code as "hospitalCode",
      (select coalesce(max(y.run), 0) + 1 from payout y where y.lender = u.lender
        and y.hospital_code = u.hospital_code and y.business_date = ${order.businessDate}::date) as run
    from (${unlisted(order)}) u
    group by u.lender, u.hospital_code order by u.lender, u.hospital_code`,
  );
}

interface NamedPair extends PayoutPair {
  id: string;
  run: number;
  endToEndId: string;
}

/** One statement, so that what is summed and what is listed are the same rows. */
function insertPayouts(
  tx: Tx,
  maker: string,
  order: PayoutOrder,
  named: readonly NamedPair[],
): Promise<{ id: string }[]> {
  return rows(
    tx,
    sql`
    with pair as (
      select * from jsonb_to_recordset(${JSON.stringify(named)}::jsonb)
        as n (id text, lender text, "hospitalCode" text, run int, "endToEndId" text)
    ),
    listed as materialized (
      select pair.id as payout_id, u.kind, u.entry_id, u.leg, null::text as carried_from,
        u.settlement_id, u.amount
      from (${unlisted(order)}) u
      join pair on pair.lender = u.lender and pair."hospitalCode" = u.hospital_code
      union all
      select pair.id, 'carried', null, null, y.id, null, y.amount
      from payout y join pair on pair.lender = y.lender and pair."hospitalCode" = y.hospital_code
      where y.status = 'carried' and y.carried_into is null and y.amount < 0
        and y.business_date <= ${order.businessDate}::date
    ),
    made as (
      insert into payout (id, lender, hospital_code, business_date, run, amount, status, maker,
        end_to_end_id, created_at)
      select pair.id, pair.lender, pair."hospitalCode", ${order.businessDate}::date, pair.run,
        l.amount, case when l.amount > 0 then 'proposed' else 'carried' end, ${maker},
        pair."endToEndId", business_now()
      from pair join (
        select payout_id, sum(amount)::bigint as amount from listed group by payout_id
      ) l on l.payout_id = pair.id
      returning id, lender, hospital_code
    ),
    legs as (
      insert into payout_leg (payout_id, position, kind, entry_id, leg, carried_from,
        settlement_id, amount)
      select payout_id, row_number() over (
          partition by payout_id order by kind = 'carried', entry_id, leg, carried_from)::int,
        kind, entry_id, leg, carried_from, settlement_id, amount
      from listed
    ),
    carried as (
      update payout set carried_into = listed.payout_id
      from listed where payout.id = listed.carried_from
    )
    select id from made order by lender, hospital_code`,
  );
}
