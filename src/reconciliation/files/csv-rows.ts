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

  /** Cells of the row that has not ended; empty ones count for no length. */
  get openCells(): number {
    return (this as unknown as { state: { record: readonly unknown[] } }).state.record.length;
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
  const plain = new PlainLines(form);
  let quoted: { parser: RowParser; linesBefore: number } | null = null;
  let count = 0;
  const batches = function* ({ rows, lines }: RawRows): Generator<RawRows> {
    count += rows.length;
    if (count > fileLimits.rows) throw tooManyRows();
    for (let from = 0; from < rows.length; from += fileLimits.batch) {
      const to = from + fileLimits.batch;
      yield { rows: rows.slice(from, to), lines: lines.slice(from, to) };
    }
  };
  for await (const chunk of text) {
    if (quoted) yield* batches(await parse(quoted, chunk));
    else if (plain.fits(chunk)) yield* batches(plain.take(chunk));
    else {
      // From the first quote on: what follows it may be a cell of several lines.
      quoted = { parser: parserOf(form), linesBefore: plain.linesBefore };
      yield* batches(await parse(quoted, plain.restWith(chunk)));
    }
  }
  yield* batches(quoted ? await parse(quoted, null) : plain.end());
}

const QUOTE = 0x22;
const BOM = '\ufeff';

/**
 * A text without any quote is lines and delimiters and nothing else: split, it costs a fifth of what a
 * parser does. What is left of the last line waits for the next piece.
 */
class PlainLines {
  /** Lines that are finished. */
  linesBefore = 0;
  readonly #form: CsvForm;
  #rest: Buffer = Buffer.alloc(0);

  constructor(form: CsvForm) {
    this.#form = form;
  }

  fits(chunk: Buffer): boolean {
    return !this.#form.isQuoted || !chunk.includes(QUOTE);
  }

  take(chunk: Buffer): RawRows {
    const end = chunk.lastIndexOf(0x0a) + 1;
    const whole = Buffer.concat([this.#rest, chunk.subarray(0, end)]);
    this.#rest = Buffer.concat([end > 0 ? Buffer.alloc(0) : this.#rest, chunk.subarray(end)]);
    if (this.#rest.length > fileLimits.rowBytes) throw rowTooLong(this.linesBefore + 1);
    return end > 0 ? this.#split(whole.toString('utf8', 0, whole.length - 1)) : NO_ROWS;
  }

  /** What was not split yet, for a parser to go on with. */
  restWith(chunk: Buffer): Buffer {
    return Buffer.concat([this.#rest, chunk]);
  }

  end(): RawRows {
    return this.#rest.length > 0 ? this.#split(this.#rest.toString('utf8')) : NO_ROWS;
  }

  #split(text: string): RawRows {
    const found: RawRows = { rows: [], lines: [] };
    const start = this.linesBefore === 0 && text.startsWith(BOM) ? 1 : 0;
    for (const ended of text.slice(start).split('\n')) {
      this.linesBefore += 1;
      const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended;
      if (line.length > fileLimits.rowBytes) throw rowTooLong(this.linesBefore);
      if (line === '') continue;
      found.rows.push(line.split(this.#form.delimiter));
      found.lines.push(this.linesBefore);
    }
    return found;
  }
}

const NO_ROWS: RawRows = { rows: [], lines: [] };

function parserOf(form: CsvForm): RowParser {
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
  return parser;
}

/** Feeds a piece (null: the end) and takes what was found, with the file's own line numbers. */
async function parse(
  { parser, linesBefore }: { parser: RowParser; linesBefore: number },
  chunk: Buffer | null,
): Promise<RawRows> {
  await fed(
    parser,
    (done) => void (chunk ? parser.write(chunk, done) : parser.end(done)),
    linesBefore,
  );
  if (parser.openCells > fileLimits.cellsPerRow) throw rowTooLong(parser.info.lines + linesBefore);
  const { rows, lines } = parser.takeFound();
  return { rows, lines: lines.map((line) => line + linesBefore) };
}

export function tooManyRows(): FileRefusal {
  return new FileRefusal('file/too-large', `超过 ${fileLimits.rows} 行 too many rows`, {
    row: fileLimits.rows,
  });
}

function fed(
  parser: RowParser,
  feed: (done: (error?: Error | null) => void) => void,
  linesBefore: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    feed((error) =>
      error ? reject(refusalOf(error, parser.info.lines + linesBefore)) : resolve(),
    );
  });
}

function rowTooLong(row: number): FileRefusal {
  return new FileRefusal('file/too-large', '行过长 the row is too long', { row });
}

function refusalOf(error: Error, row: number): Error {
  switch ((error as CsvError).code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return new FileRefusal('file/truncated', '引号未闭合 a quote is not closed', { row });
    case 'CSV_MAX_RECORD_SIZE':
      return rowTooLong(row);
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_CLOSING_QUOTE':
      return new FileRefusal('file/bad-value', '引号位置错误 a misplaced quote', { row });
    default:
      return error;
  }
}
