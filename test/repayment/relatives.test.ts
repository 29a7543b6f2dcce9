// A linked relative repays: from their own account, for whom they are linked to, and seeing no more of it.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { addKin, linkChild } from '../family/support.ts';
import { banksOf } from '../lender/banks.ts';
import { oweMore, owing } from '../lender/support.ts';
import { workOnce } from '../settlement/parties.ts';
import { expectLaws, lineOf, newPatient, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const pay = (token: string, amount: string, receivableIds?: string[]) =>
  app.call('POST', '/v1/me/repayments', {
    token,
    body: { amount, ...(receivableIds ? { receivableIds } : {}) },
  });

/** A debtor with 50.00 owed, a child linked to them, and the child's own account at the bank. */
async function linked() {
  const debtor = await owing(scene);
  const child = await addKin(app, debtor.person, 'child', uniquePerson({ age: 9 }));
  const link = await linkChild(app, debtor, child);
  const account = `acc-${child.person.idNumber}`;
  await app.db.execute(sql`
    update citizen set bank_account = ${app.deps.keyring.seal(account)}::bytea where id = (
      select beneficiary_citizen_id from family_link where id = ${link.id})`);
  return { debtor, child, link, account };
}

describe('a relative', () => {
  it('repays from their own account, and sees id and amount only', async () => {
    const { debtor, child, account } = await linked();
    const reply = await pay(child.token, '20.00', [debtor.receivableId]);
    expect(reply.body).toEqual({
      id: expect.stringMatching(/^rep_/),
      amount: '20.00',
      status: 'paid',
      allocations: [{ receivableId: debtor.receivableId, amount: '20.00' }],
    });
    expect((await lineOf(app, debtor.token)).outstanding).toBe('30.00');
    const debits = (await banksOf(app).books('LWB')).filter((t) => t.serial === reply.body.id);
    expect(debits).toMatchObject([{ account, amount: '20.00' }]);
    const mine = await app.call('GET', '/v1/me/repayments', { token: child.token });
    expect(mine.body.data).toEqual([reply.body]);
    const theirs = await app.call('GET', '/v1/me/receivables', { token: child.token });
    expect(theirs.body.data).toEqual([]);
    await expectLaws(app);
  });

  it('pays nothing of theirs by accident: without ids only one’s own debt is meant', async () => {
    const { child } = await linked();
    expect(said(await pay(child.token, '1.00'))).toEqual([422, 'repayment/exceeds-debt']);
  });

  it('gets their own money back when the bill is refunded, the debtor theirs', async () => {
    const { debtor, child, account } = await linked();
    const mine = await pay(child.token, '20.00', [debtor.receivableId]);
    await pay(debtor.token, '10.00');
    const refund = await app.call('POST', `/v1/settlements/${debtor.settlementId}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退' },
    });
    expect(refund.body, refund.text).toMatchObject({ amount: '50.00' });
    await workOnce(app);
    const credits = (await banksOf(app).books('LWB')).filter((t) => t.kind === 'credit');
    const back = (to: string) => credits.filter((t) => t.account === to).map((t) => t.amount);
    expect(back(account)).toEqual(['20.00']);
    expect(back(`acc-${debtor.person.idNumber}`)).toEqual(['10.00']);
    expect(mine.body.status).toBe('paid');
    await expectLaws(app);
  });

  it('is refused more than is owed', async () => {
    const { debtor, child } = await linked();
    expect(said(await pay(child.token, '50.01', [debtor.receivableId]))).toEqual([
      422,
      'repayment/exceeds-debt',
    ]);
  });

  it('without an active link, or for two people at once, gets 404', async () => {
    const { debtor, child, link } = await linked();
    const stranger = await newPatient(app);
    expect((await pay(stranger.token, '1.00', [debtor.receivableId])).status).toBe(404);
    const own = await oweMore(scene, stranger, '9.00');
    const both = [debtor.receivableId, own.receivableId];
    expect((await pay(debtor.token, '1.00', both)).status).toBe(404);
    await app.call('DELETE', `/v1/family-links/${link.id}`, { token: debtor.token });
    expect((await pay(child.token, '1.00', [debtor.receivableId])).status).toBe(404);
    expect((await lineOf(app, debtor.token)).outstanding).toBe('50.00');
  });
});
