// A bank's file proves payouts: what it shows with the right amount is paid; what it shows twice is a break.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { confirmPayout, type PayoutConfirmation } from '../payout/move-payout.ts';
import { bankReference } from './bill-of.ts';
import { type BreakKind, breakCatalogue } from './break-catalogue.ts';
import { openBreaks } from './break-store.ts';
import type { Run } from './save-differences.ts';

interface Proof {
  bill: string;
  amount: bigint;
  day: string;
  n: number;
  detail: Record<string, string>;
}

/** Confirms each matched payout; adds to `byKind` what turns out not to fit. */
export async function provePayouts(
  tx: Tx,
  run: Run,
  byKind: Record<string, number>,
): Promise<void> {
  const proofs = await rows<Proof>(
    tx,
    sql`
    select distinct on (t.bill) t.bill, t.amount, t.day::text, t.n, t.detail::jsonb as detail
    from (
      select bill, amount, day, n, detail from their_row
      where not exists (select from different d where d.bill = their_row.bill)
      union all
      -- Under the key that a rule joined it by.
      select bill, amount, day, n, detail from diff_theirs
    ) t join payout p on p.end_to_end_id = t.bill
    where not exists (select from difference d where d.bill = t.bill) order by t.bill, t.n`,
  );
  for (const proof of proofs) {
    const confirmed = await confirmPayout(tx, {
      endToEndId: proof.bill,
      bankReference: referenceOf(proof),
      amount: proof.amount < 0n ? -proof.amount : proof.amount,
      bookedOn: new Date(`${proof.day}T12:00:00+08:00`),
    });
    const kind = kindOf(confirmed);
    if (!kind) continue;
    byKind[kind] = (byKind[kind] ?? 0) + 1;
    await openBreaks(tx, [breakOf(run, proof, kind, confirmed)]);
  }
}

/** The bank's own reference by its usual names; else what makes the booking one of its day. */
function referenceOf({ detail, day, n }: Proof): string {
  return bankReference(detail) ?? `${day}/${n}`;
}

function kindOf({ outcome }: PayoutConfirmation): BreakKind | null {
  switch (outcome) {
    case 'paid':
    case 'alreadyPaid':
    case 'unknown':
      return null;
    case 'paidTwice':
      return 'duplicateExternal';
    case 'amountDiffers':
      return 'amountOver';
    case 'notSent':
      return 'statusMismatch';
  }
  return outcome satisfies never;
}

function breakOf(run: Run, proof: Proof, kind: BreakKind, confirmed: PayoutConfirmation) {
  const { isSelfClearing, remedy } = breakCatalogue[kind];
  return {
    ...{ reconciliationId: run.id, counterparty: run.counterparty, scope: run.scope, kind },
    ...{ subject: `${run.businessDate} ${proof.bill}`, businessDate: run.businessDate },
    ...{ hospitalCode: run.hospitalCode, lender: run.lender, settlementId: null },
    ...{ ourAmount: null, theirAmount: proof.amount, isSelfClearing, remedy },
    evidence: {
      ours: [{ subjectId: 'payoutId' in confirmed ? confirmed.payoutId : null }],
      theirs: [{ row: proof.n, amount: proof.amount.toString(), detail: proof.detail }],
    },
  };
}
