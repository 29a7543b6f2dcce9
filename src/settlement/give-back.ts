// Gives money back in the order of the law: off what is due at the counter and unpaid → off what is
// owed on credit → to what was paid, newest first, each to its instrument (domain.md, Conversion).
import { randomInt } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { giveBackCredit } from '../credit/give-back-credit.ts';
import { atEnd, rows, type Tx } from '../db/db.ts';
import { citizen, settlement } from '../db/schema.ts';
import { assert } from '../errors.ts';
import { newId } from '../ids.ts';
import { type Fen, minFen } from '../money.ts';
import { enqueueJob } from '../outbox/jobs.ts';
import { type GivenBack, isPromise } from './entries.ts';
import { splitByRepayer } from './repaid-by.ts';
import type { SettlementRow, TenderRow } from './settlement-store.ts';
import { type CounterKind, counterKinds, isInsurers } from './waterfall.ts';

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
  /** The settlement's tenders by position. */
  tenders: readonly TenderRow[];
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

/**
 * Distributes `amount` under the settlement's lock, writes money_back rows and their jobs. A
 * conversion writes the tenders itself, each less what came `off` its position.
 */
export async function giveBack(
  tx: Tx,
  order: GiveBackOrder,
): Promise<{
  givenBack: GivenBack;
  credit: { lender: string; citizenId: string } | null;
  off: ReadonlyMap<number, Fen>;
  /** Off what is due at the counter. */
  due: Fen;
}> {
  const { settlement: row, tenders } = order;
  const off = new Map<number, Fen>();
  const steps: Step[] = [];
  let rest = order.amount;

  const arrears = minFen(rest, row.arrears - row.arrearsReduced);
  rest -= arrears;
  const due = minFen(rest, row.dueAtCounter - row.dueReduced);
  rest -= due;
  if (arrears > 0n) await takeOffArrears(tx, order, arrears);
  if (order.cause === 'conversion') takeOffOldClaim(tenders, arrears, off);
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
  const credit = await giveBackOnCredit(tx, order, rest);
  rest -= credit.owed + credit.writtenOff + credit.repaid;
  steps.push(...credit.steps);
  if (credit.position) {
    off.set(credit.position, credit.owed + credit.writtenOff + credit.repaid);
  }
  const counter: GivenBack['counter'] = [];
  for (const paid of newestCounterFirst(tenders)) {
    const amount = minFen(rest, paid.amount - paid.givenBack);
    if (amount === 0n) continue;
    rest -= amount;
    off.set(paid.position, amount);
    const kind = paid.kind as CounterKind;
    counter.push({ kind, amount });
    const isReduction = isPromise(kind);
    steps.push({ kind, amount, isReduction, citizenId: row.citizenId, reference: paid.reference });
  }
  assert(rest === 0n, `nothing more than the citizen's part is given back (${row.id})`);
  await Promise.all([
    order.cause === 'refund' && countGivenBack(tx, row.id, off),
    writeSteps(tx, order, steps),
  ]);
  const givenBack = {
    due: due + arrears,
    creditOwed: credit.owed,
    creditWrittenOff: credit.writtenOff,
    creditRepaid: credit.repaid,
    counter,
    arrears: 0n,
  };
  return { givenBack, credit: credit.of, off, due };
}

/**
 * Arrears are what a cancelled claim had paid and nobody claimed again. The tenders still show that
 * claim as settled: a new one that pays the arrears takes the place of so much of it.
 */
function takeOffOldClaim(tenders: readonly TenderRow[], arrears: Fen, off: Map<number, Fen>) {
  let rest = arrears;
  for (const old of tenders.filter((t) => isInsurers(t.kind))) {
    const amount = minFen(rest, old.amount);
    rest -= amount;
    if (amount > 0n) off.set(old.position, amount);
  }
  assert(rest === 0n, 'the cancelled claim had paid what became arrears');
}

