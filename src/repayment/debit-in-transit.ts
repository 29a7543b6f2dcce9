// Row 9 of books.md: a debit that was sent to a bank stands off balance, on 9201, until the bank has
// answered for good; the debt itself stays until it says paid.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { credit, debit, lenderBooks } from '../ledger/journal.ts';
import { postEntry } from '../ledger/post.ts';
import { type OpenLeg, undoLegs } from '../ledger/undo.ts';
import type { RepaymentRow } from './repayment-store.ts';

/** Written with the repayment, before the bank is asked. */
export async function postDebitSent(tx: Tx, row: RepaymentRow, now: Date): Promise<void> {
  const bank = lenderBooks(row.lender);
  const about = { reference: row.id };
  await postEntry(tx, {
    fact: 'debit.sent',
    subjectId: row.id,
    occurredAt: now,
    legs: [debit(bank, '9201', row.amount, about), credit(bank, '9202', row.amount, about)],
  });
}

/** Written with the bank's final answer, whatever it is; nothing for money that no debit brought. */
export async function postDebitResolved(tx: Tx, row: RepaymentRow, now: Date): Promise<void> {
  const sent = await legsOf(tx, 'debit.sent', row.id);
  if (sent.length === 0) return;
  const bank = lenderBooks(row.lender);
  const wanted = { ...bank, amount: row.amount } as const;
  await postEntry(tx, {
    fact: 'debit.resolved',
    subjectId: row.id,
    occurredAt: now,
    legs: [
      ...undoLegs(sent, { ...wanted, account: '9202' }),
      ...undoLegs(sent, { ...wanted, account: '9201' }),
    ],
  });
}

/** The legs of one entry that are not wholly undone. The caller holds the lock of what it is about. */
export function legsOf(tx: Tx, fact: OpenLeg['fact'], subjectId: string): Promise<OpenLeg[]> {
  return rows<OpenLeg>(
    tx,
    sql`
    select p.entry_id as "entryId", p.leg, e.fact, p.owner_kind as "ownerKind", p.owner, p.account,
      p.amount, p.undone, p.counterparty, p.citizen_id as "citizenId",
      p.settlement_id as "settlementId", p.claim_id as "claimId", p.reference
    from journal_entry e join posting p on p.entry_id = e.id
    where e.fact = ${fact} and e.subject_id = ${subjectId} and p.undone < abs(p.amount)
    order by p.leg`,
  );
}
