// Laws of reconciliation: who settled a difference, what was booked for it, and what a run claims to have seen.
import { sql } from 'drizzle-orm';
import { holdsForEach, type Law } from './law.ts';

const adjustedByTwo = holdsForEach(
  'An adjustment is booked for one break, settled by a proposal that two people stand for',
  sql`
    select e.id, b.status = 'resolved' and b.resolution ->> 'entryId' is not distinct from
        case when b.resolution ? 'entryId' then e.id end
      and p.status = 'approved' and p.kind = 'breakRemedy' and p.subject_id = b.id
      and p.maker <> p.checker as holds
    from journal_entry e
    left join reconciliation_break b on b.id = e.subject_id
    left join proposal p on p.id = b.resolution ->> 'proposalId'
    where e.fact = 'break.adjusted'`,
);

const endedBySomebody = holdsForEach(
  'A break that is not open says how it ended: by a run that explained it, or by an approved proposal',
  sql`
    select b.id, case b.resolution ->> 'by'
        when 'reconciliation' then b.status = 'cleared' and r.status = 'done'
        when 'proposal' then b.status = 'resolved' and p.status = 'approved'
        else b.counterparty = 'counter' and b.resolution is not null end as holds
    from reconciliation_break b
    left join reconciliation r on r.id = b.resolution ->> 'reconciliationId'
    left join proposal p on p.id = b.resolution ->> 'proposalId'
    where b.status <> 'open'`,
);

const runsAddUp = holdsForEach(
  'A run that is done has both totals, and agrees in no more rows than its file has',
  sql`
    select id, coalesce(matched between 0 and theirs_count and ours_count >= 0
        and finished_at >= created_at, false) as holds
    from reconciliation where status = 'done'`,
);

export const reconciliationLaws: readonly Law[] = [adjustedByTwo, endedBySomebody, runsAddUp];
