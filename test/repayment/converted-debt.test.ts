// A conversion that comes when the debt is overdue, suspended or written off already, over the API.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { runWorkerOnce } from '../../src/worker.ts';
import { ask, drain, receivableOf, selfPaid, settlementOf } from '../conversion/support.ts';
import { debtOf, legsOf, told } from '../lender/support.ts';
import { expectLaws, lineOf, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

/** A self-paid bill of 300.00 on credit; auto-debit is not allowed, so it stays owed. */
async function owingBill() {
  const paid = await selfPaid(scene);
  const consents = { consents: ['creditEnquiry', 'healthPayment'] };
  await app.call('PUT', '/v1/me/consents', { token: paid.token, body: consents });
  return { ...paid, receivable: await receivableOf(app, paid.token) };
}

describe('a conversion', () => {
  it('of an overdue bill lifts the suspension, and what is left falls due anew', async () => {
    const { token, settlement, receivable } = await owingBill();
    await app.db.execute(sql`update receivable set due_at = business_now() - interval '4 days'
      where id = ${receivable.id}`);
    await runWorkerOnce(app.deps);
    expect((await lineOf(app, token)).status).toBe('suspended');
    expect((await debtOf(app, token, receivable.id)).status).toBe('overdue');
    expect((await ask(app, settlement.id, token)).status).toBe(202);
    expect((await lineOf(app, token)).status).toBe('active');
    await drain(app);
    expect((await settlementOf(scene, settlement.id)).insurance.status).toBe('converted');
    await runWorkerOnce(app.deps);
    const left = await debtOf(app, token, receivable.id);
    expect(left).toMatchObject({ status: 'open' });
    expect(Date.parse(left.dueAt)).toBeGreaterThan(Date.now());
    expect((await lineOf(app, token)).status).toBe('active');
    await expectLaws(app);
  });

  it('of a bill that was written off brings the loss back on 5102, written-off first', async () => {
    const { token, settlement, receivable } = await owingBill();
    const operator = await app.token('lenderOperator', { subject: 'LWB' });
    const colleague = await app.token('lenderOperator', { subject: 'qian' });
    const { id } = await told(app, operator, {
      kind: 'writeOff',
      receivableId: receivable.id,
      amount: '1.00',
    });
    const path = `/v1/lender/notices/${id}/approve`;
    expect((await app.call('POST', path, { token: colleague })).status).toBe(200);
    await ask(app, settlement.id, token);
    await drain(app);
    const legs = await legsOf(app, 'settlement.converted', token);
    expect(legs).toEqual(expect.arrayContaining(['5102 -1.00', '9302 1.00', '9301 -1.00']));
    const debt = await debtOf(app, token, receivable.id);
    expect(debt.status).toBe('open');
    await expectLaws(app);
  });
});
