// Role: where discharge (2402) and its undoing (2405) enter the trades of a claim. Law: charges are
// uploaded only while the insurer has the patient in hospital.
import { businessNow, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { readStayPolicy } from '../inpatient/stay-policy.ts';
import { cancelDischarge2405, discharge2402 } from '../insurance/inpatient-trades.ts';
import type { StoredMessage } from '../insurance/message-store.ts';
import type { InsuredPerson } from '../insurance/person.ts';
import { batchesOf, type VisitRow } from '../visit/visit-store.ts';
import { type ClaimRun, must } from './claim-run.ts';
import type { SettlementOrder } from './settlement-order.ts';

/** Whether this settlement closes an inpatient's stay: it does when it leaves nothing unsettled. */
export async function closesStay(
  tx: Tx,
  row: VisitRow,
  order: SettlementOrder,
): Promise<SettlementOrder> {
  if (row.kind !== 'inpatient') return order;
  if (order.isInterim && row.dischargedAt) {
    const detail = '患者已出院，请办理出院结算 Discharged: what is left is settled at once';
    throw new Refusal('visit/wrong-state', { detail });
  }
  const all = await batchesOf(tx, row.id);
  const isRestLeft = all.some((b) => !b.settlementId && !order.batches.includes(b.batch));
  if (order.isInterim || isRestLeft) return { ...order, isInterim: true, dischargedAt: null };
  const leftAt = row.dischargedAt ?? (await businessNow(tx));
  return { ...order, dischargedAt: leftAt.toISOString() };
}

export type StayState = 'admitted' | 'discharged' | 'released' | 'unknown';

/** What 2402, 2404 and 2405 made of a registration, by their stored answers. Pure. */
export function stayStateOf(messages: readonly StoredMessage[], mdtrtId: string): StayState {
  let state: StayState = 'admitted';
  for (const message of messages) {
    const after = AFTER[message.infno];
    if (!after || registrationOf(message) !== mdtrtId) continue;
    const outcome = message.answer?.outcome ?? 'unknown';
    if (outcome === 'ok' || outcome === 'alreadyDone') state = after;
    else if (outcome === 'offline' || outcome === 'unknown') state = 'unknown';
  }
  return state;
}

const AFTER: Partial<Record<string, StayState>> = {
  '2402': 'discharged',
  '2404': 'released',
  '2405': 'admitted',
};

function registrationOf(message: StoredMessage): string | undefined {
  const { dscginfo, data } = message.request as Record<string, { mdtrt_id?: string } | undefined>;
  return (dscginfo ?? data)?.mdtrt_id;
}

/** 2405, where the insurer has (or may have) the patient out of hospital already. */
export async function readmit(
  run: ClaimRun,
  person: InsuredPerson,
  known: { mdtrtId: string; earlier: readonly StoredMessage[] },
): Promise<void> {
  if (!run.order.bill.claimVisit.stay) return;
  if (stayStateOf(known.earlier, known.mdtrtId) === 'admitted') return;
  const back = run.talk.change('2405', cancelDischarge2405(person, known.mdtrtId), 'inDoubt');
  await must(back);
}

/** 2402 before the settlement that closes a stay, in regions that want it in this order. */
export async function dischargeFirst(
  run: ClaimRun,
  person: InsuredPerson,
  mdtrtId: string,
): Promise<void> {
  const { claimVisit, hospital } = run.order.bill;
  const { stay } = claimVisit;
  if (!stay || stay.isInterim || !stay.dischargedAt) return;
  const { dischargeBeforeSettlement } = await readStayPolicy(run.deps.db, hospital.code);
  if (!dischargeBeforeSettlement) return;
  await must(run.talk.change('2402', discharge2402(person, claimVisit, mdtrtId), 'inDoubt'));
}
