// What settles a difference, proposed by one person and approved by another. Law: an adjustment is a balanced
// entry named after the break, in the open day; closed days and a citizen's debt are never touched by it.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import type { ProposalRow } from '../finance/proposal-store.ts';
import { insertProposal } from '../finance/proposal-store.ts';
import type { CallerOf } from '../http/route.ts';
import { type AccountCode, accountCodes, chart } from '../ledger/chart.ts';
import { balanced, type Entry, type Leg, UnbalancedEntry } from '../ledger/journal.ts';
import { postEntry } from '../ledger/post.ts';
import { confirmPayout } from '../payout/move-payout.ts';
import { collectPayment } from '../settlement/collect-payment.ts';
import { counterKinds } from '../settlement/waterfall.ts';
import { type Remedy, remedies } from './break-catalogue.ts';
import { type BreakRow, endBreak, findBreak } from './break-store.ts';

type Staff = CallerOf<'staff'>;

/** Principal and late charges are the lender's word; what is refundable on credit has its own road. */
const NEVER_ADJUSTED: ReadonlySet<AccountCode> = new Set([
  '1301',
  '1302',
  '2201',
  '9201',
  '9202',
  '9301',
  '9302',
]);
export const adjustable = accountCodes.filter((code) => !NEVER_ADJUSTED.has(code)) as [
  AccountCode,
  ...AccountCode[],
];

/** A proposal's own words, as kept: fen as text. */
const kept = z.object({
  remedy: z.enum(remedies),
  legs: z
    .array(
      z.object({
        owner: z.string(),
        account: z.enum(adjustable),
        amount: z.string().transform(BigInt),
        counterparty: z.string().optional(),
        shiftId: z.string().optional(),
      }),
    )
    .optional(),
  settlementId: z.string().optional(),
  payment: z
    .object({
      kind: z.enum(counterKinds),
      amount: z.string().transform(BigInt),
      reference: z.string(),
    })
    .optional(),
  payout: z.object({ endToEndId: z.string(), bankReference: z.string() }).optional(),
});

export interface RemedyOrder {
  remedy: Remedy;
  reason: string;
  /** Debit positive, credit negative, fen. */
  legs?: LegOrder[] | undefined;
  settlementId?: string | undefined;
  payment?: { kind: (typeof counterKinds)[number]; amount: bigint; reference: string } | undefined;
  payout?: { endToEndId: string; bankReference: string } | undefined;
}

export interface LegOrder {
  /** Hospital or lender code, as the account says. */
  owner: string;
  account: AccountCode;
  amount: bigint;
  counterparty?: string | undefined;
  shiftId?: string | undefined;
}

/**
 * A maker's proposal about an open break. Refuses with break/closed, break/remedy-unfit, break/unbalanced,
 * finance/proposal-open, resource/not-found.
 */
export async function proposeRemedy(
  tx: Tx,
  maker: Staff,
  breakId: string,
  order: RemedyOrder,
): Promise<ProposalRow> {
  const row = await findBreak(tx, maker, breakId);
  refuseUnfit(row, order);
  const { reason, ...detail } = order;
  return insertProposal(tx, maker, {
    kind: 'breakRemedy',
    subjectId: row.id,
    hospitalCode: row.hospitalCode,
    reason,
    detail: JSON.parse(JSON.stringify({ ...detail, breakKind: row.kind }, fenAsText)),
  });
}

const fenAsText = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;

/** The effect of an approval: in its transaction, once. */
export async function applyRemedy(tx: Tx, checker: Staff, proposal: ProposalRow): Promise<void> {
  const row = await findBreak(tx, checker, proposal.subjectId, 'for update');
  const order = { ...kept.parse(proposal.detail), reason: proposal.reason };
  refuseUnfit(row, order);
  const resolution = { by: 'proposal', proposalId: proposal.id, remedy: order.remedy };
  if (order.remedy === 'waitNextDay') return waitForNextDay(tx, row.id);
  const done = await carryOut(tx, row, order);
  await endBreak(tx, row.id, { status: 'resolved', resolution: { ...resolution, ...done } });
}

async function waitForNextDay(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`update reconciliation_break
    set is_self_clearing = true, version = version + 1 where id = ${id}`);
}

async function carryOut(
  tx: Tx,
  row: BreakRow,
  order: RemedyOrder,
): Promise<Record<string, unknown>> {
  switch (order.remedy) {
    case 'markExplained':
    case 'waitNextDay':
      return {};
    case 'adjust':
    case 'returnMoney':
      return postEntry(tx, adjustment(row, order));
    case 'collectPayment': {
      const { settlementId, payment } = order;
      if (!settlementId || !payment || !row.hospitalCode) throw unfit('settlementId, payment');
      const atDesk = { hospitalCode: row.hospitalCode, terminalId: null };
      await collectPayment(tx, atDesk, settlementId, payment);
      return { settlementId };
    }
    case 'confirmPayout':
      return confirm(tx, row, order);
  }
  return order.remedy satisfies never;
}

async function confirm(tx: Tx, row: BreakRow, order: RemedyOrder) {
  const amount = row.theirAmount;
  if (!order.payout || amount === null) throw unfit('payout');
  const confirmed = await confirmPayout(tx, {
    ...order.payout,
    amount: amount < 0n ? -amount : amount,
    bookedOn: noonOf(row.businessDate),
  });
  if (confirmed.outcome !== 'paid' && confirmed.outcome !== 'alreadyPaid') {
    throw unfit(`拨付 payout: ${confirmed.outcome}`);
  }
  return { payoutId: confirmed.payoutId };
}

function refuseUnfit(row: BreakRow, order: RemedyOrder): void {
  if (row.status !== 'open') throw new Refusal('break/closed');
  const { remedy, legs, settlementId, payment, payout } = order;
  if (remedy === 'adjust' || remedy === 'returnMoney') {
    if (!legs) throw unfit('legs');
    refuseUnbalanced(row, order);
  }
  if (remedy === 'collectPayment' && !(settlementId && payment && row.hospitalCode)) {
    throw unfit('settlementId, payment');
  }
  if (remedy === 'confirmPayout' && !(payout && row.counterparty === 'bank')) throw unfit('payout');
}

/** Legs are in the books of the break's own hospital or of lenders; they balance within each owner. */
function refuseUnbalanced(row: BreakRow, order: RemedyOrder): void {
  const entry = adjustment(row, order);
  const stranger = entry.legs.find(
    (leg) => leg.ownerKind === 'H' && row.hospitalCode !== null && leg.owner !== row.hospitalCode,
  );
  if (stranger) throw unfit(`医院 hospital ${stranger.owner}`);
  try {
    balanced(entry);
  } catch (error) {
    if (!(error instanceof UnbalancedEntry)) throw error;
    throw new Refusal('break/unbalanced', { detail: error.message, cause: error });
  }
}

function adjustment(row: BreakRow, order: RemedyOrder): Entry {
  const legs: Leg[] = (order.legs ?? []).map(({ amount, account, ...leg }) => ({
    ...leg,
    account,
    amount,
    ownerKind: chart[account].owner,
  }));
  return {
    fact: 'break.adjusted',
    subjectId: row.id,
    occurredAt: noonOf(row.businessDate),
    legs,
  };
}

const noonOf = (day: string) => new Date(`${day}T12:00:00+08:00`);

const unfit = (what: string) =>
  new Refusal('break/remedy-unfit', { detail: `需要或不符 needed or unfit: ${what}` });
