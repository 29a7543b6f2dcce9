// The insurer's books on disk: kill -9, a torn last line, reset.
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Journal } from '../../../src/sandbox/insurer/journal.ts';
import { billedVisit, cancel, newPerson, preview, setlinfoOf, settle, upload } from './visits.ts';
import { useInsurer } from './wire.ts';

const insurer = useInsurer();

test('kill -9 loses nothing that was answered, and ids go on from there', async () => {
  const person = await newPerson(insurer, { accountBalance: '20.00' });
  await insurer.control.setClock(3600);
  await insurer.control.setCatalogue([{ code: 'A', class: '丙' }]);
  const settled = await billedVisit(insurer, undefined, person);
  const info = setlinfoOf(
    await settle(insurer, settled, { total: settled.total, accountUse: '1' }),
  );
  const cancelled = await billedVisit(insurer);
  const gone = setlinfoOf(await settle(insurer, cancelled, { total: cancelled.total }));
  await cancel(insurer, cancelled, String(gone.setl_id));
  const open = await billedVisit(insurer, [{ code: 'A', price: '9.00' }]);
  const before = await insurer.control.claims();

  await insurer.restart('SIGKILL');

  expect(await insurer.control.claims()).toEqual(before);
  expect((await preview(insurer, open, { total: '9.00' })).nodeAt('output.setlinfo')).toMatchObject(
    {
      fulamt_ownpay_amt: 9,
    },
  );
  const again = await settle(insurer, settled, { total: settled.total });
  expect(again.errMsg).toBe('门诊患者已结算请勿重复结算');
  expect((await cancel(insurer, cancelled, String(gone.setl_id))).errMsg).toContain('已撤销');
  const rest = setlinfoOf(await settle(insurer, open, { total: '9.00', accountUse: '1' }));
  expect(before.map(({ setlId }) => setlId)).not.toContain(rest.setl_id);
  expect(Date.parse(`${String(rest.setl_time).replace(' ', 'T')}+08:00`)).toBeGreaterThan(
    Date.now() + 3_000_000,
  );
  await cancel(insurer, settled, String(info.setl_id));
  const look = await insurer.send('1101', {
    data: { mdtrt_cert_type: '02', mdtrt_cert_no: person.idNumber },
  });
  expect(look.listAt('output.insuinfo').at(-1)?.balc).toBe(20);
});

test('a torn last line is cut off and the books go on', async () => {
  const visit = await billedVisit(insurer);
  await insurer.process.stop('SIGKILL');
  appendFileSync(join(insurer.storeDir, 'journal.jsonl'), '{"type":"settled","serial":9');
  await insurer.restart();
  await upload(insurer, visit, 'B2', [{ code: 'X', price: '1.00' }]);
  await insurer.restart();
  expect((await settle(insurer, visit, { total: '101.00' })).infcode).toBe(0);
});

test('the journal replays whole lines in order and appends after them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  const path = join(folder, 'journal.jsonl');
  writeFileSync(path, '{"n":1}\n{"text":"白鹭\\n"}\n{"n":');
  const replayed: unknown[] = [];
  const journal = new Journal(folder, (event) => replayed.push(event));
  expect(replayed).toEqual([{ n: 1 }, { text: '白鹭\n' }]);
  journal.append({ n: 3 });
  expect(readFileSync(path, 'utf8')).toBe('{"n":1}\n{"text":"白鹭\\n"}\n{"n":3}\n');
  journal.clear();
  journal.append({ n: 4 });
  expect(readFileSync(path, 'utf8')).toBe('{"n":4}\n');
  journal.close();
  rmSync(folder, { recursive: true });
});

test('reset empties the books, on disk too', async () => {
  await insurer.control.setFault({ mode: 'refuseConnection' });
  await insurer.control.reset();
  expect(await insurer.control.claims()).toEqual([]);
  expect(await insurer.control.fault()).toEqual({ mode: 'none' });
  await insurer.restart();
  expect(await insurer.control.claims()).toEqual([]);
  const visit = await billedVisit(insurer);
  expect((await settle(insurer, visit, { total: visit.total })).infcode).toBe(0);
});

test('leaves when its parent goes', async () => {
  const { child } = insurer.process;
  const ended = once(child, 'exit');
  child.disconnect();
  expect(await ended).toEqual([0, null]);
});
