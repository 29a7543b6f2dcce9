// Law: a file made to break its reader is refused by name, row and column; it neither grows in memory nor
// reaches the database as a value that this cannot hold.
import { describe, expect, it } from 'vitest';
import { writeZip } from '../../../src/insurance/write-zip.ts';
import { bankColumns } from '../../../src/reconciliation/files/bank-csv.ts';
import { hospitalColumns } from '../../../src/reconciliation/files/hospital.ts';
import { DAY, HOSPITAL, readFile, refusalOf } from './support.ts';

const MB = 1024 * 1024;

/** Bytes that no packer makes much of, so that only the reader's own limits are asked. */
function noise(length: number): string {
  let seed = 7;
  let text = '';
  while (text.length < length) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    text += (seed >>> 4).toString(36);
  }
  return text.slice(0, length);
}

const hospitalRow = (over: Partial<Record<(typeof hospitalColumns)[number], string>> = {}) =>
  hospitalColumns
    .map(
      (name) =>
        ({
          ...{ businessDate: DAY, fixmedinsCode: HOSPITAL, receiptNumber: 'R1', kind: 'cash' },
          ...{ amount: '1.00', occurredAt: `${DAY} 08:00:00`, ...over },
        })[name as string] ?? '',
    )
    .join(',');
const hospitalFile = (row: string) => `${hospitalColumns.join(',')}\n${row}\n`;

const bankRow = (over: Record<string, string> = {}) =>
  bankColumns
    .map(
      (name) =>
        ({
          ...{ statementId: 'S', sequence: '1', account: 'A', entryRef: 'E1', direction: 'credit' },
          ...{ amount: '1.00', currency: 'CNY', bookedOn: DAY, valueOn: DAY, ...over },
        })[name as string] ?? '',
    )
    .join(',');
const bankFile = (over: Record<string, string>) => `${bankColumns.join(',')}\n${bankRow(over)}\n`;

describe('text', () => {
  it('with a zero byte is no text, whoever sends it', async () => {
    const bank = Buffer.from(bankFile({ remark: 'a\0b' }));
    expect(await refusalOf(readFile('bank', bank, { format: 'csv' }))).toEqual([
      ...['file/wrong-encoding', 2],
    ]);
    const insurer = 'P1\tM1\tS1\tG1\t0\t0\tme\0mo\t100.00\t60.00\t10.00';
    expect(await refusalOf(readFile('insurer', insurer))).toEqual(['file/wrong-encoding', 1]);
    const gbk = Buffer.concat([Buffer.from([0xd6, 0xa7]), Buffer.from('\n\0\n')]);
    expect(await refusalOf(readFile('alipay', gbk))).toEqual(['file/wrong-encoding', 2]);
  });

  it('of a day that no calendar of ours has is refused', async () => {
    const row = hospitalRow({ occurredAt: '0000-01-01 08:00:00' });
    expect(await refusalOf(readFile('hospital', hospitalFile(row)))).toEqual([
      ...['file/bad-value', 2, 'occurredAt'],
    ]);
    expect(await refusalOf(readFile('bank', bankFile({ bookedOn: '0001-01-01' })))).toEqual([
      ...['file/bad-value', 2, 'bookedOn'],
    ]);
    const far = hospitalRow({ occurredAt: '9999-12-31T23:30:00-10:00' });
    expect(await refusalOf(readFile('hospital', hospitalFile(far)))).toEqual([
      ...['file/bad-value', 2, 'occurredAt'],
    ]);
  });

  it('of nothing but separators ends early, on one line or on lines within quotes', async () => {
    const row = `${hospitalColumns.join(',')}\n${','.repeat(2 * MB)}`;
    expect(await refusalOf(readFile('hospital', row))).toEqual(['file/too-large', 2]);
    const quoted = `${hospitalColumns.join(',')}\n${`"\n",${','.repeat(9_000)}`.repeat(200)}`;
    expect((await refusalOf(readFile('hospital', quoted)))[0]).toBe('file/too-large');
  });
});

