// What settles a difference, proposed by one person and approved by another. Law: an adjustment is a balanced
// entry named after the break, in the open day; closed days and a citizen's debt are never touched by it.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import type { ProposalRow } from '../finance/proposal-store.ts';
import { insertProposal } from '../finance/proposal-store.ts';
import type { CallerOf } from '../http/route.ts';
import { postEntry } from '../ledger/post.ts';
import { type Fen, formatYuan, parseYuan } from '../money.ts';
import { confirmPayout } from '../payout/move-payout.ts';
import { collectPayment } from '../settlement/collect-payment.ts';
import { counterKinds } from '../settlement/waterfall.ts';
import { adjustable, adjustmentOf, type LegOrder, noonOf, unfit } from './adjustment.ts';
import { type Remedy, remedies } from './break-catalogue.ts';
import { type BreakRow, endBreak, findBreak } from './break-store.ts';

type Staff = CallerOf<'staff'>;

/** A proposal's own words, as kept and shown: money as yuan text. */
const kept = z.object({
  remedy: z.enum(remedies),
  legs: z
    .array(
      z.object({
        owner: z.string(),
        account: z.enum(adjustable),
        side: z.enum(['debit', 'credit']),
        amount: z.string().transform(parseYuan),
        counterparty: z.string().optional(),
      }),
    )
    .optional(),
  settlementId: z.string().optional(),
  payment: z
    .object({
      kind: z.enum(counterKinds),
      amount: z.string().transform(parseYuan),
      reference: z.string(),
    })
    .optional(),
  payout: z.object({ endToEndId: z.string(), bankReference: z.string() }).optional(),
});

export interface RemedyOrder {
  remedy: Remedy;
  reason: string;
  legs?: LegOrder[] | undefined;
  settlementId?: string | undefined;
  payment?: { kind: (typeof counterKinds)[number]; amount: Fen; reference: string } | undefined;
  payout?: { endToEndId: string; bankReference: string } | undefined;
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
  await refuseUnfit(tx, maker, row, order);
  const { reason, ...detail } = order;
  return insertProposal(tx, maker, {
    kind: 'breakRemedy',
    subjectId: row.id,
    hospitalCode: row.hospitalCode,
    reason,
    detail: JSON.parse(JSON.stringify({ ...detail, breakKind: row.kind }, fenAsYuan)),
  });
}

const fenAsYuan = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? formatYuan(value) : value;

/** The effect of an approval: in its transaction, once. */
export async function applyRemedy(tx: Tx, checker: Staff, proposal: ProposalRow): Promise<void> {
  const row = await findBreak(tx, checker, proposal.subjectId, 'for update');
  const order = { ...kept.parse(proposal.detail), reason: proposal.reason };
  await refuseUnfit(tx, checker, row, order);
  const resolution = { by: 'proposal', proposalId: proposal.id, remedy: order.remedy };
  if (order.remedy === 'waitNextDay') return waitForNextDay(tx, row.id);
  const done = await carryOut(tx, checker, row, order);
  await endBreak(tx, row.id, { status: 'resolved', resolution: { ...resolution, ...done } });
}

async function waitForNextDay(tx: Tx, id: string): Promise<void> {
  await tx.execute(sql`update reconciliation_break
    set is_self_clearing = true, version = version + 1 where id = ${id}`);
}

async function carryOut(
  tx: Tx,
  checker: Staff,
  row: BreakRow,
  order: RemedyOrder,
): Promise<Record<string, unknown>> {
  switch (order.remedy) {
    case 'markExplained':
    case 'waitNextDay':
      return {};
    case 'adjust':
    case 'returnMoney':
      return postEntry(tx, await adjustmentOf(tx, checker, row, order.legs ?? []));
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
  if (!order.payout || amount === null || amount <= 0n) throw unfit('payout');
  await refuseOthersPayout(tx, row, order.payout.endToEndId);
  const confirmed = await confirmPayout(tx, {
    ...order.payout,
    amount,
    bookedOn: noonOf(row.businessDate),
  });
  if (confirmed.outcome !== 'paid' && confirmed.outcome !== 'alreadyPaid') {
    throw unfit(`拨付 payout: ${confirmed.outcome}`);
  }
  return { payoutId: confirmed.payoutId };
}

/** A break of one hospital or lender says nothing of another's payout. */
async function refuseOthersPayout(tx: Tx, row: BreakRow, endToEndId: string): Promise<void> {
  const [own] = await rows(
    tx,
    sql`select from payout where end_to_end_id = ${endToEndId}
      and (${row.hospitalCode}::text is null or hospital_code = ${row.hospitalCode})
      and (${row.lender}::text is null or lender = ${row.lender})`,
  );
  if (!own) throw unfit(`拨付 payout ${endToEndId}`);
}

async function refuseUnfit(tx: Tx, staff: Staff, row: BreakRow, order: RemedyOrder): Promise<void> {
  if (row.status !== 'open') throw new Refusal('break/closed');
  const { remedy, legs, settlementId, payment, payout } = order;
  if (remedy === 'adjust' || remedy === 'returnMoney') {
    if (!legs) throw unfit('legs');
    await adjustmentOf(tx, staff, row, legs);
  }
  if (remedy === 'collectPayment' && !(settlementId && payment && row.hospitalCode)) {
    throw unfit('settlementId, payment');
  }
  if (remedy === 'confirmPayout' && !(payout && row.counterparty === 'bank')) throw unfit('payout');
}
