// Law: the family demo plays every act as it is told, and its table would show what goes otherwise.
import { expect, test, vi } from 'vitest';
import { DemoClient } from '../../src/sandbox/demo/client.ts';
import { playFamily } from '../../src/sandbox/demo/family.ts';
import { FamilyTable } from '../../src/sandbox/demo/family-table.ts';
import type { Stage } from '../../src/sandbox/demo/scenario.ts';
import { emptyTally, isWhole, totalOf } from '../../src/sandbox/demo/tally.ts';
import { expectLaws } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp();

const stageOf = (client: DemoClient): Stage => ({
  client,
  tally: emptyTally(),
  progress: { at() {}, end() {} },
  run: 'DTEST',
  salt: 7,
});

test('the demo of the family goes as told, and every law holds after it', async () => {
  const printed: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((text) => printed.push(String(text)));
  const client = new DemoClient(app.url);
  const stage = stageOf(client);
  try {
    await playFamily(stage);
  } finally {
    print.mockRestore();
    await client.close();
  }
  expect(stage.tally.failures).toEqual([]);
  expect([...stage.tally.rows.values()].every(isWhole)).toBe(true);
  expect(totalOf(stage.tally)).toMatchObject({ visits: 6, settlements: 7, due: 0n });
  const table = printed.join('\n');
  for (const act of ['孩子', '外婆', '无名急诊', '上海来客', '住院一周', '医保账册']) {
    expect(table).toContain(act);
  }
  expect(table).not.toContain('✗');
  await expectLaws(app);
});

test('a step that is not true is a failure of the run and stands in the table', () => {
  const stage = stageOf(new DemoClient(app.url));
  const table = new FamilyTable(stage);
  table.act('一 An act');
  table.show('真 true', '1 = 1', true);
  table.show('假 false', '1 = 2', false);
  expect(stage.tally.failures).toEqual(['假 false: 1 = 2']);
  expect(table.lines()).toEqual(['── 一 An act', '✓ 真 true   1 = 1', '✗ 假 false  1 = 2', '']);
});
