// Law: the insurer's result is read of both known writers; a row tells by its message what we never learnt.
import { describe, expect, it } from 'vitest';
import { writeZip } from '../../../src/insurance/write-zip.ts';
import { DAY, readFile, refusalOf } from './support.ts';

const lines = [
  ['P1', 'M1', 'S1', 'G1', '0', '0', 'null', '100.00', '60.00', '10.00'],
  ['P1', 'M1', 'S2', 'G2', '0', '1', 'null', '-100', '-60.0', '-10'],
  ['P2', 'null', 'null', 'G3', '1', '0', '"医药机构无', '50.00', '30.00', 'null'],
  ['P3', 'M3', 'S3', 'null', '2', '0', '中心无此结算', '70.00', '40.00', '0'],
];
const tabs = lines.map((cells) => `${cells.join('\t')}\t`).join('\r\n');
const bare = lines.map((cells) => cells.join('\t')).join('\n');
const zipped = (text: string) => writeZip([{ name: 'result.txt', data: Buffer.from(text) }]);
const read = (content: Buffer | string) => readFile('insurer', content, { format: '3202' });

describe('a result of 3202', () => {
  it.each([
    ['tabs and CRLF, zipped', zipped(tabs)],
    ['bare and LF, zipped', zipped(bare)],
    ['tabs and CRLF', tabs],
    ['bare and LF, ended', `${bare}\n`],
  ])('written with %s gives what the insurer has', async (_name, content) => {
    const { rows, meta } = await read(content);
    expect(rows.map((row) => [row.kind, row.key, row.key2, row.amount])).toEqual([
      ['settled', 'S1', 'G1', 10_000n],
      ['reversed', 'S2', 'G2', -10_000n],
      ['settled', '', 'G3', 5000n],
    ]);
    expect(rows[0]).toMatchObject({
      occurredOn: DAY,
      detail: { fund_pay_sumamt: '60.00', acct_pay: '10.00' },
    });
    expect(rows[2]?.detail).toMatchObject({ acct_pay: '', setl_id: '' });
    expect(JSON.stringify(rows.map((row) => row.detail))).not.toContain('P1');
    expect(meta).toEqual({ rows: 4, onlyOurs: 1 });
  });

  it('is refused with row and column when a row is cut, an amount is none, or nothing joins', async () => {
    expect(await refusalOf(read(bare.slice(0, -12)))).toEqual([
      'file/truncated',
      4,
      'fund_pay_sumamt',
    ]);
    expect(await refusalOf(read(bare.replace('60.00', 'x')))).toEqual([
      'file/bad-value',
      1,
      'fund_pay_sumamt',
    ]);
    expect(await refusalOf(read(bare.replace('60.00', '60.001')))).toEqual([
      'file/bad-value',
      1,
      'fund_pay_sumamt',
    ]);
    expect(await refusalOf(read(bare.replace('G3', 'null')))).toEqual([
      'file/bad-value',
      3,
      'msgid',
    ]);
  });
});
