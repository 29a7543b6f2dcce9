// Law: a person is reminded once a due time and step, however many workers look, and never of what is over:
// a worker that was away sends the newest step only. Nothing for what awaits insurance (domain.md).
import { sql } from 'drizzle-orm';
import { dueOf } from '../credit/instalments.ts';
import { type CollectionRule, readCollectionRule } from '../credit/policy.ts';
import { rows, type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { type Fen, formatYuan } from '../money.ts';
import { type EventType, recordEvents } from '../outbox/events.ts';

type Step = 'remind3Days' | 'remind1Day' | 'due' | 'remindOverdue';

const eventOf: Record<Step, EventType> = {
  remind3Days: 'receivable.reminded',
  remind1Day: 'receivable.reminded',
  due: 'receivable.due',
  remindOverdue: 'receivable.overdueReminded',
};

const BATCH = 100;

interface NotedRow {
  receivable_id: string;
  citizen_id: string;
  owed: Fen;
  due_at: string;
  step: Step;
  now: string;
}

/** Reminds of what falls due, is due and is overdue; returns how many were told. */
export async function remindOfDebt(deps: Deps): Promise<number> {
  const rule = await readCollectionRule(deps.db);
  return transact(deps.db, async (tx) => {
    const noted = await noteSteps(tx, rule);
    if (noted.length === 0) return 0;
    await recordEvents(
      tx,
      noted.map((row) => ({
        type: eventOf[row.step],
        citizenId: row.citizen_id,
        data: {
          receivableId: row.receivable_id,
          amount: formatYuan(row.owed),
          dueAt: new Date(row.due_at).toISOString(),
        },
        occurredAt: new Date(row.now),
      })),
    );
    return noted.length;
  });
}

/** 20:00 of the day so many days before: a debt falls due at 23:00, and nobody is reminded at night. */
const eveningBefore = (days: number) => sql`least(r.due_at - make_interval(days => ${days}::int),
  (business_date(r.due_at) - ${days}::int + time '20:00') at time zone 'Asia/Shanghai')`;

/**
 * Each receivable is in one step at a time: 3 days before, 1 day before, due (for a day), and the last day
 * before the line is suspended. One made later than its step began is not told of it.
 */
function noteSteps(tx: Tx, rule: CollectionRule): Promise<NotedRow[]> {
  const [early, late] = rule.remindDays;
  const warned = Math.max(1, rule.suspendAfterDays - 1);
  return rows<NotedRow>(
    tx,
    sql`
    with clock as materialized (select business_now() as now),
    phase as materialized (
      select r.id, r.citizen_id, r.due_at, f.step, clock.now,
        case when r.due_at > clock.now then ${dueOf(sql`r.due_at`)} else ${dueOf(sql`clock.now`)} end
          as owed
      from clock cross join receivable r
      join credit_line l on l.id = r.line_id
      cross join lateral (values
        ('remind3Days', ${eveningBefore(early)}, ${eveningBefore(late)}),
        ('remind1Day', ${eveningBefore(late)}, r.due_at),
        ('due', r.due_at, r.due_at + interval '1 day'),
        ('remindOverdue', r.due_at + make_interval(days => ${warned}::int),
          r.due_at + make_interval(days => ${rule.suspendAfterDays}::int))
      ) as f(step, begins, ends)
      where r.amount > r.paid + r.reduced + r.written_off and not r.awaits_insurance
        and r.due_at > clock.now - make_interval(days => ${rule.suspendAfterDays + 1}::int)
        and r.due_at <= clock.now + make_interval(days => ${early + 1}::int)
        and clock.now >= f.begins and clock.now < f.ends and r.created_at < f.begins
        and l.frozen_for is distinct from 'death'
        and not exists (select 1 from dunning_step d
          where d.receivable_id = r.id and d.due_at = r.due_at and d.step = f.step)
      limit ${BATCH}::int
    ),
    noted as (
      insert into dunning_step (receivable_id, due_at, step, at)
      select id, due_at, step, now from phase
      on conflict do nothing
      returning receivable_id, step
    )
    select n.receivable_id, p.citizen_id, p.owed, p.due_at, p.step, p.now
    from noted n join phase p on p.id = n.receivable_id and p.step = n.step
    order by p.due_at, p.id`,
  );
}
