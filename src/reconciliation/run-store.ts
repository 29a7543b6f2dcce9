// Rows of reconciliation runs. Law: the same file of the same day is the same run, whoever sends it again.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { reconciliation } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import type { SideTotals } from './staging-store.ts';

export type RunRow = typeof reconciliation.$inferSelect;

export interface NewRun {
  id: string;
  counterparty: string;
  businessDate: string;
  scope: string;
  hospitalCode: string | null;
  lender: string | null;
  format: string;
  /** Hex. */
  fileHash: string;
  createdBy: string;
}

/** One import of a counterparty's files at a time: neighbouring days clear each other's breaks. */
export async function lockCounterparty(
  tx: Tx,
  run: Pick<NewRun, 'counterparty' | 'scope'>,
): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(
    current_schema() || ' reconciliation ' || ${run.counterparty} || ' ' || ${run.scope}, 0))`);
}

/** The run that this file made before; null for a new file. */
export async function findRunOfFile(
  tx: Tx | Db,
  run: Pick<NewRun, 'counterparty' | 'scope' | 'businessDate' | 'fileHash'>,
): Promise<RunRow | null> {
  const [row] = await tx
    .select()
    .from(reconciliation)
    .where(
      sql`counterparty = ${run.counterparty} and scope = ${run.scope}
      and business_date = ${run.businessDate}::date and file_hash = ${run.fileHash}
      and status <> 'failed'`,
    );
  return row ?? null;
}

/** Begins a run within the transaction that ends it: nobody ever sees it running. */
export async function insertRun(tx: Tx, run: NewRun): Promise<void> {
  await tx.insert(reconciliation).values({
    ...{ ...run, status: 'running', detail: {}, createdAt: sql`business_now()` as unknown as Date },
  });
}

export interface RunResult {
  ours: SideTotals;
  theirs: SideTotals;
  matched: number;
  detail: Record<string, unknown>;
}

export async function finishRun(tx: Tx, id: string, result: RunResult): Promise<RunRow> {
  const { ours, theirs, matched, detail } = result;
  const [row] = await tx
    .update(reconciliation)
    .set({
      status: 'done',
      oursCount: ours.count,
      oursTotal: ours.amount,
      theirsCount: theirs.count,
      theirsTotal: theirs.amount,
      matched,
      detail,
      finishedAt: sql`business_now()` as unknown as Date,
    })
    .where(sql`id = ${id}`)
    .returning();
  if (!row) throw new Error('the run is in this transaction');
  return row;
}

/** Keeps that a file was refused, and why. */
export async function insertFailedRun(
  tx: Tx,
  run: NewRun,
  problem: Record<string, unknown>,
): Promise<void> {
  const now = sql`business_now()` as unknown as Date;
  await tx.insert(reconciliation).values({
    ...{ ...run, status: 'failed', detail: {}, problem, createdAt: now, finishedAt: now },
  });
}

/** A run that this person may see; 404 for another hospital's. */
export async function findRun(db: Db | Tx, staff: CallerOf<'staff'>, id: string): Promise<RunRow> {
  const [row] = await db
    .select()
    .from(reconciliation)
    .where(runOf(staff, sql`id = ${id}`));
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Newest first, from before the cursor id on. */
export function listRuns(
  db: Db,
  staff: CallerOf<'staff'>,
  filter: {
    counterparty?: string | undefined;
    businessDate?: string | undefined;
    status?: string | undefined;
  },
  window: { before: string | null; count: number },
): Promise<RunRow[]> {
  const { counterparty, businessDate, status } = filter;
  return db
    .select()
    .from(reconciliation)
    .where(
      runOf(
        staff,
        sql`${counterparty ? sql`counterparty = ${counterparty}` : sql`true`}
        and ${businessDate ? sql`business_date = ${businessDate}::date` : sql`true`}
        and ${status ? sql`status = ${status}` : sql`true`}
        and ${window.before === null ? sql`true` : sql`id < ${window.before}`}`,
      ),
    )
    .orderBy(sql`id desc`)
    .limit(window.count);
}

function runOf(staff: CallerOf<'staff'>, condition: SQL): SQL {
  return staff.hospitalCode
    ? sql`${condition} and hospital_code = ${staff.hospitalCode}`
    : condition;
}

/** The hospital and the lender exist. */
export async function areKnown(
  db: Db | Tx,
  place: { hospitalCode: string | null; lender: string | null },
): Promise<boolean> {
  const [row] = await rows<{ known: boolean }>(
    db,
    sql`
    select (${place.hospitalCode}::text is null
        or exists (select from hospital where code = ${place.hospitalCode}))
      and (${place.lender}::text is null
        or exists (select from lender where code = ${place.lender})) as known`,
  );
  return row?.known ?? false;
}
