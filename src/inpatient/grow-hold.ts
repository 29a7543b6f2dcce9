// Law: an inpatient's hold grows with the charges, up to what is available and never above what needs
// the payer's own act; before it runs out the payer and the hospital are warned, once for each step.
import { sql } from 'drizzle-orm';
import type { VisitKind } from '../credit/policy.ts';
import { setHold } from '../credit/set-hold.ts';
import { readStepUp } from '../credit/step-up.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { type Fen, formatYuan, maxFen, minFen, parseYuan, ratioOf } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import { readStayPolicy, type StayPolicy } from './stay-policy.ts';

/**
 * After a charge, under the visit's lock. Changes nothing where no hold was wanted or given.
 * `settlingNow`: fen of a one-scan's charges, which belong to its settlement from the first.
 */
export async function growHold(tx: Tx, visit: VisitRow, settlingNow: Fen = 0n): Promise<void> {
  if (visit.kind !== 'inpatient' || !visit.payerCitizenId) return;
  const seen = await readHeld(tx, visit.id, settlingNow);
  // Captured by an interim settlement: the stay goes on, and so does its hold.
  if (seen?.status !== 'placed' && seen?.status !== 'captured') return;
  const policy = await readStayPolicy(tx, visit.hospitalCode);
  const before = seen.status === 'placed' ? seen.amount : 0n;
  if (!sharePassed(seen.unsettled, before, policy)) return;
  const wanted = await wantedHold(tx, visit, seen.unsettled, policy);
  const held = wanted > before ? await raise(tx, visit, { before, wanted }) : before;
  const share = sharePassed(seen.unsettled, held, policy);
  if (share) await warnOnce(tx, visit, { share, held, unsettled: seen.unsettled });
}

interface Held {
  status: string;
  amount: Fen;
  unsettled: Fen;
}

/** The visit's newest hold, and what is charged and belongs to no settlement. */
async function readHeld(tx: Tx, visitId: string, settlingNow: Fen): Promise<Held | undefined> {
  const [row] = await rows<Held>(
    tx,
    sql`
    select h.status, h.amount,
      (select coalesce(sum(total), 0)::bigint from charge_batch
        where visit_id = ${visitId} and settlement_id is null) + ${settlingNow}::bigint as unsettled
    from hold h where h.visit_id = ${visitId} order by h.placed_at desc, h.id desc limit 1`,
  );
  return row;
}

/** The largest share of the hold that the charges have passed; null: none. */
function sharePassed(unsettled: Fen, held: Fen, { holdShares }: StayPolicy): string | null {
  const passed = holdShares.filter((share) => unsettled > ratioOf(held, share));
  return passed.sort().at(-1) ?? null;
}

/** Whole steps, so that the charges stay within the first share of it; never what needs a step-up. */
async function wantedHold(
  tx: Tx,
  visit: VisitRow,
  unsettled: Fen,
  policy: StayPolicy,
): Promise<Fen> {
  const step = parseYuan(policy.holdStep);
  const [first = '1'] = [...policy.holdShares].sort();
  let wanted = maxFen(step, ((unsettled + step - 1n) / step) * step);
  while (unsettled > ratioOf(wanted, first)) wanted += step;
  const stepUp = await readStepUp(tx, visit);
  return stepUp ? minFen(wanted, stepUp.ceiling) : wanted;
}

/** What is held now. A line that gives nothing more leaves the hold as it is. */
async function raise(
  tx: Tx,
  visit: VisitRow,
  { before, wanted }: { before: Fen; wanted: Fen },
): Promise<Fen> {
  try {
    const hold = await setHold(tx, {
      visitId: visit.id,
      payerCitizenId: visit.payerCitizenId,
      amount: wanted,
      isPartialAllowed: true,
      visitKind: visit.kind as VisitKind,
      isEmergency: false,
    });
    return hold.amount;
  } catch (error) {
    if (error instanceof Refusal) return before;
    throw error;
  }
}

async function warnOnce(
  tx: Tx,
  visit: VisitRow,
  now: { share: string; held: Fen; unsettled: Fen },
): Promise<void> {
  const { share, held } = now;
  const data = {
    visitId: visit.id,
    share,
    held: formatYuan(held),
    charged: formatYuan(now.unsettled),
  };
  const told = await rows(
    tx,
    sql`
    select 1 from event where type = 'hold.runningOut' and citizen_id = ${visit.payerCitizenId}
      and data ->> 'visitId' = ${visit.id} and data ->> 'share' = ${share}
      and data ->> 'held' = ${data.held} limit 1`,
  );
  if (told.length > 0) return;
  await recordEvent(tx, {
    type: 'hold.runningOut',
    hospitalCode: visit.hospitalCode,
    citizenId: visit.payerCitizenId,
    data,
    occurredAt: await businessNow(tx),
  });
}
