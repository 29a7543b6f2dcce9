// Settles a bill on the phone: the same use case as at the counter, asked for by the patient or the
// guardian. Law: only insurance and credit pay by phone; what they leave stays due at the counter.
import { and, eq } from 'drizzle-orm';
import type { Tx } from '../db/db.ts';
import { visit } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { wardsOf } from '../family/wards.ts';
import type { RequestKey } from '../http/idempotency.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { logAccess } from '../identity/access-log.ts';
import type { SettlementRequest } from '../settlement/schemas.ts';
import { settleVisit } from '../settlement/settle-visit.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import { ownVisits } from './open-bills.ts';

export interface SettleBillCall {
  deps: Deps;
  key: RequestKey | null;
  caller: CallerOf<'citizen'>;
  visitId: string;
  request: SettlementRequest;
}

/**
 * POST /v1/me/bills/{visitId}/settlement. Refuses as settleVisit does; 404 for what is not theirs, and
 * 422 tender/not-by-phone, settlement/receipt-not-by-phone.
 */
export function settleBill(call: SettleBillCall): Promise<Reply> {
  const { deps, key, request } = call;
  const lock = async (tx: Tx) => {
    const row = await lockOwnVisit(tx, call);
    refuseCounterParts(request);
    return row;
  };
  return settleVisit({
    deps,
    key,
    request,
    lock,
    terminalId: null,
    settledBy: call.caller.citizenId,
  });
}

async function lockOwnVisit(tx: Tx, call: SettleBillCall): Promise<VisitRow> {
  const { deps, caller } = call;
  const wards = await wardsOf(tx, deps.keyring, caller.citizenId);
  const [row] = await tx
    .select()
    .from(visit)
    .where(and(eq(visit.id, call.visitId), ownVisits(caller.citizenId, wards)))
    .for('update');
  if (!row) throw new Refusal('resource/not-found');
  const { citizenId, hospitalCode } = row;
  if (citizenId && citizenId !== caller.citizenId) {
    const at = deps.realNow();
    const action = 'bill.settle';
    await logAccess(tx, { citizenId, actor: caller.client, hospitalCode, action, at });
  }
  return row;
}

/** The hospital's own takings and numbers: on a patient's word nobody would have to believe them. */
function refuseCounterParts(request: SettlementRequest): void {
  if (request.counterTenders?.length) throw new Refusal('tender/not-by-phone');
  if (request.receiptNumber !== undefined) throw new Refusal('settlement/receipt-not-by-phone');
}
