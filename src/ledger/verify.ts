// Verify: every law of the books, asked of the real tables at one moment.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { booksLaws } from './laws/books-laws.ts';
import { counterLaws } from './laws/counter-laws.ts';
import { creditLaws } from './laws/credit-laws.ts';
import { dayLaws } from './laws/day-laws.ts';
import { familyLaws } from './laws/family-laws.ts';
import { insuranceLaws } from './laws/insurance-laws.ts';
import type { Law } from './laws/law.ts';
import { payoutLaws } from './laws/payout-laws.ts';
import { reconciliationLaws } from './laws/reconciliation-laws.ts';
import { refundLaws } from './laws/refund-laws.ts';
import { settlementBooksLaws } from './laws/settlement-books-laws.ts';
import { settlementLaws } from './laws/settlement-laws.ts';
import { shiftLaws } from './laws/shift-laws.ts';

export interface LawResult {
  law: string;
  holds: boolean;
  /** How many rows the law looked at. */
  checked: number;
  /** The first few offenders by id; only when the law is broken. */
  detail?: string;
}

export interface Verdict {
  holds: boolean;
  laws: LawResult[];
}

const laws: readonly Law[] = [
  ...booksLaws,
  ...settlementBooksLaws,
  ...creditLaws,
  ...familyLaws,
  ...counterLaws,
  ...settlementLaws,
  ...insuranceLaws,
  ...refundLaws,
  ...payoutLaws,
  ...shiftLaws,
  ...dayLaws,
  ...reconciliationLaws,
];

/** Enough to start looking; the count says how many there are. */
const NAMED_OFFENDERS = 5;

/** Checks every law on one snapshot, so that running traffic cannot make it lie. */
export function verifyBooks(db: Db): Promise<Verdict> {
  return db.transaction(checkLaws, { isolationLevel: 'repeatable read', accessMode: 'read only' });
}

/** Checks every law as `tx` sees the tables. */
export async function checkLaws(tx: Tx): Promise<Verdict> {
  const results: LawResult[] = [];
  for (const law of laws) results.push(await check(tx, law));
  return { holds: results.every((result) => result.holds), laws: results };
}

async function check(tx: Tx, { law, query }: Law): Promise<LawResult> {
  const [row] = await rows<{ checked: bigint; broken: bigint; named: string | null }>(
    tx,
    countOffenders(query),
  );
  if (!row) throw new Error(`law has no answer: ${law}`);
  const result = { law, holds: row.broken === 0n, checked: Number(row.checked) };
  return result.holds ? result : { ...result, detail: `${row.broken} broken: ${row.named}` };
}

/** A row that cannot say whether it holds (null) is broken. */
function countOffenders(query: SQL): SQL {
  return sql`
    select count(*) as checked, count(*) filter (where holds is not true) as broken,
      array_to_string((array_agg(id || coalesce(' (' || saw || ')', '') order by id)
        filter (where holds is not true))[1:${sql.raw(String(NAMED_OFFENDERS))}], '; ') as named
    from (${query}) law`;
}
