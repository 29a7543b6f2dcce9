// Law: one key, one debit. A: choose what is paid and note the debit under the key → ask the bank
// outside any transaction → B: book its answer with the reply. A crash between A and B loses nothing:
// the serial is the repayment's id, and the bank is asked for it before anything is repeated.
import { sql } from 'drizzle-orm';
import type { DebitAnswer } from '../credit/lender-bank.ts';
import { rows, type Tx, transact } from '../db/db.ts';
import { repayment, repaymentAllocation } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { finishKey, leaseKey, peekKey, type RequestKey, takeKey } from '../http/idempotency.ts';
import type { Call, Reply } from '../http/route.ts';
import { readCitizen } from '../identity/people.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';
import { allocate } from './allocate.ts';
import { finishRepayment } from './finish-repayment.ts';
import {
  countMine,
  isKeyFinished,
  isUnderWay,
  lockOwed,
  notedRepayment,
  noteRepayment,
  type OwedRow,
  type RepaymentRow,
  readRepayment,
  repaymentView,
} from './repayment-store.ts';
import type { RepaymentWish } from './schemas.ts';

/** Longer than the two calls to the bank that a resumed request may make. */
const LEASE_SECONDS = 15;

/** Repays from the citizen's account. 201 with the outcome, 202 while nobody knows it. */
export async function repay(
  call: Pick<Call, 'deps' | 'key'> & { body: RepaymentWish },
  citizenId: string,
): Promise<Reply> {
  const { deps, body } = call;
  const key = requireKey(call.key);
  const begun = await transact(deps.db, async (tx) => {
    const stored = await takeKey(tx, key);
    if (stored) return { stored };
    const noted = await notedRepayment(tx, key);
    const row = noted ? await readRepayment(tx, noted) : await begin(tx, citizenId, body);
    await leaseKey(tx, key, LEASE_SECONDS);
    await noteRepayment(tx, key, row.id);
    return { row, isResumed: noted !== null, stored: null };
  });
  if (begun.stored) return begun.stored;
  const answer = await askBank(deps, begun.row, begun.isResumed);
  const reply = await transact(deps.db, (tx) => finish(tx, key, begun.row.id, answer));
  const taken = reply ?? (await peekKey(deps.db, key));
  if (!taken) throw new Error(`repayment ${begun.row.id} lost its reply`);
  return taken;
}

/** Transaction A: every refusal happens here. */
async function begin(tx: Tx, citizenId: string, wish: RepaymentWish): Promise<RepaymentRow> {
  const [line] = await rows<{ id: string; lender: string }>(
    tx,
    sql`
    select id, lender from credit_line where citizen_id = ${citizenId} and status <> 'closed'
    for update`,
  );
  const owed = await choose(tx, citizenId, wish);
  const free = owed.filter((debt) => !debt.isUnderWay);
  const allocations = allocate(free, wish.amount);
  if (!line || !allocations) {
    const isAllOwed = allocate(owed, wish.amount) !== null;
    throw new Refusal(line && isAllOwed ? 'repayment/under-way' : 'repayment/exceeds-debt');
  }
  return insertRepayment(tx, { citizenId, line, amount: wish.amount }, allocations);
}

/** What may be paid: the receivables asked for, else all that the citizen owes. */
async function choose(tx: Tx, citizenId: string, wish: RepaymentWish): Promise<OwedRow[]> {
  const owed = await lockOwed(tx, citizenId);
  if (!wish.receivableIds) return owed;
  const asked = new Set(wish.receivableIds);
  if ((await countMine(tx, citizenId, [...asked])) !== asked.size) {
    throw new Refusal('resource/not-found');
  }
  return owed.filter((debt) => asked.has(debt.id));
}

async function insertRepayment(
  tx: Tx,
  of: { citizenId: string; line: { id: string; lender: string }; amount: Fen },
  allocations: { receivableId: string; amount: Fen }[],
): Promise<RepaymentRow> {
  const id = newId('repayment');
  const [row] = await tx
    .insert(repayment)
    .values({
      id,
      citizenId: of.citizenId,
      lineId: of.line.id,
      lender: of.line.lender,
      cause: 'citizen',
      amount: of.amount,
      status: 'processing',
      // Real time: it tells how long the bank has had.
      createdAt: sql`clock_timestamp()`,
    })
    .returning();
  const parts = allocations.map((part) => ({ repaymentId: id, ...part, isOpen: true }));
  await tx.insert(repaymentAllocation).values(parts);
  if (!row) throw new Error('a repayment was not inserted');
  return row;
}

/** Debits the account; a resumed request first asks what became of the debit. */
async function askBank(deps: Deps, row: RepaymentRow, isResumed: boolean): Promise<DebitAnswer> {
  if (!isUnderWay(row)) return { outcome: 'unknown' };
  if (isResumed) {
    const found = await deps.lenders.findDebit(row.lender, row.id);
    if (found.outcome !== 'absent') return found.outcome === 'offline' ? UNKNOWN : found;
  }
  const { bankAccount } = await readCitizen(deps.db, deps.keyring, row.citizenId);
  if (bankAccount === null) return { outcome: 'declined', reason: 'no account' };
  const account = bankAccount;
  return deps.lenders.debit(row.lender, { serial: row.id, account, amount: row.amount });
}

const UNKNOWN: DebitAnswer = { outcome: 'unknown' };

/** Transaction B; null when a later request has finished the key already. */
async function finish(
  tx: Tx,
  key: RequestKey,
  repaymentId: string,
  answer: DebitAnswer,
): Promise<Reply | null> {
  const row = await finishRepayment(tx, repaymentId, answer);
  if (await isKeyFinished(tx, key)) return null;
  const status = isUnderWay(row) ? 202 : 201;
  const reply: Reply = { status, body: await repaymentView(tx, row) };
  await finishKey(tx, key, reply);
  return reply;
}

function requireKey(key: RequestKey | null): RequestKey {
  if (!key) throw new Error('a repayment needs a key');
  return key;
}
