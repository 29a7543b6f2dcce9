// Rows of breaks. Law: a difference of a day is one break however often its file comes; what two people
// settled, or another day's file explained, is not opened again by the same old file.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { reconciliationBreak } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';
import type { BreakKind } from './break-catalogue.ts';

export type BreakRow = typeof reconciliationBreak.$inferSelect;

export interface NewBreak {
  reconciliationId: string | null;
  counterparty: string;
  /** Hospital or lender; empty: the city's. */
  scope: string;
  /** `${businessDate} ${bill}`: the same difference in the next file has the same. */
  subject: string;
  kind: BreakKind;
  businessDate: string;
  hospitalCode: string | null;
  lender: string | null;
  settlementId: string | null;
  ourAmount: Fen | null;
  theirAmount: Fen | null;
  isSelfClearing: boolean;
  remedy: string;
  /** {ours, theirs}: ids, amounts, times; no name, no diagnosis. */
  evidence: Record<string, unknown>;
}

/**
 * Opens breaks or brings open ones up to date (their owner stays). One that was settled with the same
 * amounts, or that another day's file explained, stays closed. Returns how many are open now.
 */
export async function openBreaks(tx: Tx, breaks: readonly NewBreak[]): Promise<number> {
  if (breaks.length === 0) return 0;
  const written = breaks.map(({ ourAmount, theirAmount, ...each }) => ({
    ...each,
    id: newId('reconciliationBreak'),
    ourAmount: ourAmount?.toString() ?? null,
    theirAmount: theirAmount?.toString() ?? null,
  }));
  const opened = await rows(
    tx,
    sql`
    insert into reconciliation_break as b (id, reconciliation_id, counterparty, scope, subject, kind,
      business_date, hospital_code, lender, settlement_id, our_amount, their_amount, status,
      is_self_clearing, remedy, evidence, opened_at)
    select n.id, n."reconciliationId", n.counterparty, n.scope, n.subject, n.kind, n."businessDate",
      n."hospitalCode", n.lender, n."settlementId", n."ourAmount", n."theirAmount", 'open',
      n."isSelfClearing", n.remedy, n.evidence, business_now()
    from jsonb_to_recordset(${JSON.stringify(written)}::jsonb) as n(id text, "reconciliationId" text,
      counterparty text, scope text, subject text, kind text, "businessDate" date,
      "hospitalCode" text, lender text, "settlementId" text, "ourAmount" bigint,
      "theirAmount" bigint, "isSelfClearing" boolean, remedy text, evidence jsonb)
    where not exists (
      select from reconciliation_break old
      where old.business_date = n."businessDate" and old.counterparty = n.counterparty
        and old.scope = n.scope and old.subject = n.subject
        and old.our_amount is not distinct from n."ourAmount"
        and old.their_amount is not distinct from n."theirAmount"
        and (old.status = 'resolved' or (old.status = 'cleared' and old.resolution ? 'counterDate')))
    on conflict (counterparty, scope, subject) where status = 'open' do update
      set kind = excluded.kind, our_amount = excluded.our_amount,
        their_amount = excluded.their_amount, is_self_clearing = excluded.is_self_clearing,
        remedy = excluded.remedy, evidence = excluded.evidence || jsonb_build_object('seenBy',
          coalesce(b.evidence -> 'seenBy', '[]') || to_jsonb(excluded.reconciliation_id)),
        version = b.version
          + (b.kind <> excluded.kind or b.evidence - 'seenBy' <> excluded.evidence)::int
    returning 1`,
  );
  return opened.length;
}

/** A break that this person may see; 404 for another hospital's. */
export async function findBreak(
  tx: Tx | Db,
  staff: CallerOf<'staff'>,
  id: string,
  lock: 'for update' | '' = '',
): Promise<BreakRow> {
  const found = tx
    .select()
    .from(reconciliationBreak)
    .where(breakOf(staff, sql`id = ${id}`));
  const [row] = await (lock ? found.for('update') : found);
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

export interface BreakFilter {
  /** The run that saw it first, or again. */
  reconciliationId?: string | undefined;
  status?: string | undefined;
  kind?: string | undefined;
  counterparty?: string | undefined;
  businessDate?: string | undefined;
  hospitalCode?: string | undefined;
  /** A person's client id, or "none". */
  owner?: string | undefined;
  /** Whole days open, at least. */
  age?: number | undefined;
}

/** Newest first, from before the cursor id on. */
export function listBreaks(
  db: Db | Tx,
  staff: CallerOf<'staff'>,
  filter: BreakFilter,
  window: { before: string | null; count: number },
): Promise<BreakRow[]> {
  const { owner, age } = filter;
  const equal = (column: SQL, value: string | undefined) =>
    value === undefined ? sql`true` : sql`${column} = ${value}`;
  return db
    .select()
    .from(reconciliationBreak)
    .where(
      breakOf(
        staff,
        sql`${filter.reconciliationId === undefined ? sql`true` : seenBy(filter.reconciliationId)}
        and ${equal(sql`status`, filter.status)} and ${equal(sql`kind`, filter.kind)}
        and ${equal(sql`counterparty`, filter.counterparty)}
        and ${filter.businessDate ? sql`business_date = ${filter.businessDate}::date` : sql`true`}
        and ${equal(sql`hospital_code`, filter.hospitalCode)}
        and ${owner === 'none' ? sql`owner is null` : equal(sql`owner`, owner)}
        and ${age === undefined ? sql`true` : sql`opened_at <= business_now() - make_interval(days => ${age}::int)`}
        and ${window.before === null ? sql`true` : sql`id < ${window.before}`}`,
      ),
    )
    .orderBy(sql`id desc`)
    .limit(window.count);
}

const seenBy = (runId: string) =>
  sql`(reconciliation_id = ${runId} or (evidence -> 'seenBy' ? ${runId}
    and business_date = (select business_date from reconciliation where id = ${runId})))`;

/** A role limited to one hospital sees that hospital's breaks. */
function breakOf(staff: CallerOf<'staff'>, condition: SQL): SQL {
  return staff.hospitalCode
    ? sql`${condition} and hospital_code = ${staff.hospitalCode}`
    : condition;
}

/** Ends an open break. False when it was not open any more. */
export async function endBreak(
  tx: Tx,
  id: string,
  end: { status: 'cleared' | 'resolved'; resolution: Record<string, unknown> },
): Promise<boolean> {
  const ended = await rows(
    tx,
    sql`
    update reconciliation_break set status = ${end.status}, resolved_at = business_now(),
      resolution = ${JSON.stringify(end.resolution)}::jsonb, version = version + 1
    where id = ${id} and status = 'open' returning 1`,
  );
  return ended.length > 0;
}
