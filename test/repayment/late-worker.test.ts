// A worker that comes after the due time: told first, then debited; overdue is only what the bank did not pay.
import { beforeAll, expect, it } from 'vitest';
import { runWorkerOnce } from '../../src/worker.ts';
import { receivableOf, selfPaid } from '../conversion/support.ts';
import { debtOf } from '../lender/support.ts';
import { type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

it('tells that a bill is due, debits it, and calls nothing overdue that the bank pays', async () => {
  const { token } = await selfPaid(scene);
  const receivable = await receivableOf(app, token);
  const late = Date.parse(receivable.dueAt) + 5 * 60_000 - Date.now();
  await app.call('PUT', '/sandbox/clock', { body: { offsetSeconds: Math.round(late / 1000) } });
  await runWorkerOnce(app.deps);
  expect((await debtOf(app, token, receivable.id)).status).toBe('paid');
  const { body } = await app.call('GET', '/v1/me/notices?limit=100', { token });
  const types = body.data.map((notice: { type: string }) => notice.type);
  expect(types).toEqual(expect.arrayContaining(['receivable.due', 'receivable.paid']));
  expect(types).not.toContain('receivable.overdue');
});
