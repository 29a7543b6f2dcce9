// Law: the same file is the same statement, whether it lies on disk, is a stream, or is read a second time.
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { spool } from '../../../src/http/spool.ts';
import { writeZip } from '../../../src/insurance/write-zip.ts';
import { parseStatement } from '../../../src/reconciliation/files/parse-statement.ts';
import { DAY, inPieces, readFile, readStatement, refusalOf } from './support.ts';

const row = 'P1\tM1\tS1\tG1\t0\t0\tnull\t100.00\t60.00\t10.00';
const zip = writeZip([{ name: 'a.txt', data: Buffer.from(Array(5000).fill(row).join('\n')) }]);
const folder = mkdtempSync(join(tmpdir(), 'egret-bodies-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (body: AsyncIterable<Buffer>) =>
  readStatement(
    parseStatement({
      counterparty: 'insurer',
      format: null,
      businessDate: DAY,
      hospitalCode: null,
      body,
    }),
  );

it.each([
  ['zipped', zip],
  ['bare', Buffer.from(Array(5000).fill(row).join('\n'))],
])('%s it is read from a stream, a file and a spooled file, twice', async (_name, content) => {
  const path = join(folder, 'statement');
  writeFileSync(path, content);
  const spooled = await spool(inPieces(content, [777]), content.length);
  const bodies = [inPieces(content, [50]), createReadStream(path), spooled, spooled];
  for (const body of bodies) {
    const { rows } = await read(body as AsyncIterable<Buffer>);
    expect(rows).toHaveLength(5000);
  }
  await spooled.close();
});

it('a reader that stops midway leaves no open file', async () => {
  const { rows } = parseStatement({
    counterparty: 'insurer',
    format: null,
    businessDate: DAY,
    hospitalCode: null,
    body: inPieces(zip, [100]),
  });
  for await (const batch of rows) {
    expect(batch.length).toBeLessThanOrEqual(1000);
    break;
  }
});

it.each([
  ['insurer', 'TXT'],
  ['insurer', 'zip'],
  ['insurer', 'auto'],
] as const)('of %s may be called %s', async (counterparty, format) => {
  expect((await readFile(counterparty, row, { format })).rows).toHaveLength(1);
});

it('may be called neither by another counterparty’s format nor by a name of objects', async () => {
  for (const format of ['camt053', 'constructor', 'toString', '__proto__', '']) {
    const reading = Promise.resolve().then(() => readFile('insurer', row, { format }));
    expect(await refusalOf(reading)).toEqual(['file/unknown-format']);
  }
});