/** First what is owed, then what was repaid: repaid credit is newer money than the counter's. */
async function giveBackOnCredit(tx: Tx, order: GiveBackOrder, rest: Fen) {
  const tender = order.tenders.find((t) => t.kind === 'credit');
  const amount = tender ? minFen(rest, tender.amount - tender.givenBack) : 0n;
  if (!tender || amount === 0n) {
    return { owed: 0n, writtenOff: 0n, repaid: 0n, steps: [], of: null, position: 0 };
  }
  const given = await giveBackCredit(tx, { settlementId: order.settlement.id, amount });
  const [first] = given.parts;
  assert(first, 'a credit tender has a receivable');
  const { citizenId, lender } = first;
  const step = { kind: 'credit', citizenId, reference: null };
  const about = { settlementId: order.settlement.id, citizenId };
  const steps: Step[] = [
    { ...step, amount: given.reduced + given.writtenOff, isReduction: true },
    ...(await splitByRepayer(tx, { ...about, amount: given.repaid })).map((part) => ({
      ...step,
      ...part,
      isReduction: false,
    })),
  ].filter((s) => s.amount > 0n);
  const { reduced, writtenOff, repaid } = given;
  const of = { lender, citizenId };
  return { owed: reduced, writtenOff, repaid, steps, of, position: tender.position };
}

function newestCounterFirst(tenders: readonly TenderRow[]): TenderRow[] {
  const isCounter = (t: TenderRow) => (counterKinds as readonly string[]).includes(t.kind);
  return tenders
    .filter(isCounter)
    .sort((a, b) => b.paidAt.getTime() - a.paidAt.getTime() || b.position - a.position);
}

/** What a refused rest once left the patient owing is the first that he no longer owes. */
async function takeOffArrears(tx: Tx, order: GiveBackOrder, amount: Fen): Promise<void> {
  const { id, arrears, arrearsReduced } = order.settlement;
  const after =
    order.cause === 'refund'
      ? { arrearsReduced: arrearsReduced + amount }
      : { arrears: arrears - amount };
  await tx.update(settlement).set(after).where(eq(settlement.id, id));
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

async function countGivenBack(
  tx: Tx,
  settlementId: string,
  off: ReadonlyMap<number, Fen>,
): Promise<void> {
  const each = [...off].map(([position, amount]) => ({ position, amount: amount.toString() }));
  if (each.length === 0) return;
  await rows(
    tx,
    sql`
    update tender t set given_back = t.given_back + o.amount
    from jsonb_to_recordset(${JSON.stringify(each)}::jsonb) as o(position int, amount bigint)
    where t.settlement_id = ${settlementId} and t.position = o.position`,
  );
}

async function writeSteps(tx: Tx, order: GiveBackOrder, steps: Step[]): Promise<void> {
  const cash = steps.find((step) => step.kind === 'cash');
  const hasAccount = cash !== undefined && (await hasBankAccount(tx, cash.citizenId));
  const at = order.now.toISOString();
  const made = steps.map((step, index) => {
    const isVoucher = step.kind === 'cash' && !hasAccount;
    const status = step.isReduction ? 'done' : isVoucher ? 'voucher' : 'pending';
    return {
      ...step,
      amount: step.amount.toString(),
      id: newId('moneyBack'),
      position: index + 1,
      status,
      voucherCode: isVoucher ? newVoucherCode() : null,
      resolvedAt: status === 'done' ? at : null,
    };
  });
  if (made.length === 0) return;
  const insert = sql`
    insert into money_back (id, settlement_id, cause_id, position, kind, amount, is_reduction, status,
      citizen_id, reference, voucher_code, created_at, resolved_at)
    select id, ${order.settlement.id}, ${order.causeId}, position, kind, amount, "isReduction", status,
      "citizenId", reference, "voucherCode", ${at}::timestamptz, "resolvedAt"
    from jsonb_to_recordset(${JSON.stringify(made)}::jsonb) as m(id text, position int, kind text,
      amount bigint, "isReduction" boolean, status text, "citizenId" text, reference text,
      "voucherCode" text, "resolvedAt" timestamptz)`;
  // A refund's reply shows them; of a conversion nobody reads them before the commit, so they go with it.
  if (order.cause === 'refund') await rows(tx, insert);
  else atEnd(tx, insert);
  const jobs = made
    .filter(({ status }) => status === 'pending')
    .map(({ id }) => enqueueJob(tx, { kind: 'sendMoneyBack', subjectId: id }));
  await Promise.all(jobs);
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
