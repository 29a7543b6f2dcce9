// Facts that citizens, hospitals and lenders are told about, written in the transaction that makes
// them true. Names are noun and past tense; the list is closed so that readers can rely on it.

import type { Tx } from '../db/db.ts';
import { event } from '../db/schema.ts';
import { newId } from '../ids.ts';

export const eventTypes = [
  'visit.opened',
  'hold.placed',
  'hold.expired',
  'settlement.settled',
  'settlement.awaitingInsurance',
  'settlement.converted',
  'conversion.rejected',
  'refund.completed',
  'voucher.paid',
  'receivable.due',
  'receivable.overdue',
  'receivable.paid',
  'line.enrolled',
  'line.closed',
  'line.suspended',
  'consent.withdrawn',
  'repayment.failed',
  'payout.paid',
  'insurance.offline',
  'insurance.recovered',
  'invoice.replacementNeeded',
] as const;

export type EventType = (typeof eventTypes)[number];

export interface NewEvent {
  type: EventType;
  hospitalCode?: string | null;
  citizenId?: string | null;
  /** JSON: ids, yuan strings and dates; never names, ID numbers or diagnoses. */
  data: Record<string, unknown>;
  /** Business time of the fact. */
  occurredAt: Date;
}

/** Records a fact with the transaction that made it. */
export async function recordEvent(tx: Tx, fact: NewEvent): Promise<void> {
  await tx.insert(event).values({
    id: newId('event'),
    type: fact.type,
    hospitalCode: fact.hospitalCode ?? null,
    citizenId: fact.citizenId ?? null,
    data: fact.data,
    occurredAt: fact.occurredAt,
  });
}
