// Rows of refunds and the view that callers see: what came off the bill, and where it went.
import { asc, eq } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { moneyBack, type refund } from '../db/schema.ts';
import { formatYuan } from '../money.ts';

export type RefundRow = typeof refund.$inferSelect;

/** Parts that went back to the insurer and the hospital; kept with the refund's lines. */
export interface InsurerParts {
  kind: string;
  amount: string;
}

/** The refund as the contract shows it: `amount` is what came off the bill, the tenders sum to it. */
export async function refundView(tx: Tx | Db, row: RefundRow) {
  const back = await tx
    .select()
    .from(moneyBack)
    .where(eq(moneyBack.causeId, row.id))
    .orderBy(asc(moneyBack.position));
  const insurer = (row.insurerParts ?? []) as InsurerParts[];
  return {
    id: row.id,
    settlementId: row.settlementId,
    status: row.status,
    amount: formatYuan(row.amount),
    tenders: [
      ...insurer.map((part) => ({
        kind: part.kind,
        amount: formatYuan(BigInt(part.amount)),
        status: 'done',
      })),
      ...back.map((part) => ({
        kind: part.kind,
        amount: formatYuan(part.amount),
        status: part.status,
        ...(part.voucherCode ? { voucherCode: part.voucherCode } : {}),
      })),
    ],
    reason: row.reason,
    ...(row.failure ? { failure: row.failure } : {}),
  };
}
