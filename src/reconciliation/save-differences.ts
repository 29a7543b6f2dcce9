// From differences to breaks: what a neighbouring day explains is cleared on both days, what does not exist any
// more is cleared, the rest is classified and listed with its evidence.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { formatYuan } from '../money.ts';
import { detailOf } from './bill-of.ts';
import { type BreakKind, breakCatalogue } from './break-catalogue.ts';
import { type NewBreak, openBreaks } from './break-store.ts';
import { classifyBreak, type Facts, type SideRow } from './classify-break.ts';
import { type FoundFacts, findFacts } from './facts-store.ts';
import { type Difference, readDifferences, type TheirSide } from './match-store.ts';
import { clearPaired, findRepeated } from './neighbouring-days.ts';
import type { Compared } from './our-rows.ts';

/** Differences held at once: memory stays flat even when a whole wrong file is sent. */
const PAGE = 2_000;
/** Of a difference of many rows, what a person can look at. */
const MAX_EVIDENCE_ROWS = 20;

export interface Run extends Compared {
  id: string;
  scope: string;
}

/** Lists what differs. Returns how many breaks of each kind this file shows. */
export async function saveDifferences(tx: Tx, run: Run): Promise<Record<string, number>> {
  await clearPaired(tx, run);
  await findRepeated(tx, run);
  const byKind: Record<string, number> = {};
  for (let after = 0; ; ) {
    const page = await readDifferences(tx, run.counterparty, { after, count: PAGE });
    const first = page[0];
    const last = page[page.length - 1];
    if (!first || !last) break;
    const facts = await findFacts(tx, run, { first: first.n, last: last.n });
    const known = new Map(facts.map((each) => [each.n, each]));
    const breaks = page.flatMap((each) => breakOf(run, each, known.get(each.n)));
    for (const { kind } of breaks) byKind[kind] = (byKind[kind] ?? 0) + 1;
    await openBreaks(tx, breaks);
    after = last.n;
  }
  await clearVanished(tx, run);
  return byKind;
}

function breakOf(run: Run, difference: Difference, found: FoundFacts | undefined): NewBreak[] {
  const ours = sideOf(difference.ours);
  const theirs = sideOf(difference.theirs);
  const facts: Facts = {
    isAmbiguous: difference.isAmbiguous,
    isOtherwise: difference.hasOtherKey,
    awaitsInsurance: (difference.ours ?? []).some((row) => row.awaits),
    isLateCapture: (difference.ours ?? []).some((row) => row.isLate),
    hasMatchedTwin: found?.hasMatchedTwin ?? false,
    daysApart: found?.daysApart ?? null,
    isOriginalOurs: found?.isOriginalOurs ?? false,
    isNearCutoff: found?.isNearCutoff ?? false,
    hasWrongFee: (difference.theirs ?? []).some((row) => row.hasWrongFee),
  };
  const kind = classifyBreak(run.counterparty, ours, theirs, facts);
  if (kind === null) return [];
  return [{ ...placeOf(run, difference, found), ...describe(run, kind, difference) }];
}

function placeOf(run: Run, difference: Difference, found: FoundFacts | undefined) {
  return {
    reconciliationId: run.id,
    counterparty: run.counterparty,
    scope: run.scope,
    subject: `${run.businessDate} ${difference.bill}`,
    businessDate: run.businessDate,
    hospitalCode: run.hospitalCode,
    lender: run.lender,
    settlementId: found?.settlementId ?? null,
  };
}

function describe(run: Run, kind: BreakKind, difference: Difference) {
  const { isSelfClearing, remedy } = breakCatalogue[kind];
  return {
    kind,
    isSelfClearing,
    remedy: run.counterparty === 'bank' && kind === 'missingAtBank' ? 'waitNextDay' : remedy,
    ourAmount: amountOf(difference.ours),
    theirAmount: amountOf(difference.theirs),
    evidence: {
      ours: (difference.ours ?? []).slice(0, MAX_EVIDENCE_ROWS).map(inYuan),
      theirs: (difference.theirs ?? []).slice(0, MAX_EVIDENCE_ROWS).map(theirEvidence),
    },
  };
}

const inYuan = <T extends { amount: string }>(row: T): T => ({
  ...row,
  amount: formatYuan(BigInt(row.amount)),
});

function theirEvidence({ key2, alt, original, ...row }: TheirSide) {
  const said = { visitNumber: key2, settlementId: alt, refundOf: original };
  return { ...inYuan(row), detail: detailOf(row.detail, said) };
}

const sideOf = (side: { kind: string; amount: string; isPart: boolean }[] | null): SideRow[] =>
  (side ?? []).map(({ kind, amount, isPart }) => ({ kind, amount: BigInt(amount), isPart }));

function amountOf(side: { amount: string; isPart: boolean }[] | null): bigint | null {
  if (side === null) return null;
  return side.reduce((sum, row) => (row.isPart ? sum : sum + BigInt(row.amount)), 0n);
}

/** Open breaks of this day that this file does not show any more. */
async function clearVanished(tx: Tx, run: Run): Promise<void> {
  await rows(
    tx,
    sql`
    update reconciliation_break b set status = 'cleared', resolved_at = business_now(),
      version = version + 1,
      resolution = jsonb_build_object('by', 'reconciliation', 'reconciliationId', ${run.id}::text)
    where b.status = 'open' and b.counterparty = ${run.counterparty} and b.scope = ${run.scope}
      and b.business_date = ${run.businessDate}::date
      and b.reconciliation_id is distinct from ${run.id}
      and not coalesce(b.evidence -> 'seenBy' ? ${run.id}, false)`,
  );
}
