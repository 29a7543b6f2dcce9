// Queues the way back to an insurance settlement, in the transaction that closed the bill as self-pay.
import { sql } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { conversion } from '../db/schema.ts';
import { newId } from '../ids.ts';
import type { RouteName } from '../insurance/insurer.ts';

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
    route: RouteName;
    cause: ConversionCause;
    /** The 2207 of unknown fate whose truth must be learnt before anything is claimed. */
    unknownMsgid: string | null;
    before: { kind: string; amount: string; reference?: string }[];
    now: Date;
  },
): Promise<{ conversionId: string }> {
  const conversionId = newId('conversion');
  await tx.insert(conversion).values({
    id: conversionId,
    settlementId: order.settlementId,
    hospitalCode: order.hospitalCode,
    route: order.route,
    cause: order.cause,
    status: 'queued',
    attempts: [],
    before: order.before,
    outageId: sql`(select outage_id from insurance_route where route = ${order.route})`,
    unknownMsgid: order.unknownMsgid,
    unknownSince: order.unknownMsgid ? sql`clock_timestamp()` : null,
    nextAttemptAt: sql`clock_timestamp()`,
    createdAt: order.now,
  });
  return { conversionId };
}
