// Laws of claims: one live claim where the status says so, its amounts in tenders and books.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

const liveClaims = holdsForEach(
  'A settlement has one live claim if it is claimed or converted, else none',
  sql`
    select s.id, coalesce(c.live, 0)
      = case when s.insurance_status in ('claimed', 'converted') then 1 else 0 end as holds
    from settlement s
    left join (
      select settlement_id, count(*) as live from claim where status = 'live' group by settlement_id
    ) c on c.settlement_id = s.id`,
);

const setlIdOnce = holdsForEach(
  'Every setl_id of a hospital is one claim of one of its own settlements',
  sql`
    select c.id, count(*) over (partition by c.hospital_code, c.setl_id) = 1
      and exists (select from settlement s
        where s.id = c.settlement_id and s.hospital_code = c.hospital_code) as holds
    from claim c`,
);

const claimIsBill = agree(
  'A live claim is for what its settlement still bills: total less completed refunds',
  sql`
    select c.id, c.total as a, s.total - coalesce(r.amount, 0) as b
    from claim c
    join settlement s on s.id = c.settlement_id
    left join (
      select settlement_id, sum(amount)::bigint as amount
      from refund where status = 'completed' group by settlement_id
    ) r on r.settlement_id = s.id
    where c.status = 'live'`,
);

const insurerTenders = agree(
  'The insurer tenders of a settlement without refunds are the parts of its live claim',
  sql`
    select s.id || ' ' || part.kind as id, t.amount as a,
      case part.kind when 'insuranceFund' then c.fund when 'familyAccount' then c.family_account
        when 'personalAccount' then c.account - c.family_account else c.hospital_borne end as b
    from settlement s
    cross join (values ('insuranceFund'), ('personalAccount'), ('familyAccount'), ('hospitalBorne'))
      as part (kind)
    left join claim c on c.settlement_id = s.id and c.status = 'live'
    left join (
      select settlement_id, kind, sum(amount)::bigint as amount from tender group by 1, 2
    ) t on t.settlement_id = s.id and t.kind = part.kind
    where not exists (
      select from refund r where r.settlement_id = s.id and r.status = 'completed')`,
);

const claimInBooks = agree(
  'H1201 and H1202 of a claim are its fund and account parts while it lives, and nothing after',
  sql`
    select c.id || ' H' || part.account as id,
      case when c.status <> 'live' then 0 when part.account = '1201' then c.fund else c.account end
        as a,
      p.amount as b
    from claim c
    cross join (values ('1201'), ('1202')) as part (account)
    left join (
      select claim_id, account, sum(amount)::bigint as amount
      from posting where owner_kind = 'H' and claim_id is not null group by 1, 2
    ) p on p.claim_id = c.id and p.account = part.account`,
);

const claimLegsHaveClaims = holdsForEach(
  'A leg about a claim names a claim of its own settlement and hospital',
  sql`
    select p.entry_id || ' leg ' || p.leg as id,
      exists (select from claim c where c.id = p.claim_id and c.hospital_code = p.owner
        and c.settlement_id = p.settlement_id) as holds
    from posting p where p.claim_id is not null`,
);

const awaitingHasConversion = holdsForEach(
  'A settlement awaits insurance exactly while it has one open conversion',
  sql`
    select s.id, coalesce(c.open, 0)
      = case when s.insurance_status = 'awaitingInsurance' then 1 else 0 end as holds
    from settlement s
    left join (
      select settlement_id, count(*) as open from conversion
      where status in ('queued', 'claiming', 'awaitingPatient') group by settlement_id
    ) c on c.settlement_id = s.id`,
);

const noDunning = holdsForEach(
  'A receivable waits for insurance exactly while its settlement does',
  sql`
    select r.id, s.id is not null
      and (r.awaits_insurance = (s.insurance_status = 'awaitingInsurance')
        or r.amount = r.paid + r.reduced + r.written_off) as holds
    from receivable r left join settlement s on s.id = r.settlement_id`,
);

export const insuranceLaws: readonly Law[] = [
  liveClaims,
  setlIdOnce,
  claimIsBill,
  insurerTenders,
  claimInBooks,
  claimLegsHaveClaims,
  awaitingHasConversion,
  noDunning,
];
