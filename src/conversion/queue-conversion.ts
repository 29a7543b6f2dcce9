// Queues the way back to an insurance settlement, in the transaction that closed the bill as self-pay.
import { eq, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { conversion, hospital } from '../db/schema.ts';
import { assert } from '../errors.ts';
import { newId } from '../ids.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { recordEvent } from '../outbox/events.ts';
import { conversionModeOf } from './region-policy.ts';

export const conversionCauses = [
  'insurerOffline',
  'insurerUnknown',
  'forgottenCredential',
  'lateFiling',
  'coverRestored',
  'retroactiveCover',
] as const;
export type ConversionCause = (typeof conversionCauses)[number];

/** Inserts the queued conversion; a worker finds it there. `before` are the tenders as the contract shows them. */
export async function queueConversion(
  tx: Tx,
  order: {
    settlementId: string;
    hospitalCode: string;
    /** Who is told that their word is needed; absent: whoever asked for it tells them. */
    citizenId?: string | null;
    route: RouteName;
    cause: ConversionCause;
    /** The 2207 of unknown fate whose truth must be learnt before anything is claimed. */
    unknownMsgid: string | null;
    /** The answer of that 2207 broke its own sums: it is one of the claims that may do so. */
    isBroken?: boolean;
    before: { kind: string; amount: string; reference?: string }[];
    now: Date;
  },
): Promise<{ conversionId: string }> {
  const conversionId = newId('conversion');
  // A claim of unknown fate is looked into at once, whoever is asked before anything is claimed.
  const isAsked = !order.unknownMsgid && (await asksPatient(tx, order.hospitalCode));
  await tx.insert(conversion).values({
    id: conversionId,
    settlementId: order.settlementId,
    hospitalCode: order.hospitalCode,
    route: order.route,
    cause: order.cause,
    status: isAsked ? 'awaitingPatient' : 'queued',
    attempts: [],
    before: order.before,
    outageId: sql`(select outage_id from insurance_route where route = ${order.route})`,
    unknownMsgid: order.unknownMsgid,
    unknownSince: order.unknownMsgid ? sql`clock_timestamp()` : null,
    brokenClaims: order.isBroken ? 1 : 0,
    nextAttemptAt: sql`clock_timestamp()`,
    createdAt: order.now,
  });
  if (isAsked) {
    await recordEvent(tx, {
      type: 'conversion.confirmationNeeded',
      hospitalCode: order.hospitalCode,
      citizenId: order.citizenId ?? null,
      data: { conversionId, settlementId: order.settlementId },
      occurredAt: order.now,
    });
  }
  return { conversionId };
}

/** True in regions where the patient must agree before anything is claimed. */
export async function asksPatient(tx: Tx | Db, hospitalCode: string): Promise<boolean> {
  const [row] = await tx
    .select({ region: hospital.region })
    .from(hospital)
    .where(eq(hospital.code, hospitalCode));
  assert(row, `hospital ${hospitalCode} exists`);
  return (await conversionModeOf(tx, row.region)) === 'patientConfirms';
}
