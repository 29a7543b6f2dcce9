// Takes a lender's notice. Law: what costs the lender money or changes a debtor's plan takes effect only
// when a second person of the same lender approves it; everything else at once.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { lenderNotice } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { applyNotice } from './apply-notice.ts';
import { aboutOf, lockNotice, type NoticeRow, takeNotice } from './notice-store.ts';
import type { Notice } from './schemas.ts';

type Operator = CallerOf<'lenderOperator'>;

/** The notice as it stands: applied, or proposed until somebody else approves it. */
export async function giveNotice(tx: Tx, operator: Operator, notice: Notice): Promise<NoticeRow> {
  const now = await businessNow(tx);
  const about = await aboutOf(tx, operator.lender, notice);
  const { row, isNew } = await takeNotice(tx, operator, notice, about, now);
  if (isNew && row.status === 'applied') await applyNotice(tx, row, now);
  return row;
}

/** Refuses with resource/not-found, finance/same-person, notice/resolved, and as the effect does. */
export async function resolveNotice(
  tx: Tx,
  operator: Operator,
  order: { noticeId: string; decision: 'applied' | 'declined' },
): Promise<NoticeRow> {
  const row = await lockNotice(tx, operator.lender, order.noticeId);
  if (row.maker === operator.client) throw new Refusal('finance/same-person');
  if (row.status !== 'proposed') throw new Refusal('notice/resolved');
  const now = await businessNow(tx);
  if (order.decision === 'applied') await applyNotice(tx, row, now);
  const [saved] = await tx
    .update(lenderNotice)
    .set({ status: order.decision, checker: operator.client, resolvedAt: now })
    .where(eq(lenderNotice.id, row.id))
    .returning();
  assert(saved, 'the locked notice is there');
  return saved;
}
