// Facts that citizens, hospitals and lenders are told about, written in the transaction that makes
// them true. Names are noun and past tense; the list is closed so that readers can rely on it.

import type { Tx } from '../db/db.ts';
import { event } from '../db/schema.ts';
import { newId } from '../ids.ts';

export const eventTypes = [
  'creditLine.enrolled',
  'creditLine.closed',
  'creditLine.suspended',
  'creditLine.resumed',
  'creditLine.limitChanged',
  'consent.withdrawn',
  'hold.placed',
  'hold.changed',
  'hold.voided',
  'hold.captured',
  'hold.expired',
  'familyLink.created',
  'familyLink.accepted',
  'familyLink.ended',
  'visit.opened',
  'visit.cancelled',
  'visit.patientBound',
  'visit.settled',
  'settlement.settled',
  'settlement.awaitingInsurance',
  'settlement.paid',
  'settlement.undone',
  'settlement.refunded',
  'conversion.queued',
  'conversion.converted',
  'conversion.rejected',
  'conversion.cancelled',
  'refund.completed',
  'refund.failed',
  'moneyBack.sent',
  'moneyBack.failed',
  'voucher.issued',
  'voucher.paid',
  'receivable.created',
  'receivable.overdue',
  'receivable.paid',
  'repayment.paid',
  'repayment.failed',
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
