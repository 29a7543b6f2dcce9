// The two sides of a comparison as temporary tables that vanish with the transaction. Law: nothing of a
// file is left when it is refused half-way; memory stays flat, because rows pass in batches.
import type { Readable } from 'node:stream';
import { sql } from 'drizzle-orm';
import { copyInto, copyValue, readAhead } from '../db/copy.ts';
import { rows, type Tx } from '../db/db.ts';
import type { Fen } from '../money.ts';
import { type BillOf, billRows } from './bill-of.ts';
import { FileRefusal, type Statement } from './statement.ts';

/** Enough for hashing a million rows a side; given back with the transaction. */
const WORK_MEM = '256MB';

/**
 * A row belongs to a bill: what must agree on both sides, by kind. `is_part` rows say what a row is made
 * of and are not counted as money. `alt`: another key of ours that a row of theirs names.
 */
export async function createStaging(tx: Tx): Promise<void> {
  await tx.execute(sql.raw(`set local work_mem = '${WORK_MEM}'`));
  await tx.execute(sql`create temp table their_row (n int not null, bill text not null,
    kind text not null, amount bigint not null, is_part boolean not null, key2 text, alt text,
    original text, has_wrong_fee boolean not null, day date not null, detail text,
    via text) on commit drop`);
  await tx.execute(sql`create temp table our_row (bill text not null, kind text not null,
    amount bigint not null, is_part boolean not null, key2 text, settlement_id text, subject_id text,
    at timestamptz, is_late_capture boolean not null, awaits_insurance boolean not null)
    on commit drop`);
}

/** Begins to read the file; its refusal is thrown by stageTheirs. The caller stages it or ends it. */
export const readTheirs = (statement: Statement, billOf: BillOf): Readable =>
  readAhead(linesOf(statement, billOf));

/** Copies the file's rows; throws FileRefusal as the reader does. */
export async function stageTheirs(tx: Tx, lines: Readable): Promise<void> {
  await copyInto(
    tx,
    'their_row (n, bill, kind, amount, is_part, key2, alt, original, has_wrong_fee, day, detail)',
    lines,
  );
  await tx.execute(sql`analyze their_row (bill, kind, key2, alt)`);
}

/** As bytes: what waits for the database lies outside the heap. */
async function* linesOf(statement: Statement, billOf: BillOf): AsyncIterable<Buffer> {
  for await (const batch of statement.rows) {
    let text = '';
    for (const row of batch) {
      for (const staged of billRows(row, billOf)) {
        refuseLongKey(row.rowNumber, staged.bill);
        const { bill, kind, amount, isPart, key2, alt, original, hasWrongFee, detail } = staged;
        text += `${row.rowNumber}\t${copyValue(bill)}\t${copyValue(kind)}\t${amount}\t${isPart}\t${copyValue(key2)}\t${copyValue(alt)}\t${copyValue(original)}\t${hasWrongFee}\t${row.occurredOn}\t${copyValue(detail)}\n`;
      }
    }
    if (text) yield Buffer.from(text);
  }
}

/** A key names a break in an index; no counterparty's numbers are nearly as long. */
const MAX_KEY = 200;

function refuseLongKey(row: number, key: string): void {
  if (key.length <= MAX_KEY) return;
  throw new FileRefusal('file/bad-value', '单号过长 the number of the row is too long', { row });
}

export interface SideTotals {
  count: number;
  amount: Fen;
}

/** Counts and sums of both sides, parts left out. */
export async function sideTotals(tx: Tx): Promise<{ ours: SideTotals; theirs: SideTotals }> {
  const [row] = await rows<{ oc: bigint; oa: bigint; tc: bigint; ta: bigint }>(
    tx,
    sql`
    select o.count as oc, o.amount as oa, t.count as tc, t.amount as ta
    from (select count(*), coalesce(sum(amount), 0)::bigint as amount
        from our_row where not is_part) o,
      (select count(*), coalesce(sum(amount), 0)::bigint as amount
        from their_row where not is_part) t`,
  );
  if (!row) throw new Error('totals have one row');
  return {
    ours: { count: Number(row.oc), amount: row.oa },
    theirs: { count: Number(row.tc), amount: row.ta },
  };
}
