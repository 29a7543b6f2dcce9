// Laws of bills and settlements: lines, batches, totals, tenders and visit states.
import { sql } from 'drizzle-orm';
import { agree, holdsForEach, type Law } from './law.ts';

const lineAmounts = agree(
  'Every charge line is quantity × unit price, half-up to the fen',
  sql`
    select visit_id || ' line ' || line_number as id, amount as a,
      round(quantity * unit_price * 100)::bigint as b
    from charge`,
);

const batchIsLines = agree(
  'A batch is the sum of its lines',
  sql`
    select b.visit_id || ' batch ' || b.batch as id, b.total as a, c.amount as b
    from charge_batch b
    left join (
      select visit_id, batch, sum(amount)::bigint as amount from charge group by visit_id, batch
    ) c on c.visit_id = b.visit_id and c.batch = b.batch`,
);

const visitIsLines = agree(
  "A visit's charged total is the sum of its lines",
  sql`
    select v.id, v.charged_total as a, c.amount as b
    from visit v
    left join (
      select visit_id, sum(amount)::bigint as amount from charge group by visit_id
    ) c on c.visit_id = v.id`,
);

const totalIsBatches = agree(
  'The total of a settlement is the sum of its batches, all of its own visit',
  sql`
    select s.id, s.total as a, b.total as b
    from settlement s
    left join (
      select settlement_id, visit_id, sum(total)::bigint as total
      from charge_batch where settlement_id is not null group by settlement_id, visit_id
    ) b on b.settlement_id = s.id and b.visit_id = s.visit_id`,
);

const batchIsTaken = holdsForEach(
  'A batch that is taken belongs to a settlement of its visit or to a running intent',
  sql`
    select b.visit_id || ' batch ' || b.batch as id,
      exists (select from settlement s where s.id = b.settlement_id and s.visit_id = b.visit_id)
      or exists (select from intent i where i.visit_id = b.visit_id and i.status = 'running'
        and b.settlement_id in (i.id, i.settlement_id)) as holds
    from charge_batch b where b.settlement_id is not null`,
);

const tendersAreTotal = agree(
  'Tenders and what is due at the counter sum to the total of their settlement',
  sql`
    select s.id, s.total as a, s.due_at_counter + coalesce(t.amount, 0) as b
    from settlement s
    left join (
      select settlement_id, sum(amount)::bigint as amount from tender group by settlement_id
    ) t on t.settlement_id = s.id`,
);

const referencesOnce = holdsForEach(
  'A counter tender has a reference, reserved for its settlement and used once in its hospital',
  sql`
    select t.settlement_id || ' tender ' || t.position as id,
      t.reference is not null
      and count(*) over (partition by s.hospital_code, t.kind, t.reference) = 1
      and exists (select from used_reference u where u.hospital_code = s.hospital_code
        and u.kind = t.kind and u.reference = t.reference and u.settlement_id = s.id) as holds
    from tender t join settlement s on s.id = t.settlement_id
    where t.kind in ('cash', 'wechatPay', 'alipay', 'bankCard', 'eCny', 'commercialInsurance',
      'subsidy', 'deposit')`,
);

const visitStates = holdsForEach(
  'A settled visit has every batch settled, and a cancelled one has no settlement',
  sql`
    select v.id, case v.status
        when 'settled' then coalesce(bool_and(s.id is not null), false)
        else not exists (select from settlement x where x.visit_id = v.id)
      end as holds
    from visit v
    left join charge_batch b on b.visit_id = v.id
    left join settlement s on s.id = b.settlement_id
    where v.status in ('settled', 'cancelled') group by v.id`,
);

const settlingHasIntent = holdsForEach(
  'A visit that is settling has a running intent',
  sql`
    select v.id,
      exists (select from intent i where i.visit_id = v.id and i.status = 'running') as holds
    from visit v where v.status = 'settling'`,
);

const closedStays = holdsForEach(
  'A stay that a settlement closed has ended, and nobody but an inpatient is discharged',
  sql`
    select s.id, case when v.kind <> 'inpatient' then v.discharged_at is null
        else s.is_interim or s.status = 'refunded'
          or coalesce(v.discharged_at >= v.started_at, false) end as holds
    from settlement s join visit v on v.id = s.visit_id`,
);

export const settlementLaws: readonly Law[] = [
  lineAmounts,
  batchIsLines,
  visitIsLines,
  totalIsBatches,
  batchIsTaken,
  tendersAreTotal,
  referencesOnce,
  visitStates,
  settlingHasIntent,
  closedStays,
];
