// The fast road into a table: COPY inside a running transaction, as slow as its reader asks (back-pressure).
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type postgres from 'postgres';
import type { Tx } from './db.ts';

/** What is read while the database is busy with our side: most of a million rows. */
const BYTES_AHEAD = 80 * 2 ** 20;

/** One value as COPY's text format has it; null is \\N. */
export function copyValue(value: string | null): string {
  if (value === null) return '\\N';
  return NEEDS_ESCAPE.test(value)
    ? value.replace(TO_ESCAPE, (found) => ESCAPES[found] ?? '')
    : value;
}

const NEEDS_ESCAPE = /[\\\t\n\r]/;
const TO_ESCAPE = /[\\\t\n\r]/g;
const ESCAPES: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/**
 * Copies text lines (values by `copyValue`, tab between, newline after each) into `table (columns)` of
 * this transaction; what they throw ends the copy and is thrown on, and the transaction is broken then.
 */
export async function copyInto(tx: Tx, target: string, lines: Readable) {
  // drizzle keeps the driver's transaction in its session and has no COPY of its own.
  const { client } = (tx as unknown as { session: { client: postgres.TransactionSql } }).session;
  const writable = await client.unsafe(`copy ${target} from stdin`).writable();
  await pipeline(lines, writable);
}

/** Begins to read lines at once, a bounded way ahead, while the connection is busy with something else. */
export function readAhead(chunks: AsyncIterable<Buffer>): Readable {
  const lines = Readable.from(chunks, { objectMode: false, highWaterMark: BYTES_AHEAD });
  // What goes wrong is told by copyInto; until then nobody listens.
  lines.on('error', () => {});
  lines.read(0);
  return lines;
}
