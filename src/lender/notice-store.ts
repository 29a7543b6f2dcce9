// Rows of lenders' notices. Law: a notice is numbered by its lender and taken once; the same one again is
// the same notice, another one of that number is refused.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { creditLine, lenderNotice, receivable, repayment } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { formatYuan } from '../money.ts';
import type { Notice } from './schemas.ts';

export type NoticeRow = typeof lenderNotice.$inferSelect;

/** What a notice is about, in the columns of its row. */
export interface About {
  lineId: string | null;
  receivableId: string | null;
  repaymentId: string | null;
}

/** Finds the line that a notice is about; 404 for another lender's. */
export async function aboutOf(tx: Tx, lender: string, notice: Notice): Promise<About> {
  const receivableId = 'receivableId' in notice ? (notice.receivableId ?? null) : null;
  const repaymentId = 'repaymentId' in notice ? notice.repaymentId : null;
  const asked = 'lineId' in notice ? notice.lineId : null;
  const ofDebt = receivableId ? await lineOf(tx, receivable, lender, receivableId) : null;
  const ofDebit = repaymentId ? await lineOf(tx, repayment, lender, repaymentId) : null;
  const lineId = asked ?? ofDebt ?? ofDebit;
  const [line] = await tx
    .select({ id: creditLine.id })
    .from(creditLine)
    .where(and(eq(creditLine.id, lineId ?? ''), eq(creditLine.lender, lender)));
  const isOne = !asked || !ofDebt || asked === ofDebt;
  if (!line || !isOne) throw new Refusal('resource/not-found');
  return { lineId: line.id, receivableId, repaymentId };
}

async function lineOf(
  tx: Tx,
  table: typeof receivable | typeof repayment,
  lender: string,
  id: string,
): Promise<string> {
  const [row] = await tx
    .select({ lineId: table.lineId })
    .from(table)
    .where(and(eq(table.id, id), eq(table.lender, lender)));
  if (!row) throw new Refusal('resource/not-found');
  return row.lineId;
}

/** A new row, or the one that this very notice made before. 409 notice/number-taken. */
export async function takeNotice(
  tx: Tx,
  from: { lender: string; client: string },
  notice: Notice,
  about: About,
  now: Date,
): Promise<{ row: NoticeRow; isNew: boolean }> {
  const { number, kind, reason, ...rest } = notice;
  const detail = detailOf(rest);
  const amount = 'amount' in notice ? (notice.amount ?? null) : null;
  const needsTwo = kind === 'hardship' || kind === 'writeOff';
  const [made] = await tx
    .insert(lenderNotice)
    .values({
      ...{ id: newId('lenderNotice'), lender: from.lender, number, kind, ...about, amount },
      ...{ detail, reason, maker: from.client, createdAt: now },
      status: needsTwo ? 'proposed' : 'applied',
      resolvedAt: needsTwo ? null : now,
    })
    .onConflictDoNothing({ target: [lenderNotice.lender, lenderNotice.number] })
    .returning();
  if (made) {
    await refuseSecondSerial(tx, made);
    return { row: made, isNew: true };
  }
  const [known] = await tx
    .select()
    .from(lenderNotice)
    .where(and(eq(lenderNotice.lender, from.lender), eq(lenderNotice.number, number)));
  const isSame =
    known?.kind === kind && JSON.stringify(sorted(known.detail)) === JSON.stringify(sorted(detail));
  if (!known || !isSame) throw new Refusal('notice/number-taken');
  return { row: known, isNew: false };
}

/** One debit of the bank is told of once, whatever the notices' numbers. */
async function refuseSecondSerial(tx: Tx, row: NoticeRow): Promise<void> {
  const { bankSerial } = row.detail as { bankSerial?: string };
  if (bankSerial === undefined) return;
  await tx.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`${row.lender} ${bankSerial}`}, 0))`,
  );
  const found = await rows(
    tx,
    sql`
    select 1 from lender_notice
    where lender = ${row.lender} and detail ->> 'bankSerial' = ${bankSerial} and id <> ${row.id}
    union all
    select 1 from repayment where lender = ${row.lender} and bank_serial = ${bankSerial}`,
  );
  if (found.length > 0) throw new Refusal('notice/wrong-state');
}

/** The body as it was sent: yuan strings, for people and for comparing. */
function detailOf(rest: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(rest, (_key, value) => (typeof value === 'bigint' ? formatYuan(value) : value)),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, part]) => [key, sorted(part)]));
}

/** Locks one of the lender's notices; 404 for another's. */
export async function lockNotice(tx: Tx, lender: string, id: string): Promise<NoticeRow> {
  const [row] = await tx
    .select()
    .from(lenderNotice)
    .where(and(eq(lenderNotice.id, id), eq(lenderNotice.lender, lender)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Newest first, from before the cursor id on. */
export function listNotices(
  db: Db,
  lender: string,
  window: { before: string | null; count: number },
): Promise<NoticeRow[]> {
  const mine = eq(lenderNotice.lender, lender);
  return db
    .select()
    .from(lenderNotice)
    .where(window.before ? and(mine, lt(lenderNotice.id, window.before)) : mine)
    .orderBy(desc(lenderNotice.id))
    .limit(window.count);
}

export function noticeView(row: NoticeRow) {
  return {
    id: row.id,
    number: row.number,
    kind: row.kind,
    status: row.status,
    lineId: row.lineId,
    receivableId: row.receivableId,
    repaymentId: row.repaymentId,
    amount: row.amount === null ? null : formatYuan(row.amount),
    reason: row.reason,
    detail: row.detail,
    maker: row.maker,
    checker: row.checker,
    createdAt: row.createdAt.toISOString(),
    resolvedAt: row.resolvedAt?.toISOString() ?? null,
  };
}
