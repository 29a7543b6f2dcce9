// Law: what is due is debited by itself, once a line and slot however many workers look: while the consent
// is there, nothing that awaits insurance, nothing that is under way, nothing of a dead person's.
// A: note the debit → ask the bank outside any transaction → B: book its answer.
import { sql } from 'drizzle-orm';
import { dueOf } from '../credit/instalments.ts';
import { type CollectionRule, readCollectionRule } from '../credit/policy.ts';
import { businessNow, type Db, rows, type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { type Fen, sumFen } from '../money.ts';
import { beginRepayment } from './begin-repayment.ts';
import { DUE_WINDOW_MINUTES, retrySlot, type Slot } from './debit-slots.ts';
import { finishRepayment } from './finish-repayment.ts';
import type { RepaymentRow } from './repayment-store.ts';
import { sendDebit } from './send-debit.ts';

/** So many banks' answers are waited for at once. */
const BATCH = 20;

/** Debits what is due now; returns how many debits were sent. */
export async function debitDue(deps: Deps): Promise<number> {
  const rule = await readCollectionRule(deps.db);
  const lines = await linesDue(deps.db, retrySlot(await businessNow(deps.db), rule.retry));
  const sent = await Promise.all(lines.map((id) => debitLine(deps, id, rule)));
  return sent.filter(Boolean).length;
}

async function debitLine(deps: Deps, lineId: string, rule: CollectionRule): Promise<boolean> {
  const row = await transact(deps.db, (tx) => begin(tx, lineId, rule));
  if (!row) return false;
  const answer = await sendDebit(deps, row);
  await transact(deps.db, (tx) => finishRepayment(tx, row.id, answer));
  return true;
}

/** Looks again under the line's lock; null when somebody else was here, or nothing is due any more. */
async function begin(tx: Tx, lineId: string, rule: CollectionRule): Promise<RepaymentRow | null> {
  const [line] = await rows<{ id: string; lender: string; citizen_id: string }>(
    tx,
    sql`
    select id, lender, citizen_id from credit_line where id = ${lineId} for update`,
  );
  const retry = retrySlot(await businessNow(tx), rule.retry);
  const due = await rows<{ id: string; owed: Fen; slot: string }>(
    tx,
    sql`
    select r.id, ${dueOf(sql`d.now`)} as owed, d.slot
    from receivable r join (${debitable(retry, lineId)}) d on d.id = r.id
    order by d.slot, r.id for update of r`,
  );
  const [first] = due;
  if (!line || !first) return null;
  const allocations = due
    .filter((part) => part.slot === first.slot)
    .map((part) => ({ receivableId: part.id, amount: part.owed }));
  return beginRepayment(tx, {
    citizenId: line.citizen_id,
    line,
    amount: sumFen(allocations.map((part) => part.amount)),
    by: { cause: 'autoDebit', slot: first.slot },
    allocations,
  });
}

/** The lines with something to debit, the longest due first. */
async function linesDue(db: Db, retry: Slot | null): Promise<string[]> {
  const found = await rows<{ line_id: string }>(
    db,
    sql`
    select line_id from (${debitable(retry, null)}) d
    group by line_id order by min(due_at) limit ${BATCH}::int`,
  );
  return found.map((row) => row.line_id);
}

/** Receivables to debit (id, line_id, due_at, slot, now): at their own due time, or in the retry's slot. */
function debitable(retry: Slot | null, lineId: string | null) {
  const at = retry?.at.toISOString() ?? null;
  const after = retry?.dueAfter.toISOString() ?? null;
  const dueName = sql`to_char(r.due_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD"T"HH24:MI')`;
  return sql`
    select r.id, r.line_id, r.due_at, s.slot, clock.now
    from (select business_now() as now offset 0) clock
    cross join receivable r
    join credit_line l on l.id = r.line_id
    cross join lateral (
      select case
        when r.due_at > clock.now - make_interval(mins => ${DUE_WINDOW_MINUTES}::int) then ${dueName}
        when r.due_at > ${after}::timestamptz and r.due_at <= ${at}::timestamptz
          then ${retry?.slot ?? null}::text end as slot
    ) s
    where (${lineId}::text is null or r.line_id = ${lineId}::text)
      and r.amount > r.paid + r.reduced + r.written_off
      and r.due_at <= clock.now and not r.awaits_insurance and s.slot is not null
      and r.due_at > coalesce(${after}::timestamptz,
        clock.now - make_interval(mins => ${DUE_WINDOW_MINUTES}::int))
      and l.status <> 'closed' and l.frozen_for is distinct from 'death'
      and ${dueOf(sql`clock.now`)} > 0
      and exists (
        select 1 from consent c
        where c.citizen_id = r.citizen_id and c.kind = 'autoDebit' and c.withdrawn_at is null)
      and not exists (
        select 1 from repayment_allocation a where a.receivable_id = r.id and a.is_open)
      and not exists (
        select 1 from repayment p where p.line_id = r.line_id and p.slot = s.slot)`;
}
