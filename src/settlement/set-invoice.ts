// A settlement carries the hospital's electronic invoice; it may be replaced until money comes back.
import { eq } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { settlement } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { lockSettlement, type SettlementRow } from './settlement-store.ts';

/** 409 invoice/wrong-state once another invoice is there and a refund or conversion refers to it. */
export async function setInvoice(
  tx: Tx,
  hospitalCode: string,
  settlementId: string,
  invoice: { code: string; number: string },
): Promise<SettlementRow> {
  const row = await lockSettlement(tx, settlementId, hospitalCode);
  const known = row.invoice as { code: string; number: string } | null;
  const isSame = known?.code === invoice.code && known.number === invoice.number;
  if (known && !isSame && row.status === 'refunded') throw new Refusal('invoice/wrong-state');
  const [saved] = await tx
    .update(settlement)
    .set({ invoice })
    .where(eq(settlement.id, settlementId))
    .returning();
  assert(saved, 'the locked settlement is there');
  return saved;
}
