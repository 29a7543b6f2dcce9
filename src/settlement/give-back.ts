// Gives money back in the order of the law: off what is due at the counter and unpaid → off what is
// owed on credit → to what was paid, newest first, each to its instrument (domain.md, Conversion).
import { randomInt } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { giveBackCredit } from '../credit/give-back-credit.ts';
import { rows, type Tx } from '../db/db.ts';
import { citizen, moneyBack, settlement } from '../db/schema.ts';
import { assert } from '../errors.ts';
import { newId } from '../ids.ts';
import { type Fen, minFen } from '../money.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { type GivenBack, isPromise } from './entries.ts';
import { type SettlementRow, type TenderRow, tendersOf } from './settlement-store.ts';
import { type CounterKind, counterKinds } from './waterfall.ts';

interface Step {
  kind: string;
  amount: Fen;
  /** True: only reduces what is owed; no money moves. */
  isReduction: boolean;
  citizenId: string | null;
  reference: string | null;
}

export interface GiveBackOrder {
  settlement: SettlementRow;
  /** The refund or conversion that gives back. */
  causeId: string;
  /**
   * A refund leaves the tenders as settled and counts beside them what came back; a conversion
   * rewrites what each of them carries.
   */
  cause: 'refund' | 'conversion';
  amount: Fen;
  now: Date;
}

/** Distributes `amount` under the settlement's lock, writes money_back rows and their jobs. */
export async function giveBack(
  tx: Tx,
  order: GiveBackOrder,
): Promise<{ givenBack: GivenBack; credit: { lender: string; citizenId: string } | null }> {
  const { settlement: row } = order;
  const tenders = await tendersOf(tx, row.id);
  const steps: Step[] = [];
  let rest = order.amount;

  const arrears = minFen(rest, row.arrears - row.arrearsReduced);
  rest -= arrears;
  const due = minFen(rest, row.dueAtCounter - row.dueReduced);
  rest -= due;
  if (arrears > 0n) await takeOffArrears(tx, order, arrears);
  if (due > 0n) await takeOffDue(tx, order, due);
  if (due + arrears > 0n) {
    steps.push({
      kind: 'dueAtCounter',
      amount: due + arrears,
      isReduction: true,
      citizenId: null,
      reference: null,
    });
  }
  const credit = await giveBackOnCredit(tx, order, tenders, rest);
  rest -= credit.owed + credit.repaid;
  steps.push(...credit.steps);
  const counter: GivenBack['counter'] = [];
  for (const paid of newestCounterFirst(tenders)) {
    const amount = minFen(rest, paid.amount - paid.givenBack);
    if (amount === 0n) continue;
    rest -= amount;
    await takeOffTender(tx, order, paid, amount);
    const kind = paid.kind as CounterKind;
    counter.push({ kind, amount });
    const isReduction = isPromise(kind);
    steps.push({ kind, amount, isReduction, citizenId: row.citizenId, reference: paid.reference });
  }
  assert(rest === 0n, `nothing more than the citizen's part is given back (${row.id})`);
  await writeSteps(tx, order, steps);
  const givenBack = {
    due: due + arrears,
    creditOwed: credit.owed,
    creditRepaid: credit.repaid,
    counter,
    arrears: 0n,
  };
  return { givenBack, credit: credit.of };
}

/** First what is owed, then what was repaid: repaid credit is newer money than the counter's. */
async function giveBackOnCredit(tx: Tx, order: GiveBackOrder, tenders: TenderRow[], rest: Fen) {
  const tender = tenders.find((t) => t.kind === 'credit');
  const amount = tender ? minFen(rest, tender.amount - tender.givenBack) : 0n;
  if (!tender || amount === 0n) return { owed: 0n, repaid: 0n, steps: [], of: null };
  const given = await giveBackCredit(tx, { settlementId: order.settlement.id, amount });
  await takeOffTender(tx, order, tender, amount);
  const [first] = given.parts;
  assert(first, 'a credit tender has a receivable');
  const { citizenId, lender } = first;
  const step = { kind: 'credit', citizenId, reference: null };
  const steps: Step[] = [
    { ...step, amount: given.reduced, isReduction: true },
    { ...step, amount: given.repaid, isReduction: false },
  ].filter((s) => s.amount > 0n);
  return { owed: given.reduced, repaid: given.repaid, steps, of: { lender, citizenId } };
}

