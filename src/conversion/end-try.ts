// Ends a try that did not convert: queued again, or finally refused with a finance case. Law: a
// refused conversion is never forgotten silently, and nothing is dunned while one is open.
import { eq, sql } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { conversion, settlement } from '../db/schema.ts';
import { openCase } from '../finance/open-case.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { recordEvent } from '../outbox/events.ts';
import { endIntent } from '../settlement/intent-store.ts';
import { lockSettlement, type SettlementRow } from '../settlement/settlement-store.ts';
import { lockVisit, type VisitRow } from '../visit/visit-store.ts';
import type { TakenConversion } from './convert-queue.ts';

/** What of a try is kept for finance: when, how it ended, why. */
export interface Ending {
  outcome: string;
  reason: string;
}

/**
 * Back into the queue. `unknownMsgid`: the 2207 whose truth must be learnt first, null when the last
 * one's is known now. `route`: where the patient turned out to be insured; absent: not learnt.
 */
export async function requeue(
  tx: Tx,
  taken: TakenConversion,
  next: Ending & {
    seconds: number;
    unknownMsgid?: string | null;
    isBroken?: boolean;
    route?: RouteName | null;
  },
): Promise<void> {
  if (!(await release(tx, taken))) return;
  const learns = next.unknownMsgid !== undefined;
  const msgid = next.unknownMsgid ?? null;
  await rows(
    tx,
    sql`
    update conversion set status = 'queued', reason = ${next.reason.slice(0, 300)},
      next_attempt_at = clock_timestamp() + make_interval(secs => ${next.seconds}),
      unknown_msgid = case when ${learns}::boolean then ${msgid} else unknown_msgid end,
      unknown_since = case when ${msgid}::text is null then unknown_since
        else coalesce(unknown_since, clock_timestamp()) end,
      route = coalesce(${next.route ?? null}::text, route),
      broken_claims = broken_claims + ${next.isBroken ? 1 : 0},
      attempts = ${attemptsWith(next)}
    where id = ${taken.row.id} and status = 'claiming'`,
  );
}

/** Finally refused: the settlement stays self-pay, and a person is told why. */
export async function reject(
  tx: Tx,
  taken: TakenConversion,
  refused: { kind: string; reason: string },
): Promise<void> {
  const row = await releaseForGood(tx, taken);
  if (!row) return;
  const now = await businessNow(tx);
  await rows(
    tx,
    sql`
    update conversion set status = 'rejected', reason = ${refused.reason.slice(0, 300)},
      unknown_msgid = null, resolved_at = ${now.toISOString()}::timestamptz,
      attempts = ${attemptsWith({ outcome: 'rejected', reason: refused.reason })}
    where id = ${taken.row.id} and status = 'claiming'`,
  );
  await tx
    .update(settlement)
    .set({ insuranceStatus: 'rejected', insuranceReason: refused.reason.slice(0, 300) })
    .where(eq(settlement.id, row.id));
  await setAwaitsInsurance(tx, row.id, false);
  await openCase(tx, {
    ...refused,
    subjectId: taken.row.id,
    hospitalCode: row.hospitalCode,
    detail: { settlementId: row.id },
    now,
  });
  await recordEvent(tx, {
    type: 'conversion.rejected',
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { settlementId: row.id, conversionId: taken.row.id },
    occurredAt: now,
  });
}

/** No live claim is left, and the region wants the patient's word before another is made. */
export async function awaitPatient(tx: Tx, taken: TakenConversion): Promise<void> {
  const row = await release(tx, taken);
  if (!row) return;
  await tx
    .update(conversion)
    .set({ status: 'awaitingPatient', unknownMsgid: null, unknownSince: null })
    .where(eq(conversion.id, taken.row.id));
  await recordEvent(tx, {
    type: 'conversion.confirmationNeeded',
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { settlementId: row.id, conversionId: taken.row.id },
    occurredAt: await businessNow(tx),
  });
}

/** Nothing is left to claim: a wholly refunded visit is never claimed. */
export async function cancelRefunded(tx: Tx, taken: TakenConversion): Promise<void> {
  const row = await releaseForGood(tx, taken);
  if (!row) return;
  await tx
    .update(conversion)
    .set({ status: 'cancelled', reason: 'refunded', resolvedAt: await businessNow(tx) })
    .where(eq(conversion.id, taken.row.id));
  await tx.update(settlement).set({ insuranceStatus: 'reversed' }).where(eq(settlement.id, row.id));
  await setAwaitsInsurance(tx, row.id, false);
}

/** Locks in order and ends the run; null when somebody else took it over. */
async function release(tx: Tx, taken: TakenConversion): Promise<SettlementRow | null> {
  return (await releaseBoth(tx, taken))?.row ?? null;
}

/** The same where nothing will be claimed: an admission made for a claim must not stay open. */
async function releaseForGood(tx: Tx, taken: TakenConversion): Promise<SettlementRow | null> {
  const released = await releaseBoth(tx, taken);
  if (released) await closeStay(tx, released.visit);
  return released?.row ?? null;
}

async function releaseBoth(
  tx: Tx,
  { row: waiting, intent }: TakenConversion,
): Promise<{ visit: VisitRow; row: SettlementRow } | null> {
  const visit = await lockVisit(tx, intent.visitId, waiting.hospitalCode);
  const row = await lockSettlement(tx, waiting.settlementId, waiting.hospitalCode);
  return (await endIntent(tx, intent, 'finished')) ? { visit, row } : null;
}

/** The last tries are kept; a long outage must not grow a row without end. */
const MAX_ATTEMPTS = 50;

function attemptsWith(ending: Ending) {
  const entry = sql`jsonb_build_array(jsonb_build_object('at', clock_timestamp(),
    'outcome', ${ending.outcome}::text, 'reason', ${ending.reason.slice(0, 300)}::text))`;
  return sql`case when jsonb_array_length(attempts) < ${MAX_ATTEMPTS}
    then attempts || ${entry} else (attempts - 0) || ${entry} end`;
}
