// What a refund was asked to be, as its intent keeps it over a crash; and the case it may end in.
import type { Tx } from '../db/db.ts';
import { openCase } from '../finance/open-case.ts';
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
export async function openRefundCase(
  tx: Tx,
  order: RefundOrder,
  why: { code: string; now: Date; seen?: string },
): Promise<void> {
  const { refundId: subjectId, hospitalCode, settlementId } = order;
  const detail = { settlementId, ...(why.seen ? { seen: why.seen.slice(0, 300) } : {}) };
  await openCase(tx, { kind: why.code, subjectId, hospitalCode, detail, now: why.now });
}
