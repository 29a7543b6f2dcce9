// Law: a hospital's day is taken whole or refused with row and column; nothing in it is guessed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hospitalColumns } from '../../../src/reconciliation/files/hospital.ts';
import { DAY, HOSPITAL, readFile, refusalOf } from './support.ts';

const header = hospitalColumns.join(',');
type Column = (typeof hospitalColumns)[number];

let serial = 0;
const good = (over: Partial<Record<Column, string>> = {}): Record<Column, string> => {
  serial += 1;
  return {
    businessDate: DAY,
    fixmedinsCode: HOSPITAL,
    receiptNumber: `R${serial}`,
    refundOf: '',
    visitNumber: `MZ${serial}`,
    settlementId: '',
    setlId: '',
    invoiceNumber: '',
    kind: 'cash',
    amount: '12.30',
    occurredAt: `${DAY}T08:30:00+08:00`,
    shift: 'S1',
    operator: '0007',
    ...over,
  };
};
const lineOf = (row: Record<Column, string>) => hospitalColumns.map((c) => row[c]).join(',');
const fileOf = (...rows: Record<Column, string>[]) => [header, ...rows.map(lineOf)].join('\n');
const read = (content: Buffer | string, sizes?: number[]) =>
  readFile('hospital', content, { hospitalCode: HOSPITAL }, sizes);
const refusal = (content: Buffer | string) => refusalOf(read(content));

