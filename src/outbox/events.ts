// Facts that citizens, hospitals and lenders are told about, written in the transaction that makes
// them true. Names are noun and past tense; the list is closed so that readers can rely on it.
// Law: with a fact, and in the same statement, one delivery is queued for each endpoint that asked for
// it; a hospital's endpoint is told of no other hospital's visits.
import { type SQL, sql } from 'drizzle-orm';
import { atEnd, type Tx } from '../db/db.ts';
import { together } from '../db/statements.ts';
import { newId } from '../ids.ts';

/** What a webhook endpoint may ask for; the rest of our events are told to the citizen only. */
export const webhookEventTypes = [
  'visit.opened',
  'hold.placed',
  'hold.expired',
  'settlement.settled',
  'settlement.awaitingInsurance',
  'settlement.converted',
  'refund.completed',
  'receivable.due',
  'receivable.overdue',
  'receivable.paid',
  'line.suspended',
  'payout.paid',
  'insurance.offline',
  'insurance.recovered',
] as const;

export type WebhookEventType = (typeof webhookEventTypes)[number];

export type EventType =
  | WebhookEventType
  | 'conversion.rejected'
  | 'conversion.cancelled'
  | 'conversion.confirmationNeeded'
  | 'hold.confirmationNeeded'
  | 'voucher.paid'
  | 'line.enrolled'
  | 'line.closed'
  | 'consent.withdrawn'
  | 'familyLink.requested'
  | 'familyLink.active'
  | 'familyLink.changed'
  | 'familyLink.ended'
  | 'hold.runningOut'
  | 'visit.discharged'
  | 'visit.dischargeCancelled'
  | 'refund.late'
  | 'repayment.failed'
  | 'repayment.returned'
  | 'receivable.reminded'
  | 'receivable.overdueReminded'
  | 'receivable.planned'
  | 'receivable.writtenOff'
  | 'line.restored'
  | 'line.frozen'
  | 'line.limitChanged'
  | 'scoreReport.told'
  | 'scoreReport.sent'
  | 'scoreReport.ended'
  | 'invoice.replacementNeeded';

/** About nobody's visit or debt: every endpoint that asks for them is told. */
const cityWide: readonly WebhookEventType[] = ['insurance.offline', 'insurance.recovered'];

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
export function recordEvent(tx: Tx, fact: NewEvent): Promise<void> {
  return recordEvents(tx, [fact]);
}

/** Records facts and queues their deliveries. One statement, whoever listens. */
export async function recordEvents(tx: Tx, facts: readonly NewEvent[]): Promise<void> {
  await together(tx, eventParts(facts));
}

/** `recordEvents` together with the commit. */
export function recordAtEnd(tx: Tx, facts: readonly NewEvent[]): void {
  const { fact, told } = eventParts(facts);
  atEnd(tx, sql`with fact as (${fact}) ${told}`);
}

/** `recordEvents` as parts of a larger statement. */
export function eventParts(facts: readonly NewEvent[]): { fact: SQL; told: SQL } {
  const written = facts.map((fact) => ({
    id: newId('event'),
    type: fact.type,
    hospital_code: fact.hospitalCode ?? null,
    citizen_id: fact.citizenId ?? null,
    data: fact.data,
    occurred_at: fact.occurredAt.toISOString(),
  }));
  return {
    fact: sql`
      insert into event (id, type, hospital_code, citizen_id, data, occurred_at)
      select id, type, hospital_code, citizen_id, data, occurred_at
      from jsonb_to_recordset(${JSON.stringify(written)}::jsonb) as f(id text, type text,
        hospital_code text, citizen_id text, data jsonb, occurred_at timestamptz)
      returning id, type, hospital_code`,
    told: sql`
      insert into job (id, kind, subject_id, payload, next_attempt_at)
      select ${newId('job')}::text || '_' || row_number() over (), 'deliverWebhook',
        fact.id || ':' || w.id, jsonb_build_object('eventId', fact.id, 'endpointId', w.id),
        clock_timestamp()
      from fact join webhook_endpoint w on w.event_types ? fact.type and w.disabled_at is null
        and (w.hospital_code is null or w.hospital_code = fact.hospital_code
          or ${JSON.stringify(cityWide)}::jsonb ? fact.type)
      where not exists (
        select 1 from terminal t where t.client_id = w.client and t.revoked_at is not null)`,
  };
}
