// Ends a conversion that nobody will claim. Law: one of unknown fate ends only when the truth is
// known and no live claim is left; what is owed then falls due anew (domain.md, Refunds; No dunning).
import { eq, sql } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { conversion, settlement } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import { recordEvent } from '../outbox/events.ts';
import { refuseWhileBusy } from '../settlement/intent-store.ts';
import {
  type ConversionRow,
  isOpen,
  type LockedSettlement,
  lockConversion,
} from './conversion-store.ts';

export interface Ending {
  /** What the bill's insurance is from now on: given up by the patient, or refused. */
  insurance: 'skipped' | 'rejected';
  reason: string;
  by: 'citizen' | 'terminal' | 'finance';
}

/**
 * Finance's decision, once approved: an open conversion is cancelled and its settlement's insurance
 * is rejected with the reason. One that is rejected already stays as it is. Refuses with
 * conversion/wrong-state, conversion/fate-unknown, settlement/busy.
 */
export async function closeConversion(
  tx: Tx,
  found: ConversionRow,
  reason: string,
): Promise<ConversionRow> {
  const locked = await lockConversion(tx, found);
  const row = locked.conversion;
  if (row.status === 'rejected') return row;
  if (!isOpen(row)) throw new Refusal('conversion/wrong-state');
  return endConversion(tx, locked, row, { insurance: 'rejected', reason, by: 'finance' });
}

/** Cancels an open, locked conversion. Refuses while it is claimed or a claim's fate is not known. */
export async function endConversion(
  tx: Tx,
  { visit, settlement: bill }: Pick<LockedSettlement, 'visit' | 'settlement'>,
  row: ConversionRow,
  ending: Ending,
): Promise<ConversionRow> {
  if (row.status === 'claiming') throw new Refusal('settlement/busy', { retryAfterSeconds: 2 });
  await refuseWhileBusy(tx, bill.id);
  if (row.unknownMsgid) throw new Refusal('conversion/fate-unknown');
  const { reason } = ending;
  const now = await businessNow(tx);
  const attempt = JSON.stringify([{ at: now, outcome: 'cancelled', by: ending.by, reason }]);
  const [saved] = await tx
    .update(conversion)
    .set({
      status: 'cancelled',
      reason,
      resolvedAt: now,
      attempts: sql`attempts || ${attempt}::jsonb`,
    })
    .where(eq(conversion.id, row.id))
    .returning();
  assert(saved, 'the locked conversion is there');
  await tx
    .update(settlement)
    .set({ insuranceStatus: ending.insurance, insuranceReason: reason })
    .where(eq(settlement.id, bill.id));
  await setAwaitsInsurance(tx, bill.id, false);
  await closeStay(tx, visit);
  await recordEvent(tx, {
    type: 'conversion.cancelled',
    hospitalCode: bill.hospitalCode,
    ...(bill.citizenId ? { citizenId: bill.citizenId } : {}),
    data: { settlementId: bill.id, conversionId: row.id },
    occurredAt: now,
  });
  return saved;
}
