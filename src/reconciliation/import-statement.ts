// A counterparty's file is compared with our books: read into staging, matched, its differences listed, its
// payouts proved, all in one transaction. Law: a file that is refused leaves nothing but the refusal.
import { type Tx, transact } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { newId } from '../ids.ts';
import { type AccountSide, billOfCounterparty } from './bill-of.ts';
import { countDiffering, findDifferent, joinByRules, listDifferences } from './match-store.ts';
import { type Compared, stageOurs } from './our-rows.ts';
import { provePayouts } from './prove-payouts.ts';
import {
  findRunOfFile,
  finishRun,
  insertFailedRun,
  insertRun,
  lockCounterparty,
  type NewRun,
  type RunRow,
} from './run-store.ts';
import { saveDifferences } from './save-differences.ts';
import { createStaging, readTheirs, sideTotals, stageTheirs } from './staging-store.ts';
import { FileRefusal, type Statement } from './statement.ts';

export interface ImportOrder extends Compared {
  format: string;
  /** SHA-256 of the bytes as received, hex. */
  fileHash: string;
  /** Who sent it: the client. */
  createdBy: string;
}

/**
 * Imports a statement; the same file again is the same run. `alongside` is done in the same transaction.
 * Throws FileRefusal: then a failed run tells why, and nothing else is left.
 */
export async function importStatement(
  deps: Pick<Deps, 'db'>,
  order: ImportOrder,
  open: () => Statement,
  alongside: (tx: Tx, run: RunRow) => Promise<void> = async () => {},
): Promise<RunRow> {
  const run = newRun(order);
  try {
    return await transact(deps.db, async (tx) => {
      await lockCounterparty(tx, run);
      const row = (await findRunOfFile(tx, run)) ?? (await compare(tx, run, order, open()));
      await alongside(tx, row);
      return row;
    });
  } catch (error) {
    const refusal = fileRefusalIn(error);
    if (!refusal) throw error;
    const { code, detail, row, column } = refusal;
    await transact(deps.db, (tx) => insertFailedRun(tx, run, { code, detail, row, column }));
    throw refusal;
  }
}

function newRun(order: ImportOrder): NewRun {
  const { counterparty, businessDate, hospitalCode, lender, format, fileHash, createdBy } = order;
  const scope = hospitalCode ?? lender ?? '';
  const id = newId('reconciliation');
  return {
    ...{ id, counterparty, businessDate, scope, hospitalCode, lender, format, fileHash, createdBy },
  };
}

async function compare(tx: Tx, run: NewRun, what: Compared, statement: Statement): Promise<RunRow> {
  const { counterparty } = what;
  await insertRun(tx, run);
  await createStaging(tx);
  await stageBoth(tx, what, statement);
  await findDifferent(tx, counterparty);
  await joinByRules(tx, counterparty);
  await listDifferences(tx, counterparty);
  const differing = await countDiffering(tx);
  const byKind = await saveDifferences(tx, { ...what, id: run.id, scope: run.scope });
  if (counterparty === 'bank')
    await provePayouts(tx, { ...what, id: run.id, scope: run.scope }, byKind);
  const claimed = statement.claimedTotals();
  const detail = {
    byKind,
    file: statement.meta(),
    ...(claimed ? { claimed: JSON.parse(JSON.stringify(claimed, asText)) } : {}),
  };
  const totals = await sideTotals(tx);
  const matched = totals.theirs.count - differing;
  return finishRun(tx, run.id, { ...totals, matched, detail });
}

/** Ours are gathered while the file is read; a bank's are asked for by what its file names. */
async function stageBoth(tx: Tx, what: Compared, statement: Statement): Promise<void> {
  const lines = readTheirs(statement, billOfCounterparty(what.counterparty, accountSide(what)));
  try {
    if (what.counterparty !== 'bank') await stageOurs(tx, what);
    await stageTheirs(tx, lines);
    if (what.counterparty === 'bank') await stageOurs(tx, what);
  } finally {
    lines.destroy();
  }
}

/** Whose account a bank's file shows. */
function accountSide({ hospitalCode, lender }: Compared): AccountSide {
  if (hospitalCode) return 'hospital';
  return lender ? 'lender' : 'any';
}

const asText = (_key: string, value: unknown) =>
  typeof value === 'bigint' ? value.toString() : value;

/** The refusal may be wrapped by what it went through: a stream, the driver, drizzle. */
function fileRefusalIn(error: unknown): FileRefusal | null {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof FileRefusal) return e;
  return null;
}
