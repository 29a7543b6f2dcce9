// The hold that a visit opens with. Law: it is placed with the visit or declined with a reason, and a
// decline never refuses the visit; above the step-up it gets as far as it may and the payer is asked.
import { eq } from 'drizzle-orm';
import { placeHoldWithin, STEP_UP_NEEDED, type StepUp } from '../credit/step-up.ts';
import type { Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import { isOwnAct } from '../identity/credential-strength.ts';
import type { Identified } from '../identity/credentials.ts';
import { formatYuan } from '../money.ts';
import { type NewEvent, recordAtEnd } from '../outbox/events.ts';
import { askConfirmation } from './confirmation-store.ts';
import type { OpenVisit } from './schemas.ts';
import type { VisitRow } from './visit-store.ts';

export interface FirstHold {
  row: VisitRow;
  request: OpenVisit;
  /** Null: the payer acted, or the policy asks for nothing. */
  stepUp: StepUp | null;
}

/** Places the hold and records that the visit was opened and the hold placed, one statement each. */
export async function placeFirstHold(tx: Tx, order: FirstHold): Promise<VisitRow> {
  const { row, request, stepUp } = order;
  const wish = {
    visitId: row.id,
    payerCitizenId: row.payerCitizenId,
    visitKind: request.kind,
    amount: request.holdAmount ?? null,
    isPartialAllowed: request.allowPartialHold ?? false,
    isEmergency: request.kind === 'emergency',
  };
  const { result, toConfirm } = await placeHoldWithin(tx, wish, stepUp);
  const facts = [visitOpened(row)];
  if ('hold' in result) {
    const { id: holdId, amount } = result.hold;
    const data = { holdId, amount: formatYuan(amount) };
    facts.push(eventOf(row, 'hold.placed', row.payerCitizenId, data));
  }
  recordAtEnd(tx, facts);
  if (toConfirm !== null) await askConfirmation(tx, row, toConfirm);
  const decline = 'decline' in result ? result.decline : toConfirm === null ? null : STEP_UP_NEEDED;
  if (decline === null) return row;
  await tx.update(visit).set({ holdDecline: decline }).where(eq(visit.id, row.id));
  return { ...row, holdDecline: decline };
}

/** The fact that a visit was opened. */
export function visitOpened(row: VisitRow): NewEvent {
  const { visitNumber, kind } = row;
  return eventOf(row, 'visit.opened', row.citizenId, { visitNumber, kind });
}

/**
 * True when whoever pays has shown that they are there: the patient for themselves, a relative who
 * stands there as the proxy and pays.
 */
export function isPayersAct(
  row: Pick<VisitRow, 'citizenId' | 'payerCitizenId' | 'proxyCitizenId'>,
  shown: { patient: Identified | null; proxy: Identified | null },
): boolean {
  const { payerCitizenId } = row;
  if (payerCitizenId === null) return false;
  if (payerCitizenId === row.citizenId) return isOwnAct(shown.patient?.credentialKind ?? null);
  const isProxy = payerCitizenId === row.proxyCitizenId;
  return isProxy && isOwnAct(shown.proxy?.credentialKind ?? null);
}

function eventOf(
  row: VisitRow,
  type: 'visit.opened' | 'hold.placed',
  citizenId: string | null,
  data: Record<string, unknown>,
): NewEvent {
  return {
    type,
    hospitalCode: row.hospitalCode,
    citizenId,
    data: { visitId: row.id, ...data },
    occurredAt: row.openedAt,
  };
}
