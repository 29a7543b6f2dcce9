// Finance sends a refused or stuck conversion round again, from its start.
import { eq, sql } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { conversion, settlement } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import { recordEvent } from '../outbox/events.ts';
import { refuseWhileBusy } from '../settlement/intent-store.ts';
import {
  type ConversionRow,
  findConversion,
  type LockedSettlement,
  lockConversion,
} from './conversion-store.ts';
import { selfPaidStatuses } from './request-conversion.ts';

/**
 * A rejected one is queued again and its settlement awaits insurance again; a queued one is tried at
 * once, and a claim of unknown fate stays one. Refuses with resource/not-found,
 * conversion/wrong-state (also where a newer one exists), conversion/not-possible, settlement/busy.
 */
export async function retryConversion(
  tx: Tx,
  staff: CallerOf<'staff'>,
  conversionId: string,
): Promise<ConversionRow> {
  const found = await findConversion(tx, conversionId, staff);
  const locked = await lockConversion(tx, found);
  const row = locked.conversion;
  if (row.status === 'claiming') throw new Refusal('settlement/busy', { retryAfterSeconds: 2 });
  const isNewest = locked.conversions.at(-1)?.id === row.id;
  if (!isNewest || (row.status !== 'queued' && row.status !== 'rejected')) {
    throw new Refusal('conversion/wrong-state');
  }
  await refuseWhileBusy(tx, row.settlementId);
  if (row.status === 'rejected') await awaitAgain(tx, locked);
  const [saved] = await tx
    .update(conversion)
    .set({
      status: 'queued',
      reason: null,
      resolvedAt: null,
      tries: 0,
      brokenClaims: 0,
      unknownSince: sql`case when unknown_msgid is not null then clock_timestamp() end`,
      nextAttemptAt: sql`clock_timestamp()`,
    })
    .where(eq(conversion.id, row.id))
    .returning();
  assert(saved, 'the locked conversion is there');
  return saved;
}

/** The settlement must still be as the refusal left it. */
async function awaitAgain(tx: Tx, locked: LockedSettlement): Promise<void> {
  const bill = locked.settlement;
  const isSelfPaid = selfPaidStatuses.some((status) => status === bill.insuranceStatus);
  if (!isSelfPaid || bill.refundable === 0n) throw new Refusal('conversion/not-possible');
  await tx
    .update(settlement)
    .set({ insuranceStatus: 'awaitingInsurance', insuranceReason: null })
    .where(eq(settlement.id, bill.id));
  await setAwaitsInsurance(tx, bill.id, true);
  await recordEvent(tx, {
    type: 'settlement.awaitingInsurance',
    hospitalCode: bill.hospitalCode,
    ...(bill.citizenId ? { citizenId: bill.citizenId } : {}),
    data: { settlementId: bill.id, visitId: bill.visitId },
    occurredAt: await businessNow(tx),
  });
}
