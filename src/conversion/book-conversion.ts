// Books a conversion: the insured part flows to what is due, to what is owed on credit, then to what
// was paid, newest first. Law: tenders + dueAtCounter = total before and after, kept as a proof.
import { eq, sql } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import { settlement, tender } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import { openLegs } from '../ledger/open-legs.ts';
import { postEntry } from '../ledger/post.ts';
import { formatYuan, sumFen } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { reverseOldAgain } from '../settlement/ask-again.ts';
import { saveClaim } from '../settlement/book-settlement.ts';
import { refundedEntry } from '../settlement/entries.ts';
import { giveBack } from '../settlement/give-back.ts';
import { endIntent } from '../settlement/intent-store.ts';
import { lockSettlement, type SettlementRow, tendersOf } from '../settlement/settlement-store.ts';
import { insurerTenders } from '../settlement/waterfall.ts';
import { lockVisit } from '../visit/visit-store.ts';
import type { TakenConversion } from './convert-queue.ts';
import { markDrained } from './mark-drained.ts';

/** Books the insurer's settlement. False when somebody else took the run over: nothing is changed. */
export async function bookConversion(
  tx: Tx,
  deps: Deps,
  taken: TakenConversion,
  claimed: { split: ClaimSplit; msgid: string },
): Promise<boolean> {
  const { row: waiting, intent } = taken;
  await lockVisit(tx, intent.visitId, waiting.hospitalCode);
  const row = await lockSettlement(tx, waiting.settlementId, waiting.hospitalCode);
  if (!(await endIntent(tx, intent, 'finished'))) return false;
  assert(claimed.split.total === row.refundable, 'the claim is of what is left of the bill');
  const now = await businessNow(tx);
  const before = await partsOf(tx, row);
  const { split } = claimed;
  const insured = split.fund + split.account + split.hospitalBorne;
  const legs = await openLegs(tx, row.id);
  const { givenBack, credit } = await giveBack(tx, {
    settlement: row,
    causeId: waiting.id,
    cause: 'conversion',
    amount: insured,
    now,
  });
  const { hospitalCode } = row;
  const claimId = await saveClaim(tx, deps, { settlementId: row.id, hospitalCode, ...claimed });
  const entry = refundedEntry({
    fact: 'settlement.converted',
    causeId: waiting.id,
    settlementId: row.id,
    hospitalCode,
    occurredAt: split.setlTime ?? now,
    charges: 0n,
    oldClaim: null,
    newClaim: { ...split, claimId },
    givenBack,
    credit,
    openLegs: legs,
  });
  if (entry.legs.length > 0) await postEntry(tx, entry);
  await putInsurerFirst(tx, row, split, now);
  await setAwaitsInsurance(tx, row.id, false);
  const saved = await updateSettlement(tx, row);
  await keepProof(tx, waiting.id, { before, after: await partsOf(tx, saved), now });
  await tellEverybody(tx, saved, waiting.id, now);
  await reverseOldAgain(tx, { visitId: row.visitId, settlementId: row.id });
  await markDrained(tx, waiting.outageId);
  return true;
}

export type Part = { kind: string; amount: string; reference?: string };

/** The tenders and what is due, as the contract shows them in `before` and `after`. */
async function partsOf(tx: Tx, row: SettlementRow): Promise<Part[]> {
  const tenders = await tendersOf(tx, row.id);
  const parts: Part[] = tenders.map((t) => ({
    kind: t.kind,
    amount: formatYuan(t.amount),
    ...(t.reference ? { reference: t.reference } : {}),
  }));
  const due = { kind: 'dueAtCounter', amount: formatYuan(row.dueAtCounter) };
  const all = row.dueAtCounter > 0n ? [...parts, due] : parts;
  const sum = sumFen([...tenders.map((t) => t.amount), row.dueAtCounter]);
  assert(sum === row.total, `tenders + due = total of ${row.id}`);
  return all;
}

/** The tenders in the order of the waterfall: the insurer's parts before what the citizen carries. */
async function putInsurerFirst(tx: Tx, row: SettlementRow, split: ClaimSplit, now: Date) {
  const kept = await tendersOf(tx, row.id);
  await tx.delete(tender).where(eq(tender.settlementId, row.id));
  const insurer = insurerTenders(split).map((t) => ({
    kind: t.kind as string,
    amount: t.amount,
    reference: null,
    givenBack: 0n,
    paidAt: now,
  }));
  const all = [...insurer, ...kept].map((t, index) => ({
    ...t,
    settlementId: row.id,
    position: index + 1,
  }));
  if (all.length > 0) await tx.insert(tender).values(all);
}

async function updateSettlement(tx: Tx, row: SettlementRow): Promise<SettlementRow> {
  const [saved] = await tx
    .update(settlement)
    .set({
      insuranceStatus: 'converted',
      insuranceReason: null,
      ...(row.invoice ? { invoice: { ...row.invoice, status: 'replacementNeeded' } } : {}),
    })
    .where(eq(settlement.id, row.id))
    .returning();
  assert(saved, 'the locked settlement is there');
  return saved;
}

async function keepProof(
  tx: Tx,
  conversionId: string,
  proof: { before: Part[]; after: Part[]; now: Date },
): Promise<void> {
  const { before, after, now } = proof;
  const converted = await rows(
    tx,
    sql`
    update conversion set status = 'converted', reason = null, unknown_msgid = null,
      before = ${JSON.stringify(before)}::jsonb, after = ${JSON.stringify(after)}::jsonb,
      attempts = attempts || jsonb_build_array(jsonb_build_object(
        'at', clock_timestamp(), 'outcome', 'converted')),
      resolved_at = ${now.toISOString()}::timestamptz
    where id = ${conversionId} and status = 'claiming' returning 1`,
  );
  assert(converted.length === 1, 'a claiming conversion is converted once');
}

async function tellEverybody(
  tx: Tx,
  row: SettlementRow,
  conversionId: string,
  now: Date,
): Promise<void> {
  const about = {
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { settlementId: row.id, visitId: row.visitId, conversionId },
    occurredAt: now,
  };
  await recordEvent(tx, { ...about, type: 'settlement.converted' });
  if (row.invoice) await recordEvent(tx, { ...about, type: 'invoice.replacementNeeded' });
}
