// Role: separated values to rows of cells with their line numbers, in batches; memory stays flat.
import { type CsvError, Parser } from 'csv-parse';
import { FileRefusal } from '../statement.ts';
import { fileLimits } from './limits.ts';

/** Rows as they stand in the file; `lines[i]` is the line on which row i ends. */
export interface RawRows {
  rows: string[][];
  lines: number[];
}

export interface CsvForm {
  delimiter: string;
  /** False where a quote is a character like any other. */
  isQuoted: boolean;
  /** A quote inside a bare field stands for itself (names of goods). */
  isLenient?: boolean;
}

const commas: CsvForm = { delimiter: ',', isQuoted: true };

/** csv-parse, with its rows taken as they are found instead of one by one through a stream's queue. */
class RowParser extends Parser {
  rows: string[][] = [];
  lines: number[] = [];

  override push(row: string[] | null): boolean {
    if (row === null) return super.push(null);
    this.rows.push(row);
    this.lines.push(this.info.lines);
    return true;
  }

  /** What was found since the last call. */
  takeFound(): RawRows {
    const { rows, lines } = this;
    this.rows = [];
    this.lines = [];
    return { rows, lines };
  }
}

/** Rows of UTF-8 text. Throws file/truncated for an open quote, file/too-large, file/bad-value. */
export async function* csvRows(
  text: AsyncIterable<Buffer>,
  form: CsvForm = commas,
): AsyncGenerator<RawRows> {
  const parser = new RowParser({
    bom: true,
    delimiter: form.delimiter,
    quote: form.isQuoted ? '"' : null,
    relax_quotes: form.isLenient ?? false,
    relax_column_count: true,
    skip_empty_lines: true,
    record_delimiter: ['\r\n', '\n'],
    max_record_size: fileLimits.rowBytes,
  });
  parser.on('error', () => {});
  let count = 0;
  const found = function* (): Generator<RawRows> {
    const taken = parser.takeFound();
    count += taken.rows.length;
    if (count > fileLimits.rows) throw tooManyRows();
    for (let from = 0; from < taken.rows.length; from += fileLimits.batch) {
      const to = from + fileLimits.batch;
      yield { rows: taken.rows.slice(from, to), lines: taken.lines.slice(from, to) };
    }
  };
  for await (const chunk of text) {
    await fed(parser, (done) => void parser.write(chunk, done));
    yield* found();
  }
  await fed(parser, (done) => void parser.end(done));
  yield* found();
}

export function tooManyRows(): FileRefusal {
  return new FileRefusal('file/too-large', `超过 ${fileLimits.rows} 行 too many rows`, {
    row: fileLimits.rows,
  });
}

function fed(
  parser: RowParser,
  feed: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    feed((error) => (error ? reject(refusalOf(error, parser.info.lines)) : resolve()));
  });
}

function refusalOf(error: Error, row: number): Error {
  switch ((error as CsvError).code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return new FileRefusal('file/truncated', '引号未闭合 a quote is not closed', { row });
    case 'CSV_MAX_RECORD_SIZE':
      return new FileRefusal('file/too-large', '行过长 the row is too long', { row });
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_CLOSING_QUOTE':
      return new FileRefusal('file/bad-value', '引号位置错误 a misplaced quote', { row });
    default:
      return error;
  }
}
