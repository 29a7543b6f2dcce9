// Laws of the books themselves: balance, undoing, mirrors.
import { sql } from 'drizzle-orm';
import { type AccountCode, accountCodes, accountOf, chart } from '../chart.ts';
import { agree, holdsForEach, type Law } from './law.ts';

const entriesBalance = holdsForEach(
  'Every entry has all its legs and balances within each owner, on and off balance',
  sql`
    select coalesce(e.id, l.entry_id) as id, l.legs = e.leg_count and l.is_balanced as holds
    from journal_entry e
    full join (
      select entry_id, sum(legs) as legs, bool_and(total = 0) as is_balanced
      from (
        select entry_id, count(*) as legs, sum(amount) as total
        from posting group by entry_id, owner_kind, owner, account like '9%'
      ) by_owner
      group by entry_id
    ) l on l.entry_id = e.id`,
);

const dayOfEntry = holdsForEach(
  'Every entry belongs to the business day on which it was recorded, or to the first that was open then',
  sql`
    select e.id, e.business_date = business_date(e.recorded_at)
      or (e.business_date > business_date(e.recorded_at) and b.status = 'closed') as holds
    from journal_entry e left join business_day b on b.date = e.business_date - 1`,
);

const undoneIsCounted = agree(
  'What was undone of a leg is the sum of the legs that undo it',
  sql`
    select p.entry_id || ' leg ' || p.leg as id, p.undone as a, u.amount as b
    from posting p
    left join (
      select undoes_entry_id, undoes_leg, sum(abs(amount))::bigint as amount
      from posting where undoes_entry_id is not null group by 1, 2
    ) u on u.undoes_entry_id = p.entry_id and u.undoes_leg = p.leg
    where p.undone <> 0 or u.amount is not null`,
);

const undoneIsCapped = holdsForEach(
  'No leg is undone for more than its amount',
  sql`select entry_id || ' leg ' || leg as id, undone between 0 and abs(amount) as holds
    from posting`,
);

const undoNamesItsLeg = holdsForEach(
  'Every undoing leg names a leg of the same owner and account, of the other side',
  sql`
    select u.entry_id || ' leg ' || u.leg as id,
      u.owner_kind = p.owner_kind and u.owner = p.owner and u.account = p.account
        and sign(u.amount) = -sign(p.amount) as holds
    from posting u
    left join posting p on p.entry_id = u.undoes_entry_id and p.leg = u.undoes_leg
    where u.undoes_entry_id is not null`,
);

const accountsAreCharted = holdsForEach(
  'Every leg is on an account of the chart that its kind of owner has',
  sql`
    select p.owner_kind || p.account as id, c.account is not null as holds
    from (select distinct owner_kind, account from posting) p
    left join jsonb_to_recordset(${chartAsJson()}::jsonb) as c (owner text, account text)
      on c.owner = p.owner_kind and c.account = p.account`,
);

/** Each pair of mirrored accounts once, read from the chart. */
const mirrors: Law[] = accountCodes
  .filter((code) => {
    const { mirrorOf } = accountOf(code);
    return mirrorOf !== undefined && code < mirrorOf;
  })
  .map((code) => mirrorLaw(code, accountOf(code).mirrorOf as AccountCode));

function mirrorLaw(one: AccountCode, other: AccountCode): Law {
  const left = `${chart[one].owner}${one}`;
  const right = `${chart[other].owner}${other}`;
  return agree(
    `${left} and ${right} mirror each other between every two owners`,
    sql`
      select one || ' and ' || other as id, sum(a)::bigint as a, sum(b)::bigint as b
      from (
        select owner as one, coalesce(counterparty, '?') as other, amount as a, 0::bigint as b
        from posting where owner_kind = ${chart[one].owner} and account = ${one}
        union all
        select coalesce(counterparty, '?'), owner, 0, -amount
        from posting where owner_kind = ${chart[other].owner} and account = ${other}
      ) sides
      group by one, other`,
  );
}

function chartAsJson(): string {
  return JSON.stringify(accountCodes.map((account) => ({ owner: chart[account].owner, account })));
}

export const booksLaws: readonly Law[] = [
  entriesBalance,
  dayOfEntry,
  undoneIsCounted,
  undoneIsCapped,
  undoNamesItsLeg,
  accountsAreCharted,
  ...mirrors,
];