describe('XML', () => {
  const root = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">';
  const inStatement = `${root}<BkToCstmrStmt><Stmt>`;
  it.each([
    ['a comment', `${root}<!--${'x'.repeat(4 * MB)}`],
    ['an attribute', `${root}<BkToCstmrStmt x="${'x'.repeat(4 * MB)}`],
    ['a text', `${root}${'x'.repeat(4 * MB)}`],
    ['a name', `${root}<${'x'.repeat(4 * MB)}`],
    ['a CDATA', `${root}<a><![CDATA[${'x'.repeat(4 * MB)}`],
    [
      'an entry of many fields',
      `${inStatement}<Ntry>${Array.from({ length: 50_000 }, (_, i) => `<x${i}>1</x${i}>`).join('')}`,
    ],
    [
      'a statement of many fields',
      `${inStatement}${Array.from({ length: 50_000 }, (_, i) => `<x${i}>1</x${i}>`).join('')}`,
    ],
  ])('of %s without end is refused before its end', async (_name, text) => {
    expect((await refusalOf(readFile('bank', text)))[0]).toBe('file/too-large');
  });

  it('with entities expands nothing', async () => {
    const bomb = `<!DOCTYPE a [<!ENTITY a "${'ha'.repeat(9)}">]>${root}&a;`;
    expect((await refusalOf(readFile('bank', bomb)))[0]).toBe('file/bad-value');
    expect((await refusalOf(readFile('bank', `${root}&a;</Document>`)))[0]).toBe('file/bad-value');
  });
});

describe('a workbook', () => {
  const relations =
    '<Relationships xmlns="r"><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>';
  const book =
    '<workbook xmlns="m" xmlns:r="o"><sheets><sheet name="a" r:id="r1"/></sheets></workbook>';
  const workbook = (sheet: string, parts: Record<string, string> = {}) =>
    writeZip(
      Object.entries({
        'xl/workbook.xml': book,
        'xl/_rels/workbook.xml.rels': relations,
        ...{ 'xl/worksheets/sheet1.xml': sheet, ...parts },
      }).map(([name, data]) => ({ name, data: Buffer.from(data) })),
    );
  const cells = (values: string[], line = '1') =>
    `<row r="${line}">${values.map((value) => `<c t="inlineStr"><is><t>${value}</t></is></c>`).join('')}</row>`;
  const sheetOf = (rows: string) =>
    `<worksheet xmlns="m"><sheetData>${rows}</sheetData></worksheet>`;
  const read = (content: Buffer) => readFile('hospital', content, { hospitalCode: HOSPITAL });

  it('is read when it is plain', async () => {
    const rows = cells([...hospitalColumns]) + cells(hospitalRow().split(','), '2');
    expect((await read(workbook(sheetOf(rows)))).rows).toHaveLength(1);
  });

  it.each(['abc', '99999999999', '1e3', '-4', '0'])(
    'with a row numbered %s is refused',
    async (line) => {
      const rows = cells([...hospitalColumns]) + cells(hospitalRow().split(','), line);
      expect((await refusalOf(read(workbook(sheetOf(rows)))))[0]).toBe('file/bad-value');
    },
  );

  it.each([
    [
      'one shared text of many pieces',
      {
        'xl/sharedStrings.xml': `<sst xmlns="m"><si>${`<t>${noise(60_000)}</t>`.repeat(700)}</si></sst>`,
      },
      '',
    ],
    [
      'shared texts of nothing',
      {
        'xl/sharedStrings.xml': `<sst xmlns="m"><!--${noise(100_000)}-->${'<si/>'.repeat(3_000_000)}</sst>`,
      },
      '',
    ],
    [
      'styles without end',
      {
        'xl/styles.xml': `<a xmlns="m"><!--${noise(100_000)}--><cellXfs>${'<xf/>'.repeat(1_000_000)}</cellXfs></a>`,
      },
      '',
    ],
    [
      'one cell of many pieces',
      {},
      `<row><c t="inlineStr"><is>${`<t>${noise(60_000)}</t>`.repeat(40)}</is></c></row>`,
    ],
    ['elements within elements', {}, `<row>${'<a>'.repeat(100_000)}`],
    ['a comment without end', {}, `<!--${noise(3 * MB)}`],
  ])('of %s is refused', async (_name, parts, rows) => {
    const [code] = await refusalOf(read(workbook(sheetOf(rows), parts)));
    expect(code).toBe('file/too-large');
  });
});
