// Law: what is written here is a zip for everybody: yauzl reads the same back.
import { buffer } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { fromBufferPromise } from 'yauzl';
import { writeZip } from '../../src/insurance/write-zip.ts';

const files = [
  { name: '对账.txt', data: Buffer.from('门诊\tnull') },
  { name: 'empty', data: Buffer.alloc(0) },
];

it('is read back by yauzl', async () => {
  const zip = await fromBufferPromise(writeZip(files), { lazyEntries: true });
  const found: { name: string; data: Buffer }[] = [];
  for await (const entry of zip.eachEntry()) {
    found.push({
      name: entry.fileName,
      data: await buffer(await zip.openReadStreamPromise(entry)),
    });
  }
  expect(found).toEqual(files);
});
