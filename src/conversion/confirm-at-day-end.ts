// 2601 is repeated for an old msgid at day end, too (domain.md, Learning the truth): what an insurer
// executed hours late, after the 2601 that followed the new claim, is found on the same night.
import { sql } from 'drizzle-orm';
import { rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { newId } from '../ids.ts';

/** A message is asked about again on the nights of these two days; later no insurer executes it. */
const NIGHTS = 2;

/**
 * Queues one `confirmReversal` a settlement and business day for the reversed claims of the days
 * before; the rows of the jobs tell what was done already. Returns how many were queued.
 */
export async function confirmAtDayEnd({ db }: Pick<Deps, 'db'>): Promise<number> {
  const queued = await rows(
    db,
    sql`
    with today as materialized (select business_date(business_now()) as day),
    due as (
      select distinct s.id from insurance_message m
      join settlement s on s.visit_id = m.visit_id, today
      where m.fate = 'reversed' and business_date(m.sent_at) < today.day
        and m.sent_at > clock_timestamp() - make_interval(days => ${NIGHTS}::int)
        and not exists (select 1 from job j where j.kind = 'confirmReversal'
          and j.subject_id = s.id and j.payload ->> 'day' = today.day::text)
    )
    insert into job (id, kind, subject_id, payload, next_attempt_at)
    select ${newId('job')}::text || '_' || row_number() over (), 'confirmReversal', due.id,
      jsonb_build_object('day', today.day), clock_timestamp()
    from due, today
    on conflict (kind, subject_id) where done_at is null do nothing
    returning 1`,
  );
  return queued.length;
}
