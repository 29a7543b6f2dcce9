// Law: a payout moves forward once, each step with its entry: sent, paid by the statement's proof,
// returned. Rows 12 and 13 of books.md; whoever calls holds the payout's row lock or takes it here.
import { eq } from 'drizzle-orm';
import { businessNow, type Tx } from '../db/db.ts';
import { payout } from '../db/schema.ts';
import { assert, Refusal } from '../errors.ts';
import { openCase } from '../finance/open-case.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { confirmedLegs, returnedLegs, sentLegs } from './payout.ts';
import { freeLegs, lockPayout, type PayoutRow, postedLegs, type Scope } from './payout-store.ts';

/** The bank took the order: row 12, first half. */
export async function bookSent(tx: Tx, row: PayoutRow): Promise<PayoutRow> {
  const now = await businessNow(tx);
  await postEntry(tx, {
    fact: 'payout.sent',
    subjectId: row.id,
    occurredAt: now,
    legs: sentLegs(row, row.amount),
  });
  return save(tx, row, { status: 'sent', sentAt: now });
}

/** The bank took nothing: no entry, the legs wait for another payout, and a person looks. */
export async function rejectPayout(tx: Tx, row: PayoutRow, reason: string): Promise<PayoutRow> {
  const now = await businessNow(tx);
  await freeLegs(tx, row.id);
  await openCase(tx, {
    kind: 'payout/file-refused',
    subjectId: row.id,
    hospitalCode: row.hospitalCode,
    reason,
    detail: { lender: row.lender, amount: formatYuan(row.amount) },
    now,
  });
  return save(tx, row, { status: 'returned', returnedAt: now, returnReason: reason.slice(0, 300) });
}

/** What a statement says of one payout. */
export interface PayoutProof {
  endToEndId: string;
  /** The bank's own reference of the booking; unique for each. */
  bankReference: string;
  amount: Fen;
  /** When the bank booked it. */
  bookedOn: Date;
}

export type PayoutConfirmation =
  | { outcome: 'paid' | 'alreadyPaid'; payoutId: string }
  /** Another booking of a payout that is paid: the money went twice. */
  | { outcome: 'paidTwice'; payoutId: string }
  /** Nothing is booked: a break for two people. */
  | { outcome: 'amountDiffers'; payoutId: string; expected: Fen }
  | { outcome: 'notSent'; payoutId: string; status: string }
  | { outcome: 'unknown' };

/**
 * The lender's statement proves a payout: row 12, second half, and the event payout.paid. Repeating
 * the same proof changes nothing. Never throws a refusal: what does not fit is told by `outcome`.
 */
export async function confirmPayout(tx: Tx, proof: PayoutProof): Promise<PayoutConfirmation> {
  const [row] = await tx
    .select()
    .from(payout)
    .where(eq(payout.endToEndId, proof.endToEndId))
    .for('update');
  if (!row) return { outcome: 'unknown' };
  const payoutId = row.id;
  if (row.status === 'paid') {
    const isSame = row.bankReference === proof.bankReference;
    return { outcome: isSame ? 'alreadyPaid' : 'paidTwice', payoutId };
  }
  // A file of unknown fate that the statement shows was taken after all.
  const isSent = row.status === 'sent' || (row.status === 'approved' && row.fileId !== null);
  if (!isSent) return { outcome: 'notSent', payoutId, status: row.status };
  if (row.amount !== proof.amount) {
    return { outcome: 'amountDiffers', payoutId, expected: row.amount };
  }
  await bookPaid(tx, row.status === 'approved' ? await bookSent(tx, row) : row, proof);
  return { outcome: 'paid', payoutId };
}

async function bookPaid(tx: Tx, row: PayoutRow, proof: PayoutProof): Promise<void> {
  const now = await businessNow(tx);
  const sent = await postedLegs(tx, row.id);
  await postEntry(tx, {
    fact: 'payout.confirmed',
    subjectId: row.id,
    occurredAt: proof.bookedOn,
    legs: confirmedLegs(row, row.amount, sent, proof.bankReference),
  });
  await save(tx, row, { status: 'paid', paidAt: now, bankReference: proof.bankReference });
  await recordEvent(tx, {
    type: 'payout.paid',
    hospitalCode: row.hospitalCode,
    data: {
      payoutId: row.id,
      lender: row.lender,
      businessDate: row.businessDate,
      amount: formatYuan(row.amount),
      endToEndId: row.endToEndId,
    },
    occurredAt: now,
  });
}

/**
 * The bank gave the money back, before or after it was booked: row 13; its legs are free for another
 * payout. Refuses with resource/not-found, payout/wrong-state.
 */
export async function returnPayout(
  tx: Tx,
  scope: Scope,
  order: { payoutId: string; reason: string; bankReference?: string | undefined },
): Promise<PayoutRow> {
  const row = await lockPayout(tx, scope, order.payoutId);
  if (row.status !== 'sent' && row.status !== 'paid') {
    throw new Refusal('payout/wrong-state', { detail: row.status });
  }
  const now = await businessNow(tx);
  const posted = await postedLegs(tx, row.id);
  await postEntry(tx, {
    fact: 'payout.returned',
    subjectId: row.id,
    occurredAt: now,
    legs: returnedLegs(row, row.amount, row.status, posted),
  });
  await freeLegs(tx, row.id);
  return save(tx, row, {
    status: 'returned',
    returnedAt: now,
    returnReason: order.reason,
    // The reference of the payment stays: a statement that repeats it must still find it.
    ...(row.bankReference === null && order.bankReference
      ? { bankReference: order.bankReference }
      : {}),
  });
}

async function save(tx: Tx, row: PayoutRow, change: Partial<PayoutRow>): Promise<PayoutRow> {
  const [saved] = await tx.update(payout).set(change).where(eq(payout.id, row.id)).returning();
  assert(saved, 'the locked payout is there');
  return saved;
}
