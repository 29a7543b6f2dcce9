// Books a conversion: the insured part flows to what is due, to what is owed on credit, then to what
// was paid, newest first. Law: tenders + dueAtCounter = total before and after, kept as a proof.
import { sql } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { businessNow, rows, type Tx } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { assert } from '../errors.ts';
import { newId } from '../ids.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import { storeAnswer } from '../insurance/message-store.ts';
import { openLegs } from '../ledger/open-legs.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, formatYuan, sumFen } from '../money.ts';
import { recordEvents } from '../outbox/events.ts';
import { reverseOldAgain } from '../settlement/ask-again.ts';
import { saveClaim } from '../settlement/book-settlement.ts';
import { refundedEntry } from '../settlement/entries.ts';
import { giveBack } from '../settlement/give-back.ts';
import { endIntent } from '../settlement/intent-store.ts';
import {
  lockSettlement,
  type SettlementRow,
  type TenderRow,
  tendersOf,
} from '../settlement/settlement-store.ts';
import type { Talk } from '../settlement/talk.ts';
import { insurerKinds, insurerTenders, isInsurers } from '../settlement/waterfall.ts';
import type { TakenConversion } from './convert-queue.ts';

/** Books the insurer's settlement. False when somebody else took the run over: nothing is changed. */
export async function bookConversion(
  tx: Tx,
  deps: Deps,
  taken: TakenConversion,
  claimed: { split: ClaimSplit; msgid: string; unsaved?: Talk['unsaved'] },
): Promise<boolean> {
  const { row: waiting, intent } = taken;
  const { split, unsaved } = claimed;
  const [visit] = await rows<{ kind: string }>(
    tx,
    sql`select kind from visit where id = ${intent.visitId} for update`,
  );
  const row = await lockSettlement(tx, waiting.settlementId, waiting.hospitalCode);
  const [isOurs, now, paid, legs] = await Promise.all([
    endIntent(tx, intent, 'finished'),
    businessNow(tx),
    tendersOf(tx, row.id),
    openLegs(tx, row.id),
  ]);
  if (!isOurs) return false;
  assert(split.total === row.refundable, 'the claim is of what is left of the bill');
  const { givenBack, credit, off, due } = await giveBack(tx, {
    settlement: row,
    tenders: paid,
    causeId: waiting.id,
    cause: 'conversion',
    amount: split.fund + split.account + split.hospitalBorne,
    now,
  });
  const { hospitalCode } = row;
  const claimId = newId('claim');
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
  const after = insurerFirst(row.id, paid, { split, off, now });
  const saved = { ...row, dueAtCounter: row.dueAtCounter - due };
  const { msgid } = claimed;
  await Promise.all([
    saveClaim(tx, deps, { claimId, settlementId: row.id, hospitalCode, split, msgid }),
    unsaved && storeAnswer(tx, deps.keyring, unsaved.msgid, unsaved.answer),
    writeTenders(tx, row.id, after),
    markConverted(tx, row),
    setAwaitsInsurance(tx, row.id, false),
    keepProof(tx, waiting.id, { before: partsOf(row, paid), after: partsOf(saved, after), now }),
    tellEverybody(tx, row, waiting.id, now),
    reverseOldAgain(tx, { visitId: row.visitId, settlementId: row.id }),
  ]);
  if (entry.legs.length > 0) await postEntry(tx, entry);
  await closeStay(tx, { id: row.visitId, kind: visit?.kind ?? '' });
  return true;
}

export type Part = { kind: string; amount: string; reference?: string };

/** The tenders and what is due, as the contract shows them in `before` and `after`. */
function partsOf(row: SettlementRow, tenders: readonly TenderRow[]): Part[] {
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

/**
 * The tenders in the order of the waterfall: the insurer's parts before what the citizen carries.
 * What is left of an earlier claim's was taken off the bill since; it is shown in one with the new.
 */
function insurerFirst(
  settlementId: string,
  paid: readonly TenderRow[],
  by: { split: ClaimSplit; off: ReadonlyMap<number, Fen>; now: Date },
): TenderRow[] {
  const kept = paid
    .map((t) => ({ ...t, amount: t.amount - (by.off.get(t.position) ?? 0n) }))
    .filter((t) => t.amount > 0n);
  const fromInsurer = [...insurerTenders(by.split), ...kept];
  const insurer = insurerKinds.map((kind) => ({
    ...{ settlementId, kind, reference: null, givenBack: 0n, paidAt: by.now },
    amount: sumFen(fromInsurer.filter((t) => t.kind === kind).map((t) => t.amount)),
  }));
  return [...insurer.filter((t) => t.amount > 0n), ...kept.filter((t) => !isInsurers(t.kind))].map(
    (t, index) => ({ ...t, position: index + 1 }),
  );
}

async function writeTenders(tx: Tx, settlementId: string, tenders: TenderRow[]): Promise<void> {
  const written = tenders.map((t) => ({
    ...t,
    amount: t.amount.toString(),
    givenBack: t.givenBack.toString(),
  }));
  await rows(
    tx,
    sql`
    with surplus as (
      delete from tender where settlement_id = ${settlementId} and position > ${tenders.length}::int
    )
    insert into tender (settlement_id, position, kind, amount, reference, given_back, paid_at)
    select ${settlementId}, position, kind, amount, reference, "givenBack", "paidAt"
    from jsonb_to_recordset(${JSON.stringify(written)}::jsonb) as t(position int, kind text,
      amount bigint, reference text, "givenBack" bigint, "paidAt" timestamptz)
    on conflict (settlement_id, position) do update set kind = excluded.kind,
      amount = excluded.amount, reference = excluded.reference,
      given_back = excluded.given_back, paid_at = excluded.paid_at`,
  );
}

async function markConverted(tx: Tx, row: SettlementRow): Promise<void> {
  await rows(
    tx,
    sql`
    update settlement set insurance_status = 'converted', insurance_reason = null,
      invoice = case when invoice is not null
        then invoice || '{"status": "replacementNeeded"}'::jsonb end
    where id = ${row.id}`,
  );
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
  await recordEvents(tx, [
    { ...about, type: 'settlement.converted' },
    ...(row.invoice ? [{ ...about, type: 'invoice.replacementNeeded' as const }] : []),
  ]);
}
