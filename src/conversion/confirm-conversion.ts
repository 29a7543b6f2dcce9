// In a region that asks the patient first: a conversion starts once they agree.
import { eq, sql } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { conversion } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import type { CallerOf } from '../http/route.ts';
import {
  type ConversionRow,
  findSettlementToConvert,
  lockConversions,
} from './conversion-store.ts';

/**
 * awaitingPatient → queued; repeated while it goes on, it is the same. Refuses with
 * resource/not-found, conversion/wrong-state.
 */
export async function confirmConversion(
  tx: Tx,
  citizen: CallerOf<'citizen'>,
  settlementId: string,
): Promise<ConversionRow> {
  const found = await findSettlementToConvert(tx, settlementId, citizen);
  const { conversions } = await lockConversions(tx, found);
  const newest = conversions.at(-1);
  if (!newest) throw new Refusal('resource/not-found');
  const isUnderWay = newest.status === 'queued' || newest.status === 'claiming';
  if (isUnderWay && newest.confirmedAt) return newest;
  if (newest.status !== 'awaitingPatient') throw new Refusal('conversion/wrong-state');
  const [saved] = await tx
    .update(conversion)
    .set({
      status: 'queued',
      confirmedAt: await businessNow(tx),
      nextAttemptAt: sql`clock_timestamp()`,
    })
    .where(eq(conversion.id, newest.id))
    .returning();
  assert(saved, 'the locked conversion is there');
  return saved;
}
