// Books a conversion: the insured part flows to what is due, to what is owed on credit, then to what
// was paid, newest first. Law: tenders + dueAtCounter = total before and after, kept as a proof.
import { type SQL, sql } from 'drizzle-orm';
import { setAwaitsInsurance } from '../credit/await-insurance.ts';
import { rows, type Tx } from '../db/db.ts';
import { settlement } from '../db/schema.ts';
import { readRowsBeside, together } from '../db/statements.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { closeStay } from '../inpatient/close-stay.ts';
import type { ClaimSplit } from '../insurance/insurer.ts';
import { legOf, legsOf, type SentLeg } from '../ledger/open-legs.ts';
import { entryParts } from '../ledger/post.ts';
import { type Fen, formatYuan, sumFen } from '../money.ts';
import { eventParts, type NewEvent } from '../outbox/events.ts';
import { askToReverseAgain, reversedClaims } from '../settlement/ask-again.ts';
import { endRun } from '../settlement/end-run.ts';
import { refundedEntry } from '../settlement/entries.ts';
import { giveBack } from '../settlement/give-back.ts';
import { claimPart } from '../settlement/settled-rows.ts';
import {
  type SentTender,
  type SettlementRow,
  sentTenders,
  type TenderRow,
  tenderOf,
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
  const { split, unsaved, msgid } = claimed;
  // Sent together and done in this order.
  const [[visit], { row, paid, legs }, run] = await Promise.all([
    rows<{ kind: string; has_reversed: boolean }>(
      tx,
      sql`
      select kind, exists (${reversedClaims(intent.visitId)}) as has_reversed
      from visit where id = ${intent.visitId} for update`,
    ),
    lockWhole(tx, waiting.settlementId, waiting.hospitalCode),
    endRun(tx, deps, intent, unsaved ?? null),
  ]);
  if (!run.is_ours) return false;
  const now = new Date(run.now);
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
  const proof = { before: partsOf(row, paid), after: partsOf(saved, after), now };
  const [[proved]] = await Promise.all([
    together(
      tx,
      {
        claimed: claimPart(deps, { claimId, settlementId: row.id, hospitalCode, split, msgid }),
        ...tenderParts(row.id, after),
        marked: markConverted(row),
        proved: keepProof(waiting.id, proof),
        ...eventParts(factsOf(row, waiting.id, now)),
        ...(entry.legs.length > 0 ? entryParts(entry).parts : {}),
      },
      sql`select 1 from proved`,
    ),
    setAwaitsInsurance(tx, row.id, false),
    visit?.has_reversed && askToReverseAgain(tx, row.id),
  ]);
  assert(proved, 'a claiming conversion is converted once');
  await closeStay(tx, { id: row.visitId, kind: visit?.kind ?? '' });
  return true;
}

/** The settlement, locked, with its tenders by position and its legs that are not wholly undone. */
async function lockWhole(tx: Tx, settlementId: string, hospitalCode: string) {
  const [found] = await readRowsBeside<
    typeof settlement,
    { tenders: SentTender[]; legs: SentLeg[] }
  >(
    tx,
    settlement,
    sql`jsonb_build_object('legs', ${legsOf(settlementId)}, 'tenders', ${sentTenders(settlementId)})`,
    sql`where id = ${settlementId} and hospital_code = ${hospitalCode} for update`,
  );
  if (!found) throw new Refusal('resource/not-found');
  const { row, beside } = found;
  return { row, paid: beside.tenders.map(tenderOf), legs: beside.legs.map(legOf) };
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

function tenderParts(settlementId: string, tenders: TenderRow[]): { surplus: SQL; tendered: SQL } {
  const written = tenders.map((t) => ({
    ...t,
    amount: t.amount.toString(),
    givenBack: t.givenBack.toString(),
  }));
  return {
    surplus: sql`
      delete from tender where settlement_id = ${settlementId} and position > ${tenders.length}::int`,
    tendered: sql`
      insert into tender (settlement_id, position, kind, amount, reference, given_back, paid_at)
      select ${settlementId}::text, position, kind, amount, reference, "givenBack", "paidAt"
      from jsonb_to_recordset(${JSON.stringify(written)}::jsonb) as t(position int, kind text,
        amount bigint, reference text, "givenBack" bigint, "paidAt" timestamptz)
      on conflict (settlement_id, position) do update set kind = excluded.kind,
        amount = excluded.amount, reference = excluded.reference,
        given_back = excluded.given_back, paid_at = excluded.paid_at`,
  };
}

function markConverted(row: SettlementRow): SQL {
  return sql`
    update settlement set insurance_status = 'converted', insurance_reason = null,
      invoice = case when invoice is not null
        then invoice || '{"status": "replacementNeeded"}'::jsonb end
    where id = ${row.id}`;
}

function keepProof(
  conversionId: string,
  { before, after, now }: { before: Part[]; after: Part[]; now: Date },
): SQL {
  return sql`
    update conversion set status = 'converted', reason = null, unknown_msgid = null,
      before = ${JSON.stringify(before)}::jsonb, after = ${JSON.stringify(after)}::jsonb,
      attempts = attempts || jsonb_build_array(jsonb_build_object(
        'at', clock_timestamp(), 'outcome', 'converted')),
      resolved_at = ${now.toISOString()}::timestamptz
    where id = ${conversionId} and status = 'claiming' returning 1`;
}

function factsOf(row: SettlementRow, conversionId: string, now: Date): NewEvent[] {
  const about = {
    hospitalCode: row.hospitalCode,
    ...(row.citizenId ? { citizenId: row.citizenId } : {}),
    data: { settlementId: row.id, visitId: row.visitId, conversionId },
    occurredAt: now,
  };
  return [
    { ...about, type: 'settlement.converted' },
    ...(row.invoice ? [{ ...about, type: 'invoice.replacementNeeded' as const }] : []),
  ];
}
