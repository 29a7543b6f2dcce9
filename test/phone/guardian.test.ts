// A guardian on the phone: bills of a minor child, as far as a guardian may see and settle them.
import { beforeAll, describe, expect, it } from 'vitest';
import { addKin, linkChild, parentAndChild } from '../family/support.ts';
import {
  chargedVisit,
  expectLaws,
  fen,
  lineOf,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, type TestReply, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import { said } from '../visit/support.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const billsOf = async (token: string): Promise<ReplyBody> =>
  (await app.call('GET', '/v1/me/bills', { token })).body;

const settleByPhone = (token: string, visitId: string): Promise<TestReply> =>
  app.call('POST', `/v1/me/bills/${visitId}/settlement`, { token });

describe('a guardian', () => {
  it('sees and settles the bill of a minor child on the guardian’s own line', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person);
    expect(visit.payer).toBe(link.id);
    const [bill] = (await billsOf(parent.token)).data;
    expect(bill).toMatchObject({
      visitId: visit.id,
      patient: { relation: 'child' },
      payer: link.id,
      total: '300.00',
    });
    expect(bill.charges).toHaveLength(2);
    const reply = await settleByPhone(parent.token, visit.id);
    expect(reply.body).toMatchObject({ status: 'settled', payer: link.id });
    const credit = reply.body.tenders.find(({ kind }: { kind: string }) => kind === 'credit');
    expect((await lineOf(app, parent.token)).outstanding).toBe(credit.amount);
    const log = await app.call('GET', '/v1/me/access-log', { token: child.token });
    const seen = log.body.data.map(({ action }: { action: string }) => action);
    expect(seen).toEqual(expect.arrayContaining(['bill.read', 'bill.settle']));
    await expectLaws(app);
  });

  it('asks for the conversion of a minor child’s self-paid bill; a stranger finds none', async () => {
    const { parent, child } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person);
    const paid = await settle(scene, visit.id, { insurance: 'skip' });
    const path = `/v1/settlements/${paid.body.id}/conversion`;
    const body = { cause: 'retroactiveCover' };
    const stranger = await newPatient(app);
    const refused = await app.call('POST', path, { token: stranger.token, body });
    expect([refused.status, refused.body.code]).toEqual([404, 'resource/not-found']);
    const asked = await app.call('POST', path, { token: parent.token, body });
    expect(asked.status, asked.text).toBe(202);
    const converted = await waitFor(async () => {
      const now = await app.call('GET', `/v1/settlements/${paid.body.id}`, {
        token: scene.terminal,
      });
      return now.body.insurance.status === 'converted' && now.body;
    });
    const carried = converted.tenders.find(({ kind }: { kind: string }) => kind === 'credit');
    expect((await lineOf(app, parent.token)).outstanding).toBe(carried.amount);
    await expectLaws(app);
  });

  it('sees the items of a child of 13 and only the amount of one of 14', async () => {
    for (const [age, shows] of [
      [13, true],
      [14, false],
      [17, false],
    ] as const) {
      const { parent, child } = await parentAndChild(app, { child: uniquePerson({ age }) });
      await chargedVisit(scene, child.person, { department: { code: 'D9', name: '青春门诊' } });
      const [bill] = (await billsOf(parent.token)).data;
      expect([age, 'charges' in bill, 'kind' in bill]).toEqual([age, shows, shows]);
      expect(bill.total).toBe('300.00');
      expect(JSON.stringify(bill).includes('项目1')).toBe(shows);
      expect(JSON.stringify(bill)).not.toContain('青春门诊');
    }
  });

  it('finds nothing once the link has ended, nor where the other parent’s line pays', async () => {
    const { parent: mother, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person);
    const father = await newPatient(app);
    await app.register(father.person, {
      kin: [{ idNumber: child.person.idNumber, relation: 'child' }],
    });
    await linkChild(app, father, child);
    expect((await billsOf(father.token)).data).toEqual([]);
    expect(said(await settleByPhone(father.token, visit.id))[0]).toBe(404);
    await app.call('DELETE', `/v1/family-links/${link.id}`, { token: mother.token });
    expect((await billsOf(mother.token)).data).toEqual([]);
    expect(said(await settleByPhone(mother.token, visit.id))[0]).toBe(404);
    expect((await billsOf(child.token)).data).toMatchObject([{ visitId: visit.id }]);
  });

  it('settles a bill that nobody’s line carries; what insurance leaves is due at the counter', async () => {
    const { parent, child } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { payer: 'self' });
    const reply = await settleByPhone(parent.token, visit.id);
    expect(reply.status, reply.text).toBe(200);
    expect(fen(reply.body.dueAtCounter)).toBeGreaterThan(0n);
    expect(reply.body.payer).toBeUndefined();
  });

  it('is not the payer of a parent: a parent’s bills are the parent’s own', async () => {
    const payer = await newPatient(app);
    const parent = await addKin(app, payer.person, 'parent', uniquePerson({ age: 70 }));
    const asked = await app.call('POST', '/v1/me/family-links', {
      token: payer.token,
      body: {
        kind: 'parentCare',
        beneficiary: parent.person,
        visitCap: '500.00',
        monthlyCap: '1000.00',
      },
    });
    await app.call('POST', `/v1/family-links/${asked.body.id}/accept`, { token: parent.token });
    const visit = await chargedVisit(scene, parent.person);
    expect(visit.payer).toBe(asked.body.id);
    expect((await billsOf(payer.token)).data).toEqual([]);
    expect(said(await settleByPhone(payer.token, visit.id))[0]).toBe(404);
    const own = await settleByPhone(parent.token, visit.id);
    expect(own.body).toMatchObject({ status: 'settled', payer: asked.body.id });
    expect((await lineOf(app, payer.token)).outstanding).not.toBe('0.00');
  });
});
