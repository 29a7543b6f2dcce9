// Law: one key, one debit. A: choose what is paid and note the debit under the key → ask the bank
// outside any transaction → B: book its answer with the reply. A crash between A and B loses nothing:
// the serial is the repayment's id, and the bank is asked for it before anything is repeated.
import { sql } from 'drizzle-orm';
import type { DebitAnswer } from '../credit/lender-bank.ts';
import { rows, type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { assert, Refusal } from '../errors.ts';
import { finishKey, leaseKey, peekKey, type RequestKey, takeKey } from '../http/idempotency.ts';
import type { Call, Reply } from '../http/route.ts';
import { allocate } from './allocate.ts';
import { beginRepayment } from './begin-repayment.ts';
import { finishRepayment } from './finish-repayment.ts';
import {
  areLinked,
  isKeyFinished,
  isUnderWay,
  lockOwed,
  notedRepayment,
  noteRepayment,
  ownersOf,
  type RepaymentRow,
  readRepayment,
  repaymentView,
} from './repayment-store.ts';
import type { RepaymentWish } from './schemas.ts';
import { sendDebit } from './send-debit.ts';

/** Longer than the two calls to the bank that a resumed request may make. */
const LEASE_SECONDS = 15;

/** Repays from the caller's account, also for a linked relative. 201 with the outcome, 202 while nobody knows it. */
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
  const debtor = await debtorOf(tx, citizenId, wish.receivableIds);
  const [line] = await rows<{ id: string; lender: string }>(
    tx,
    sql`
    select id, lender from credit_line where citizen_id = ${debtor} and status <> 'closed'
    for update`,
  );
  const asked = wish.receivableIds ? new Set(wish.receivableIds) : null;
  const all = await lockOwed(tx, debtor);
  const owed = asked ? all.filter((debt) => asked.has(debt.id)) : all;
  const free = owed.filter((debt) => !debt.isUnderWay);
  const allocations = allocate(free, wish.amount);
  if (!line || !allocations) {
    const isAllOwed = allocate(owed, wish.amount) !== null;
    throw new Refusal(line && isAllOwed ? 'repayment/under-way' : 'repayment/exceeds-debt');
  }
  const by =
    debtor === citizenId
      ? ({ cause: 'citizen' } as const)
      : ({ cause: 'relative', paidByCitizenId: citizenId } as const);
  const row = await beginRepayment(tx, {
    citizenId: debtor,
    line,
    amount: wish.amount,
    by,
    allocations,
  });
  assert(row, 'only an auto-debit has a slot');
  return row;
}

/**
 * Whose debt is paid: the caller's own, or that of one person whom an active family link ties to them,
 * named by their receivables. Anybody else's, or two people's at once: 404.
 */
async function debtorOf(tx: Tx, citizenId: string, ids: string[] | undefined): Promise<string> {
  if (!ids) return citizenId;
  const owners = await ownersOf(tx, ids);
  const [debtor] = owners;
  const isOne = debtor !== undefined && owners.every((owner) => owner === debtor);
  if (!isOne || owners.length !== new Set(ids).size) throw new Refusal('resource/not-found');
  if (debtor !== citizenId && !(await areLinked(tx, citizenId, debtor))) {
    throw new Refusal('resource/not-found');
  }
  return debtor;
}

/** Debits the account; a resumed request first asks what became of the debit. */
async function askBank(deps: Deps, row: RepaymentRow, isResumed: boolean): Promise<DebitAnswer> {
  if (!isUnderWay(row)) return UNKNOWN;
  if (isResumed) {
    const found = await deps.lenders.findDebit(row.lender, row.id);
    if (found.outcome !== 'absent') return found.outcome === 'offline' ? UNKNOWN : found;
  }
  return sendDebit(deps, row);
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
