// What a patient put down and the bill did not need comes back, as the settlement keeps it.
import type { Tx } from '../db/db.ts';
import { refundDueBy } from '../inpatient/refund-clock.ts';
import { readStayPolicy } from '../inpatient/stay-policy.ts';
import type { VisitRow } from '../visit/visit-store.ts';
import type { CounterTender } from './waterfall.ts';

/** A deposit's surplus is an inpatient's money: the hospital gives it back within working days. */
export async function unusedOf(tx: Tx, row: VisitRow, unused: readonly CounterTender[], now: Date) {
  const isDeposit = unused.some((t) => t.kind === 'deposit');
  const refundBy = isDeposit
    ? refundDueBy(now, await readStayPolicy(tx, row.hospitalCode, now))
    : null;
  return unused.map((t) => ({
    ...t,
    amount: t.amount.toString(),
    ...(t.kind === 'deposit' && refundBy ? { refundBy } : {}),
  }));
}
