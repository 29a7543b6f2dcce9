// What a refund was asked to be, as its intent keeps it over a crash; and the case it may end in.
import type { Tx } from '../db/db.ts';
import { financeCase } from '../db/schema.ts';
import { newId } from '../ids.ts';
import type { RefundedLine } from './refund-lines.ts';

/** Sealed in the intent. Amounts in fen as text. */
export interface RefundOrder {
  refundId: string;
  settlementId: string;
  hospitalCode: string;
  lines: RefundedLine[];
  amount: string;
  isWhole: boolean;
  reason: string;
}

/** A person must look: once per refund, with what was seen. */
export async function openCase(
  tx: Tx,
  order: RefundOrder,
  why: { code: string; now: Date; detail?: unknown },
): Promise<void> {
  await tx
    .insert(financeCase)
    .values({
      id: newId('financeCase'),
      kind: why.code,
      subjectId: order.refundId,
      hospitalCode: order.hospitalCode,
      detail: { settlementId: order.settlementId, ...(why.detail ? { seen: why.detail } : {}) },
      status: 'open',
      createdAt: why.now,
    })
    .onConflictDoNothing();
}
