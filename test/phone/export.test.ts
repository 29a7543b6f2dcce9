// Everything we hold about one citizen, as one document: whole, in clear for the owner, nobody else's.
import { beforeAll, describe, expect, it } from 'vitest';
import { addKin, parentAndChild } from '../family/support.ts';
import {
  charge,
  chargedVisit,
  item,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const exportOf = (token: string) => app.call('GET', '/v1/me/export', { token });

describe('the export', () => {
  it('holds person, consents, line, visits with charges, settlements, debts, log and notices', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person, {
      diagnoses: [{ code: 'J06', name: '上呼吸道感染' }],
      operator: { id: 'O1', name: '收费员叶某' },
    });
    const settled = await settle(scene, visit.id);
    await app.call('POST', '/v1/me/repayments', { token, body: { amount: '1.00' } });
    const reply = await exportOf(token);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-disposition')).toContain('egret-export.json');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const { body } = reply;
    expect(body.person).toMatchObject({ name: person.name, idNumber: person.idNumber });
    expect(body.consents).toHaveLength(3);
    expect(body.creditLines).toMatchObject([{ status: 'active', limit: '3000.00' }]);
    expect(body.holds).toMatchObject([{ status: 'captured' }]);
    expect(body.visits).toMatchObject([
      {
        id: visit.id,
        visitNumber: visit.visitNumber,
        clinical: { diagnoses: [{ code: 'J06', name: '上呼吸道感染' }] },
        insuredPerson: { idNumber: person.idNumber },
        charges: [{ name: '项目1', amount: '100.00' }, { name: '项目2' }],
      },
    ]);
    expect(body.settlements).toMatchObject([{ id: settled.body.id, role: 'patient' }]);
    expect(body.receivables).toMatchObject([{ settlementId: settled.body.id }]);
    expect(body.repayments).toMatchObject([{ amount: '1.00' }]);
    expect(body.notices.length).toBeGreaterThan(2);
    expect(body.accessLog[0]).toMatchObject({ action: 'export.read', who: '您本人 You' });
    expect(reply.text).not.toContain('收费员叶某');
  });

  it('is noted in the access log each time', async () => {
    const { token } = await newPatient(app, { isEnrolled: false });
    await exportOf(token);
    await exportOf(token);
    const { body } = await app.call('GET', '/v1/me/access-log', { token });
    const actions = body.data.map(({ action }: { action: string }) => action);
    expect(actions).toEqual(['export.read', 'export.read']);
  });

  it('of somebody without anything is a whole document of empty lists', async () => {
    const { token } = await newPatient(app, { isEnrolled: false });
    const { body } = await exportOf(token);
    const { exportedAt: _, person: __, accessLog, ...lists } = body;
    expect(accessLog).toHaveLength(1);
    for (const [name, rows] of Object.entries(lists)) expect([name, rows]).toEqual([name, []]);
  });

  it('is whole also over many pages', async () => {
    const { person, token } = await newPatient(app, { insurance: 'none', isEnrolled: false });
    const visit = await openVisit(scene, person);
    const settlements: string[] = [];
    for (let line = 1; line <= 103; line += 1) {
      await charge(scene, visit.id, [item(line, '1.00')]);
      settlements.push((await settle(scene, visit.id, { insurance: 'skip' })).body.id);
    }
    const { body } = await exportOf(token);
    const seen = body.settlements.map(({ id }: { id: string }) => id);
    expect(seen).toHaveLength(103);
    expect(new Set(seen)).toEqual(new Set(settlements));
    expect(body.visits[0].charges).toHaveLength(103);
  }, 120_000);

  it('of a payer shows of a relative’s visit what a payer may see, and names masked', async () => {
    const payer = await newPatient(app);
    const parent = await addKin(app, payer.person, 'parent', uniquePerson({ age: 70 }));
    const link = await app.call('POST', '/v1/me/family-links', {
      token: payer.token,
      body: {
        kind: 'parentCare',
        beneficiary: parent.person,
        visitCap: '500.00',
        monthlyCap: '900.00',
      },
    });
    await app.call('POST', `/v1/family-links/${link.body.id}/accept`, { token: parent.token });
    const visit = await chargedVisit(scene, parent.person, {
      diagnoses: [{ code: 'F32', name: '抑郁发作' }],
    });
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    const reply = await exportOf(payer.token);
    expect(reply.body.visits).toEqual([]);
    expect(reply.body.settlements).toMatchObject([
      { id: settled.body.id, role: 'payer', amount: '300.00' },
    ]);
    expect(reply.body.familyLinks).toMatchObject([{ id: link.body.id, role: 'payer' }]);
    for (const secret of [parent.person.name, parent.person.idNumber, '抑郁', '项目1']) {
      expect(reply.text).not.toContain(secret);
    }
  });

  it('of a guardian does not hold the child’s items, and a stranger’s holds nothing of either', async () => {
    const { parent, child } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person);
    const settled = (await settle(scene, visit.id, { insurance: 'skip' })).body as ReplyBody;
    const guardians = await exportOf(parent.token);
    expect(guardians.text).toContain(settled.id);
    expect(guardians.text).not.toContain('项目1');
    expect(guardians.text).not.toContain(child.person.idNumber);
    const stranger = await newPatient(app);
    const theirs = (await exportOf(stranger.token)).text;
    for (const known of [settled.id, visit.id, parent.person.idNumber, child.person.idNumber]) {
      expect(theirs).not.toContain(known);
    }
  });
});
