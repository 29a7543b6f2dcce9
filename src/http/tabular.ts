// Lists for finance staff as CSV and XLSX. Law: a cell that a spreadsheet would run as a formula is
// defused; amounts stay exact text.
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { stringify } from 'csv-stringify/sync';
import type { Reply } from './route.ts';

export interface Column<T> {
  /** Field name, as in the JSON list. */
  key: string;
  /** Text of the cell; money as a yuan string. */
  cell: (row: T) => string | null;
}

const XLSX_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const SIGNED_NUMBER = /^-\d{1,18}(\.\d{1,6})?$/;

/** The rows as a download named `name`; `format` is the call's `accept`. */
export async function tabularReply<T>(
  format: 'csv' | 'xlsx',
  name: string,
  columns: readonly Column<T>[],
  rows: readonly T[],
): Promise<Reply> {
  const table = rows.map((row) => columns.map((column) => column.cell(row) ?? ''));
  const header = columns.map((column) => column.key);
  const raw =
    format === 'csv'
      ? { contentType: 'text/csv; charset=utf-8', data: toCsv(header, table) }
      : { contentType: XLSX_TYPE, data: await toXlsx(name, header, table) };
  const headers = { 'Content-Disposition': `attachment; filename="${name}.${format}"` };
  return { status: 200, raw, headers };
}

/** With a BOM, because Excel takes anything else for GBK. */
function toCsv(header: string[], table: string[][]): string {
  return stringify([header, ...table], {
    bom: true,
    escape_formulas: true,
    record_delimiter: 'windows',
    // "-12.30" is an amount, not a formula.
    cast: {
      string: (value) => (SIGNED_NUMBER.test(value) ? { value, escape_formulas: false } : value),
    },
  });
}

/** Text cells only: a text that looks like a formula stays a text in XLSX. */
async function toXlsx(name: string, header: string[], table: string[][]): Promise<Buffer> {
  // Loaded when first asked for: the library is large and most processes never need it.
  const { default: exceljs } = await import('exceljs');
  const stream = new PassThrough();
  const collected = buffer(stream);
  const workbook = new exceljs.stream.xlsx.WorkbookWriter({ stream, useSharedStrings: false });
  const sheet = workbook.addWorksheet(name.slice(0, 31));
  for (const cells of [header, ...table]) sheet.addRow(cells).commit();
  sheet.commit();
  await workbook.commit();
  return collected;
}
