// Law: the person may object to a report before it is sent, once; then two people of finance decide, and
// nothing is sent meanwhile (domain.md, Repayment).
import { and, desc, eq, lt } from 'drizzle-orm';
import { businessNow, type Db, type Tx } from '../db/db.ts';
import { scoreReport } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import type { Keyring } from '../identity/keyring.ts';

export type ReportRow = typeof scoreReport.$inferSelect;

/** The finance case of an objection. */
export const OBJECTION_CASE = 'credit/report-objection';

/** Refuses with resource/not-found, report/wrong-state. */
export async function objectToReport(
  tx: Tx,
  keyring: Keyring,
  order: { citizenId: string; reportId: string; text: string },
): Promise<ReportRow> {
  const [row] = await tx
    .select()
    .from(scoreReport)
    .where(and(eq(scoreReport.id, order.reportId), eq(scoreReport.citizenId, order.citizenId)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  if (row.status !== 'told' || row.objectedAt) throw new Refusal('report/wrong-state');
  const now = await businessNow(tx);
  const objection = keyring.seal(order.text);
  const saved = await save(tx, row, { status: 'objected', objection, objectedAt: now });
  const subject = { subjectId: row.id, hospitalCode: null };
  const detail = { sendAfter: row.sendAfter.toISOString() };
  await openCase(tx, { kind: OBJECTION_CASE, ...subject, detail, now });
  return saved;
}

/** Finance decided, by two people: upheld, nothing is sent; refused, it is sent now. */
export async function decideObjection(
  tx: Tx,
  reportId: string,
  decision: 'upheld' | 'refused',
): Promise<void> {
  const [row] = await tx
    .select()
    .from(scoreReport)
    .where(eq(scoreReport.id, reportId))
    .for('update');
  // The debt may have gone away meanwhile, and the report with it.
  if (row?.status !== 'objected') return;
  const now = await businessNow(tx);
  const sendAfter = row.sendAfter > now ? row.sendAfter : now;
  if (decision === 'upheld') await save(tx, row, { status: 'dropped', reason: 'objection upheld' });
  else await save(tx, row, { status: 'told', sendAfter });
}

async function save(tx: Tx, row: ReportRow, change: Partial<ReportRow>): Promise<ReportRow> {
  const [saved] = await tx
    .update(scoreReport)
    .set(change)
    .where(eq(scoreReport.id, row.id))
    .returning();
  return saved ?? row;
}

/** What the person wrote, for whoever decides; null for a report that is gone or without objection. */
export async function objectionText(
  db: Db,
  keyring: Keyring,
  reportId: string,
): Promise<{ citizenId: string; text: string } | null> {
  const [row] = await db.select().from(scoreReport).where(eq(scoreReport.id, reportId));
  if (!row?.objection) return null;
  return { citizenId: row.citizenId, text: keyring.open(row.objection) };
}

/** Newest first, from before the cursor id on. */
export function listReports(
  db: Db,
  citizenId: string,
  window: { before: string | null; count: number },
): Promise<ReportRow[]> {
  const mine = eq(scoreReport.citizenId, citizenId);
  return db
    .select()
    .from(scoreReport)
    .where(window.before ? and(mine, lt(scoreReport.id, window.before)) : mine)
    .orderBy(desc(scoreReport.id))
    .limit(window.count);
}

/** As the person sees it: a report that ended because all was repaid is cleared, not taken back. */
export function reportView(row: ReportRow) {
  const isCleared = row.status === 'withdrawn' && row.reason === 'repaid';
  return {
    id: row.id,
    status: isCleared ? 'cleared' : row.status,
    receivableIds: row.receivableIds,
    toldAt: row.toldAt.toISOString(),
    sendAfter: row.sendAfter.toISOString(),
    objectedAt: row.objectedAt?.toISOString() ?? null,
    reportedAt: row.reportedAt?.toISOString() ?? null,
    endedAt: row.withdrawnAt?.toISOString() ?? null,
  };
}
