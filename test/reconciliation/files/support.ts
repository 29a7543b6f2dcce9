// Reads files of the tests whole, in whatever pieces they come.
import {
  parseStatement,
  type StatementFile,
} from '../../../src/reconciliation/files/parse-statement.ts';
import {
  FileRefusal,
  type Statement,
  type StatementRow,
  type StatementTotals,
} from '../../../src/reconciliation/statement.ts';

export const DAY = '2026-11-21';
export const HOSPITAL = 'H35020000001';

export interface ReadWhole {
  rows: StatementRow[];
  meta: Record<string, unknown>;
  totals: StatementTotals | null;
}

type Said = Partial<Omit<StatementFile, 'body' | 'counterparty'>>;

/** Bytes in pieces that end anywhere; `sizes` repeats. */
export async function* inPieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let from = 0, i = 0; from < bytes.length; i += 1) {
    const to = from + (sizes[i % sizes.length] ?? 1);
    yield bytes.subarray(from, to);
    from = to;
  }
}

export async function readStatement(statement: Statement): Promise<ReadWhole> {
  const rows: StatementRow[] = [];
  for await (const batch of statement.rows) rows.push(...batch);
  return { rows, meta: statement.meta(), totals: statement.claimedTotals() };
}

export function readFile(
  counterparty: StatementFile['counterparty'],
  content: Buffer | string,
  said: Said = {},
  sizes: readonly number[] = [64 * 1024],
): Promise<ReadWhole> {
  const body = inPieces(Buffer.from(content as string), sizes);
  const file = { format: null, businessDate: DAY, hospitalCode: null, ...said };
  return readStatement(parseStatement({ ...file, counterparty, body }));
}

/** Code, row and column of the refusal, as far as told; fails when the file is taken. */
export async function refusalOf(reading: Promise<unknown>): Promise<(string | number)[]> {
  try {
    await reading;
  } catch (error) {
    if (!(error instanceof FileRefusal)) throw error;
    return [error.code, error.row, error.column].filter((part) => part !== null);
  }
  throw new Error('the file was taken');
}