describe('a hospital’s day file', () => {
  it('gives its rows with line, keys, signed amount and day', async () => {
    const refund = good({ receiptNumber: 'R9', refundOf: 'R1', amount: '-5', kind: 'wechatPay' });
    const { rows, meta, totals } = await read(fileOf(good({ receiptNumber: 'R1' }), refund));
    expect(rows[0]).toMatchObject({
      rowNumber: 2,
      kind: 'cash',
      key: 'R1',
      amount: 1230n,
      fee: 0n,
    });
    expect(rows[1]).toMatchObject({ rowNumber: 3, kind: 'wechatPay', key: 'R9', amount: -500n });
    expect(rows[1]?.detail.refundOf).toBe('R1');
    expect(rows[0]?.occurredOn).toBe(DAY);
    expect(rows[0]?.detail).not.toHaveProperty('operator');
    expect([meta, totals]).toEqual([{ rows: 2, hospitalCode: HOSPITAL }, null]);
  });

  it('is read by header name, with BOM, CRLF, tabs, quotes and columns of its own', async () => {
    const row = good({ receiptNumber: 'R1', visitNumber: '"MZ,1"' });
    const columns = [...hospitalColumns].reverse();
    const cells = columns.map((column) => `${row[column]}\t`);
    cells[columns.indexOf('visitNumber')] = '"MZ,1"';
    const text = `\ufeff${columns.join(',')},extra\t\r\n${cells.join(',')},x\r\n\r\n`;
    const { rows } = await read(text);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ key: 'R1', key2: 'MZ,1', amount: 1230n });
  });

  it('takes the day of a moment from Shanghai, also when it is told elsewhere', async () => {
    const { rows } = await read(
      fileOf(good({ occurredAt: `${DAY}T16:30:00Z` }), good({ occurredAt: `${DAY} 23:59:59` })),
    );
    expect(rows.map((row) => row.occurredOn)).toEqual(['2026-11-22', DAY]);
  });

  it('gives the same rows however its bytes arrive', async () => {
    const text = Buffer.from(fileOf(...['门诊一', '🏥', 'ü', 'A'].map((shift) => good({ shift }))));
    const whole = await read(text);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
        async (sizes) => {
          expect(await read(text, sizes)).toEqual(whole);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('cut anywhere is refused or is a beginning of itself', async () => {
    const text = Buffer.from(fileOf(good(), good({ shift: '门诊一' }), good()));
    const { rows } = await read(text);
    for (let bytes = 0; bytes < text.length; bytes += 1) {
      const cut = await read(text.subarray(0, bytes)).catch((error) => error);
      if (!('rows' in cut)) continue;
      const last = cut.rows.length - 1;
      expect(cut.rows.slice(0, last)).toEqual(rows.slice(0, Math.max(0, last)));
      // A line that lost bytes of its last cell, which is not kept, is the only thing not seen.
      expect(cut.rows).toEqual(rows.slice(0, cut.rows.length));
    }
  });
});

describe('it is refused, with row and column,', () => {
  it.each(hospitalColumns.map((column) => [column]))('without its column %s', async (column) => {
    const text = fileOf(good()).replace(column, `${column}X`);
    expect(await refusal(text)).toEqual(['file/wrong-header', 1, column]);
  });

  it('with a column twice', async () => {
    const text = fileOf(good()).replace('operator', 'operator,amount');
    expect(await refusal(`${text},1.00`)).toEqual(['file/wrong-header', 1, 'amount']);
  });

  it.each<[string, Partial<Record<Column, string>>, string]>([
    ['an amount of three decimals', { amount: '1.001' }, 'amount'],
    ['an amount with a thousands mark', { amount: '"1,000.00"' }, 'amount'],
    ['an amount that is none', { amount: 'abc' }, 'amount'],
    ['no amount', { amount: '' }, 'amount'],
    ['an amount beyond all amounts', { amount: '999999999.00' }, 'amount'],
    ['another day', { businessDate: '2026-11-20' }, 'businessDate'],
    ['a day that is none', { businessDate: '2026-02-30' }, 'businessDate'],
    ['another hospital', { fixmedinsCode: 'H35020000002' }, 'fixmedinsCode'],
    ['an unknown kind', { kind: 'gold' }, 'kind'],
    ['nothing to join by', { receiptNumber: '', visitNumber: '' }, 'receiptNumber'],
    ['a receipt too long', { receiptNumber: 'R'.repeat(65) }, 'receiptNumber'],
    ['a control character', { shift: 'a\u0007b' }, 'shift'],
    ['a time that is none', { occurredAt: '2026-11-21T25:00:00+08:00' }, 'occurredAt'],
    ['a time without offset', { occurredAt: '2026-11-21T08:00:00.5' }, 'occurredAt'],
  ])('for %s', async (_name, over, column) => {
    expect(await refusal(fileOf(good(), good(over)))).toEqual(['file/bad-value', 3, column]);
  });

  it.each(['=1+1', '+cmd|x', '-2+3', '@SUM(A1)', '\t=1', '"=HYPERLINK(""x"")"'])(
    'for the formula %s',
    async (operator) => {
      expect(await refusal(fileOf(good(), good({ operator })))).toEqual([
        'file/formula',
        3,
        'operator',
      ]);
    },
  );

  it('for a row that stands twice', async () => {
    const row = good();
    expect(await refusal(fileOf(good(), row, good(), row))).toEqual([
      'file/duplicate-row',
      5,
      'receiptNumber',
    ]);
  });

  it('for a quote that never closes, too few cells and too many', async () => {
    expect(await refusal(`${fileOf(good())}\n"open`)).toEqual(['file/truncated', 3]);
    expect(await refusal(`${fileOf(good())}\n2026-11-21,H3502`)).toEqual([
      'file/truncated',
      3,
      'receiptNumber',
    ]);
    expect(await refusal(`${fileOf(good())},x`)).toEqual(['file/bad-value', 2, 'operator']);
    expect(await refusal('')).toEqual(['file/truncated']);
    expect(await refusal('\n\n')).toEqual(['file/truncated']);
  });

  it('in GBK or UTF-16', async () => {
    const gbk = Buffer.concat([
      Buffer.from(`${fileOf(good())}\n`),
      Buffer.from([0xc3, 0xc5, 0xd5, 0xef]),
    ]);
    expect(await refusal(gbk)).toEqual(['file/wrong-encoding', 3]);
    expect((await refusal(Buffer.from(`\ufeff${header}`, 'utf16le')))[0]).toBe(
      'file/wrong-encoding',
    );
  });

  it('with a line longer than any line', async () => {
    const [code] = await refusal(`${header}\n"${'x'.repeat(70_000)}"`);
    expect(code).toBe('file/too-large');
  });

  it('in a format that is not published', async () => {
    const reading = () => readFile('hospital', 'x', { format: 'pdf' });
    expect(await refusalOf(Promise.resolve().then(reading))).toEqual(['file/unknown-format']);
  });
});

describe('twenty thousand rows', () => {
  it('come in batches of a thousand at most, and no two differing ones are taken for one', async () => {
    const rows = Array.from({ length: 20_000 }, (_, i) => good({ receiptNumber: `A${i}` }));
    const { rows: found } = await read(fileOf(...rows));
    expect(found.map((row) => row.key)).toEqual(rows.map((row) => row.receiptNumber));
  });
});
