// Law: a workbook is read as what its reader sees, never calculated, and never larger than it may be.
import exceljs from 'exceljs';
import { describe, expect, it } from 'vitest';
import { writeZip } from '../../../src/insurance/write-zip.ts';
import { hospitalColumns } from '../../../src/reconciliation/files/hospital.ts';
import { DAY, HOSPITAL, readFile, refusalOf } from './support.ts';

type Value =
  | string
  | number
  | Date
  | { formula: string; result?: number }
  | { richText: { text: string }[] };
const row = (over: Partial<Record<(typeof hospitalColumns)[number], Value>> = {}): Value[] => {
  const cells: Record<string, Value> = {
    businessDate: DAY,
    fixmedinsCode: HOSPITAL,
    receiptNumber: 'R1',
    visitNumber: 'MZ1',
    kind: 'cash',
    amount: '12.30',
    occurredAt: `${DAY} 08:30:00`,
    shift: 'S1',
    operator: '7',
    ...over,
  };
  return hospitalColumns.map((column) => cells[column] ?? '');
};

async function workbook(rows: Value[][], options: { sheets?: number } = {}) {
  const book = new exceljs.Workbook();
  const sheet = book.addWorksheet('日报');
  sheet.addRow([...hospitalColumns]);
  for (const cells of rows) {
    const added = sheet.addRow(cells.map((cell) => (cell === '' ? null : cell)));
    added.eachCell((cell) => {
      if (cell.value instanceof Date) cell.numFmt = 'yyyy-mm-dd hh:mm:ss';
    });
  }
  for (let i = 1; i < (options.sheets ?? 1); i += 1) book.addWorksheet(`更多${i}`).addRow(['x']);
  return Buffer.from(await book.xlsx.writeBuffer());
}
const read = (content: Buffer, sizes?: number[]) =>
  readFile('hospital', content, { hospitalCode: HOSPITAL }, sizes);

describe('a workbook', () => {
  it('gives the same rows as the CSV would: texts, numbers, days and times', async () => {
    const content = await workbook(
      [
        row(),
        row({ receiptNumber: { richText: [{ text: 'R' }, { text: '2' }] }, amount: 0.1 + 0.2 }),
        row({
          receiptNumber: 'R3',
          refundOf: 'R1',
          amount: -12.3,
          businessDate: new Date(`${DAY}T00:00:00Z`),
          occurredAt: new Date(`${DAY}T16:05:09Z`),
        }),
      ],
      { sheets: 2 },
    );
    const { rows } = await read(content, [1000]);
    expect(
      rows.map(({ rowNumber, key, amount, occurredOn }) => [rowNumber, key, amount, occurredOn]),
    ).toEqual([
      [2, 'R1', 1230n, DAY],
      [3, 'R2', 30n, DAY],
      [4, 'R3', -1230n, DAY],
    ]);
    expect(rows[2]?.detail).toMatchObject({
      businessDate: DAY,
      occurredAt: `${DAY} 16:05:09`,
      refundOf: 'R1',
    });
  });

  it('is refused for a formula, whatever it shows, and for a text that would be one', async () => {
    const formula = await workbook([row(), row({ amount: { formula: '1+1', result: 2 } })]);
    expect(await refusalOf(read(formula))).toEqual(['file/formula', 3, 'J']);
    const text = await workbook([row({ operator: '=cmd|x' })]);
    expect(await refusalOf(read(text))).toEqual(['file/formula', 2, 'operator']);
  });

  it('is refused for the same things as the CSV', async () => {
    const finer = await workbook([row({ amount: 1.005 })]);
    expect(await refusalOf(read(finer))).toEqual(['file/bad-value', 2, 'amount']);
    expect(await refusalOf(read(await workbook([row(), row()])))).toEqual([
      'file/duplicate-row',
      3,
      'receiptNumber',
    ]);
  });

  it('is refused when it is cut, no workbook, or a bomb', async () => {
    const content = await workbook([row()]);
    expect((await refusalOf(read(content.subarray(0, content.length - 40))))[0]).toBe(
      'file/truncated',
    );
    const other = writeZip([{ name: 'a.csv', data: Buffer.from('x') }]);
    expect((await refusalOf(read(other)))[0]).toBe('file/unknown-format');
    const bomb = writeZip([{ name: 'xl/workbook.xml', data: Buffer.alloc(64 * 1024 * 1024, 32) }]);
    expect((await refusalOf(read(bomb)))[0]).toBe('file/zip-bomb');
    const asked = readFile('hospital', 'a,b', { format: 'xlsx' });
    expect((await refusalOf(asked))[0]).toBe('file/truncated');
  });
});