function newestCounterFirst(tenders: TenderRow[]): TenderRow[] {
  const isCounter = (t: TenderRow) => (counterKinds as readonly string[]).includes(t.kind);
  return tenders
    .filter(isCounter)
    .sort((a, b) => b.paidAt.getTime() - a.paidAt.getTime() || b.position - a.position);
}

/** What a refused rest once left the patient owing is the first that he no longer owes. */
async function takeOffArrears(tx: Tx, order: GiveBackOrder, amount: Fen): Promise<void> {
  const { id, arrearsReduced } = order.settlement;
  await tx
    .update(settlement)
    .set({ arrearsReduced: arrearsReduced + amount })
    .where(eq(settlement.id, id));
}

async function takeOffDue(tx: Tx, order: GiveBackOrder, amount: Fen): Promise<void> {
  const { id, dueAtCounter, dueReduced, status } = order.settlement;
  const left = dueAtCounter - amount;
  const after =
    order.cause === 'refund'
      ? { dueReduced: dueReduced + amount }
      : {
          dueAtCounter: left,
          ...(status === 'awaitingPayment' && left === dueReduced ? { status: 'settled' } : {}),
        };
  await tx.update(settlement).set(after).where(eq(settlement.id, id));
}

async function takeOffTender(
  tx: Tx,
  order: GiveBackOrder,
  paid: TenderRow,
  amount: Fen,
): Promise<void> {
  const where = sql`where settlement_id = ${paid.settlementId} and position = ${paid.position}`;
  const fen = sql`${amount.toString()}::bigint`;
  if (order.cause === 'refund') {
    await rows(tx, sql`update tender set given_back = given_back + ${fen} ${where}`);
  } else if (paid.amount === amount) await rows(tx, sql`delete from tender ${where}`);
  else await rows(tx, sql`update tender set amount = amount - ${fen} ${where}`);
}

async function writeSteps(tx: Tx, order: GiveBackOrder, steps: Step[]): Promise<void> {
  let position = 0;
  for (const step of steps) {
    position += 1;
    const isVoucher = step.kind === 'cash' && !(await hasBankAccount(tx, step.citizenId));
    const status = step.isReduction ? 'done' : isVoucher ? 'voucher' : 'pending';
    const id = newId('moneyBack');
    await tx.insert(moneyBack).values({
      id,
      settlementId: order.settlement.id,
      causeId: order.causeId,
      position,
      ...step,
      status,
      voucherCode: isVoucher ? newVoucherCode() : null,
      createdAt: order.now,
      resolvedAt: status === 'done' ? order.now : null,
    });
    if (status === 'pending') await enqueueJob(tx, { kind: 'sendMoneyBack', subjectId: id });
  }
}

/** Cash goes to the patient's own verified account; without one it becomes a voucher. */
async function hasBankAccount(tx: Tx, citizenId: string | null): Promise<boolean> {
  if (!citizenId) return false;
  const [row] = await tx
    .select({ bankAccount: citizen.bankAccount })
    .from(citizen)
    .where(eq(citizen.id, citizenId));
  return row?.bankAccount !== null && row?.bankAccount !== undefined;
}

/** Unambiguous when read aloud: no 0/O, 1/I/L. 16 of 31 characters ≈ 79 bits. */
const VOUCHER_ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789';

export function newVoucherCode(): string {
  return Array.from(
    { length: 16 },
    () => VOUCHER_ALPHABET[randomInt(VOUCHER_ALPHABET.length)],
  ).join('');
}
