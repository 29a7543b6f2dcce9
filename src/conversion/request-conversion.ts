// A terminal or the patient asks that a self-paid settlement be turned into an insurance settlement:
// forgotten card, late filing, cover restored, newborn. From the queue on it is the same machine as
// after an outage (domain.md, Not only outages).
import { eq } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, type Tx } from '../db/db.ts';
import { conversion, settlement } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { once, peekKey, type RequestKey } from '../http/idempotency.ts';
import type { CallerOf, Reply } from '../http/route.ts';
import { logAccess } from '../identity/access-log.ts';
import { routeOf } from '../insurance/regions.ts';
import { formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { refuseWhileBusy } from '../settlement/intent-store.ts';
import { type SettlementRow, tendersOf } from '../settlement/settlement-store.ts';
import { readHospital } from '../visit/open-visit.ts';
import { type Asked, confirmPatient, identifyPatient } from './confirm-patient.ts';
import {
  type ConversionRow,
  conversionView,
  findSettlementToConvert,
  isOpen,
  type LockedSettlement,
  lockConversions,
  type Part,
} from './conversion-store.ts';
import { CLAIMS_BY_HAND } from './opt-out.ts';
import { queueConversion } from './queue-conversion.ts';
import { conversionModeOf } from './region-policy.ts';
import type { ConversionRequest } from './schemas.ts';

/** Insurance statuses of a bill that was settled without the insurer. */
export const selfPaidStatuses = ['skipped', 'notInsured', 'rejected'] as const;
/** Each request stops dunning until it is resolved: a citizen may not put a debt off for ever. */
const MAX_ASKED_BY_CITIZEN = 3;

export interface RequestCall {
  deps: Deps;
  key: RequestKey | null;
  caller: CallerOf<'terminal'> | CallerOf<'citizen'>;
  settlementId: string;
  request: ConversionRequest;
}

/**
 * 202 with the conversion. Refuses with resource/not-found, conversion/under-way,
 * conversion/not-possible, settlement/busy, and for the credential as identify() does.
 */
export async function requestConversion(call: RequestCall): Promise<Reply> {
  const { deps, caller } = call;
  const replay = await peekKey(deps.db, call.key);
  if (replay) return replay;
  const found = await findSettlementToConvert(deps.db, call.settlementId, caller);
  const hospital = await readHospital(deps.db, found.hospitalCode);
  const { credential } = call.request;
  const patient = credential ? await identifyPatient(deps, caller, credential, hospital) : null;
  return once(call, async (tx) => {
    const locked = await lockConversions(tx, found);
    refuseUnlessConvertible(locked, caller);
    await refuseWhileBusy(tx, found.id);
    const citizenId = await confirmPatient(tx, deps, { locked, patient, hospital });
    const row = await queue(tx, call, { locked, patient, hospital });
    await tellAll(tx, call, { ...locked.settlement, citizenId }, row);
    return { status: 202, body: await conversionView(tx, row) };
  });
}

function refuseUnlessConvertible(
  { settlement: bill, conversions }: LockedSettlement,
  caller: RequestCall['caller'],
): void {
  const open = conversions.find(isOpen);
  if (open) throw new Refusal('conversion/under-way', { extra: { conversionId: open.id } });
  const isSelfPaid = selfPaidStatuses.some((status) => status === bill.insuranceStatus);
  if (!isSelfPaid) throw notPossible('不是自费结算 Not a self-paid settlement');
  if (bill.refundable === 0n) throw notPossible('已无可报销费用 Nothing is left to claim');
  // The invoice may be on its way to the insurance office: only the patient knows that it is not.
  if (caller.kind === 'terminal' && isClaimedByHand(conversions.at(-1))) {
    throw notPossible(CLAIMS_BY_HAND);
  }
  const asked = conversions.filter((row) => row.requestedBy === caller.client);
  if (caller.kind === 'citizen' && asked.length >= MAX_ASKED_BY_CITIZEN) {
    throw notPossible('申请次数已达上限，请到医院办理 Asked too often; please go to the hospital');
  }
}

/** The patient's own word, given in the app; what a terminal gave up it may ask for again. */
function isClaimedByHand(newest: ConversionRow | undefined): boolean {
  if (newest?.status !== 'cancelled' || newest.reason !== CLAIMS_BY_HAND) return false;
  const last = (newest.attempts as { by?: string }[]).at(-1);
  return last?.by === 'citizen';
}

/** Queued, or waiting for the patient where the region asks them and a terminal asked for it. */
async function queue(tx: Tx, call: RequestCall, asked: Asked): Promise<ConversionRow> {
  const { locked, hospital } = asked;
  const { settlement: bill } = locked;
  const now = await businessNow(tx);
  const { conversionId } = await queueConversion(tx, {
    settlementId: bill.id,
    hospitalCode: bill.hospitalCode,
    route: routeOf(hospital.region, insuredRegionOf(asked)),
    cause: call.request.cause,
    unknownMsgid: null,
    before: await partsOf(tx, bill),
    now,
  });
  const isCitizen = call.caller.kind === 'citizen';
  const asksPatient = (await conversionModeOf(tx, hospital.region)) === 'patientConfirms';
  const [row] = await tx
    .update(conversion)
    .set({
      status: asksPatient && !isCitizen ? 'awaitingPatient' : 'queued',
      confirmedAt: isCitizen ? now : null,
      requestedBy: call.caller.client,
      // Asked for by somebody: not one of the visits that an outage cost.
      outageId: null,
    })
    .where(eq(conversion.id, conversionId))
    .returning();
  assert(row, 'the conversion is queued');
  await tx
    .update(settlement)
    .set({ insuranceStatus: 'awaitingInsurance', insuranceReason: null })
    .where(eq(settlement.id, bill.id));
  await setAwaitsInsurance(tx, bill.id, true);
  return row;
}

function insuredRegionOf({ locked, patient }: Asked): string | null {
  if (patient?.lookup.outcome === 'found') return patient.lookup.person.insuredRegion;
  return (locked.visit.insured as { region?: string }).region ?? null;
}

/** The tenders and what is due, which sum to the total. */
async function partsOf(tx: Tx, bill: SettlementRow): Promise<Part[]> {
  const tenders = await tendersOf(tx, bill.id);
  const parts = tenders.map(({ kind, amount, reference }) => ({
    kind,
    amount: formatYuan(amount),
    ...(reference ? { reference } : {}),
  }));
  if (bill.dueAtCounter === 0n) return parts;
  return [...parts, { kind: 'dueAtCounter', amount: formatYuan(bill.dueAtCounter) }];
}

async function tellAll(
  tx: Tx,
  { deps, caller }: RequestCall,
  bill: SettlementRow,
  row: ConversionRow,
): Promise<void> {
  const { citizenId, hospitalCode } = bill;
  if (caller.kind === 'terminal' && citizenId) {
    const at = deps.realNow();
    const action = 'conversion.request';
    await logAccess(tx, { citizenId, actor: caller.client, hospitalCode, action, at });
  }
  const isAsked = row.status === 'awaitingPatient';
  await recordEvent(tx, {
    type: isAsked ? 'conversion.confirmationNeeded' : 'settlement.awaitingInsurance',
    hospitalCode,
    ...(citizenId ? { citizenId } : {}),
    data: { settlementId: bill.id, visitId: bill.visitId, conversionId: row.id },
    occurredAt: row.createdAt,
  });
}

function notPossible(detail: string): Refusal {
  return new Refusal('conversion/not-possible', { detail });
}
