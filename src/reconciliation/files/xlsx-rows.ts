// Role: the first sheet of a workbook as rows of text, read as it comes. Law: a formula is refused, whatever it shows;
// numbers are read as what Excel shows (15 digits), days by their style.
import { Decimal } from 'decimal.js';
import { DateTime } from 'luxon';
import type { SaxesTagNS } from 'saxes';
import { FileRefusal } from '../statement.ts';
import { type RawRows, tooManyRows } from './csv-rows.ts';
import { fileLimits } from './limits.ts';
import { dateStyles, firstSheet, readXml, sharedTexts, type XmlHandlers } from './xlsx-parts.ts';
import { withZip, type ZipContent } from './zip.ts';

/** Excel's own precision. */
const SIGNIFICANT_DIGITS = 15;
/** Days from 1900 (with Excel's leap day that never was) and from 1904 to the same day. */
const DAYS_1904 = 1462;

/** Rows of the first sheet, each as wide as the first; empty rows are left out. */
export function xlsxRows(body: AsyncIterable<Buffer>): AsyncGenerator<RawRows> {
  return withZip(body, readSheet);
}

async function* readSheet(zip: ZipContent): AsyncGenerator<RawRows> {
  if (!zip.names.includes('xl/workbook.xml')) {
    throw new FileRefusal('file/unknown-format', '不是 XLSX 工作簿 not a workbook');
  }
  const { name, is1904 } = await firstSheet(zip);
  const [texts, styles] = [await sharedTexts(zip), await dateStyles(zip)];
  const sheet = new Sheet(texts, styles, is1904);
  yield* readXml(zip.read(name), sheet, () => sheet.take());
}

class Sheet implements XmlHandlers {
  readonly #texts: readonly string[];
  readonly #styles: readonly boolean[];
  readonly #is1904: boolean;
  #found: RawRows = { rows: [], lines: [] };
  #count = 0;
  #width = 0;
  #line = 0;
  #cells: string[] = [];
  #column = 0;
  #type = 'n';
  #isDate = false;
  #value = '';

  constructor(texts: readonly string[], styles: readonly boolean[], is1904: boolean) {
    this.#texts = texts;
    this.#styles = styles;
    this.#is1904 = is1904;
  }

  *take(): Generator<RawRows> {
    const { rows, lines } = this.#found;
    this.#found = { rows: [], lines: [] };
    for (let from = 0; from < rows.length; from += fileLimits.batch) {
      const to = from + fileLimits.batch;
      yield { rows: rows.slice(from, to), lines: lines.slice(from, to) };
    }
  }

  open(name: string, { attributes }: SaxesTagNS): void {
    if (name === 'row') {
      this.#line = this.#lineOf(attributes.r?.value);
      this.#cells = [];
      this.#column = 0;
    } else if (name === 'c') {
      this.#column = columnOf(attributes.r?.value) ?? this.#column + 1;
      if (this.#column > fileLimits.cellsPerRow) throw this.#refusal('file/too-large', '列过多');
      this.#type = attributes.t?.value ?? 'n';
      this.#isDate = this.#styles[Number(attributes.s?.value ?? -1)] ?? false;
      this.#value = '';
    } else if (name === 'f') {
      throw this.#refusal('file/formula', '单元格是公式 a cell is a formula');
    }
  }

  close(name: string, text: string): void {
    if (name === 'v') this.#value = text;
    else if (name === 't') this.#add(text);
    else if (name === 'c') this.#cells[this.#column - 1] = this.#text();
    else if (name === 'row') this.#endRow();
  }

  #lineOf(said: string | undefined): number {
    if (said === undefined) return this.#line + 1;
    if (/^[1-9]\d{0,6}$/.test(said)) return Number(said);
    throw this.#refusal('file/bad-value', '行号有误 not the number of a row');
  }

  /** A text may come in pieces of different looks. */
  #add(text: string): void {
    this.#value += text;
    if (this.#value.length > fileLimits.rowBytes)
      throw this.#refusal('file/too-large', '单元格过长 a cell is too long');
  }

  #endRow(): void {
    const cells = Array.from(this.#cells, (cell) => cell ?? '');
    while (cells.length > this.#width && cells.at(-1) === '') cells.pop();
    if (cells.every((cell) => cell === '')) return;
    if (this.#width === 0) this.#width = cells.length;
    while (cells.length < this.#width) cells.push('');
    this.#count += 1;
    if (this.#count > fileLimits.rows) throw tooManyRows();
    this.#found.rows.push(cells);
    this.#found.lines.push(this.#line);
  }

  #text(): string {
    const value = this.#value;
    if (this.#type === 's') return this.#texts[Number(value)] ?? '';
    if (this.#type === 'e') throw this.#refusal('file/bad-value', `单元格有误 ${value} an error`);
    if (this.#type !== 'n' || value === '') return value;
    if (!/^-?\d{1,20}(\.\d{1,20})?([eE][+-]?\d{1,2})?$/.test(value)) {
      throw this.#refusal('file/bad-value', '不是数字 not a number');
    }
    const number = new Decimal(value);
    if (this.#isDate) return this.#day(number);
    return number.toSignificantDigits(SIGNIFICANT_DIGITS).toFixed();
  }

  /** A day, or a local time where the number has a fraction. */
  #day(serial: Decimal): string {
    const days = serial.plus(this.#is1904 ? DAYS_1904 : 0);
    const seconds = days.times(86_400).toDecimalPlaces(0).toNumber();
    const time = DateTime.fromISO('1899-12-30', { zone: 'utc' }).plus({ seconds });
    if (!time.isValid) throw this.#refusal('file/bad-value', '不是日期 not a day');
    return time.toFormat(days.isInteger() ? 'yyyy-MM-dd' : 'yyyy-MM-dd HH:mm:ss');
  }

  #refusal(code: FileRefusal['code'], detail: string): FileRefusal {
    return new FileRefusal(code, detail, { row: this.#line, column: letters(this.#column) });
  }
}

/** "AB12" → 28. */
function columnOf(reference: string | undefined): number | null {
  const [, name] = /^([A-Z]{1,3})\d+$/.exec(reference ?? '') ?? [];
  if (!name) return null;
  return [...name].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
}

function letters(column: number): string {
  let name = '';
  for (let n = column; n > 0; n = Math.floor((n - 1) / 26)) {
    name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  }
  return name;
}
