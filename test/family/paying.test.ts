// The payer of a visit: who is chosen, what the counter learns of it, and what the payer sees.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { readVisit } from '../visit/support.ts';
import { adultAndParent, careFor, end, enrol, owedOf } from './acts.ts';
import { addKin, identifyAt, linkChild, parentAndChild, putHold, usedOf } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => expectLaws(app));

describe('the payer of a visit', () => {
  it('is the only link of a patient without a line of their own', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await openVisit(scene, child.person, { holdAmount: '40.00' });
    expect(visit).toMatchObject({ payer: link.id, hold: { amount: '40.00' }, holdDecline: null });
    expect((await lineOf(app, parent.token)).held).toBe('40.00');
    expect(await usedOf(app, link.id)).toBe(4000n);
  });

  it('is the patient with a line, unless the link is named', async () => {
    const { adult, parent } = await adultAndParent(app);
    const link = await careFor(app, adult, parent);
    expect((await enrol(app, parent.token)).status).toBe(201);
    const own = await openVisit(scene, parent.person, { holdAmount: '1.00' });
    expect(own).toMatchObject({ payer: 'self', hold: { amount: '1.00' } });
    const named = await openVisit(scene, parent.person, { payer: link.id, holdAmount: '2.00' });
    expect(named).toMatchObject({ payer: link.id, hold: { amount: '2.00' } });
    expect(await usedOf(app, link.id)).toBe(200n);
    expect((await lineOf(app, parent.token)).held).toBe('1.00');
  });

  it('is nobody without a line and without exactly one link', async () => {
    const alone = await newPatient(app, { isEnrolled: false });
    const none = await openVisit(scene, alone.person);
    expect(none).toMatchObject({
      payer: null,
      hold: null,
      holdDecline: { code: 'credit/not-enrolled' },
    });
    const { adult, parent } = await adultAndParent(app);
    const link = await careFor(app, adult, parent);
    const other = await newPatient(app);
    await addKin(app, other.person, 'parent', parent.person);
    const second = await careFor(app, other, parent);
    const undecided = await openVisit(scene, parent.person);
    expect(undecided).toMatchObject({ payer: null, holdDecline: { code: 'credit/not-enrolled' } });
    const chosen = await openVisit(scene, parent.person, { payer: second.id });
    expect(chosen).toMatchObject({ payer: second.id, hold: { amount: '300.00' } });
    await end(app, second, other);
    expect((await openVisit(scene, parent.person)).payer).toBe(link.id);
  });

  it('that enrolled, or was linked, since the opening pays all the same', async () => {
    const late = await newPatient(app, { isEnrolled: false });
    const visit = await chargedVisit(scene, late.person);
    expect(visit.payer).toBeNull();
    expect((await enrol(app, late.token)).status).toBe(201);
    expect((await putHold(scene, visit.id, '10.00')).body).toMatchObject({ amount: '10.00' });
    expect((await readVisit(scene, visit.id)).payer).toBe('self');
    const parent = await newPatient(app);
    const child = await addKin(app, parent.person, 'child', uniquePerson({ age: 9 }));
    const theirs = await chargedVisit(scene, child.person);
    expect(theirs.payer).toBeNull();
    const link = await linkChild(app, parent, child);
    const settled = await settle(scene, theirs.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({ payer: link.id, dueAtCounter: '0.00' });
    expect(await usedOf(app, link.id)).toBe(30_000n);
  });

  it('is chosen for an unnamed emergency once it is bound to the child', async () => {
    const { child, link } = await parentAndChild(app);
    const body = { visitNumber: `E${crypto.randomUUID()}`, kind: 'emergency' };
    const opened = await app.call('POST', '/v1/visits', { token: scene.terminal, body });
    expect(opened.body.payer).toBeNull();
    const bound = await app.call('PATCH', `/v1/visits/${opened.body.id}`, {
      token: scene.terminal,
      body: { credential: { kind: 'idCard', number: child.person.idNumber } },
    });
    expect(bound.body).toMatchObject({ payer: link.id, holdDecline: null });
  });

  it('named by a link of somebody else is declined before anything else is looked at', async () => {
    const { link } = await parentAndChild(app, { caps: { visitCap: '1.00' } });
    const { person, token } = await newPatient(app);
    const visit = await openVisit(scene, person, { payer: link.id, holdAmount: '9000.00' });
    expect(visit).toMatchObject({
      payer: null,
      hold: null,
      holdDecline: { code: 'family/not-linked' },
    });
    expect(await usedOf(app, link.id)).toBe(0n);
    expect((await lineOf(app, token)).held).toBe('0.00');
  });
});

describe('what the counter learns', () => {
  it('is each payer’s least of limit and caps for the amount asked, by title and masked name', async () => {
    const { parent, child, link } = await parentAndChild(app, {
      caps: { visitCap: '80.00', monthlyCap: '100.00' },
    });
    const usable = async (amount?: string) =>
      (await identifyAt(scene, child.person, amount)).credit;
    expect(await usable('79.99')).toEqual({
      enrolled: false,
      payers: [
        {
          payer: link.id,
          label: expect.stringMatching(/^(父亲|母亲) .\*+. (Father|Mother)$/u),
          usable: '79.99',
        },
      ],
    });
    expect((await usable('80.01')).payers[0].usable).toBe('80.00');
    expect((await usable()).payers[0].usable).toBe('80.00');
    await openVisit(scene, child.person, { holdAmount: '55.00' });
    expect((await usable('80.00')).payers[0].usable).toBe('45.00');
    await openVisit(scene, parent.person, { holdAmount: '2920.00' });
    expect((await usable('80.00')).payers[0].usable).toBe('25.00');
    await end(app, link, parent);
    expect((await usable('80.00')).payers).toEqual([]);
  });

  it('lists one’s own line first, then every link', async () => {
    const { adult, parent } = await adultAndParent(app);
    const link = await careFor(app, adult, parent);
    await enrol(app, parent.token);
    const { credit } = await identifyAt(scene, parent.person, '10.00');
    expect(credit.enrolled).toBe(true);
    expect(credit.payers.map((each: ReplyBody) => [each.payer, each.usable])).toEqual([
      ['self', '10.00'],
      [link.id, '10.00'],
    ]);
  });
});

describe('what the payer sees', () => {
  it('is amount, hospital and due time of the debt, and nothing of the visit', async () => {
    const { parent, child } = await parentAndChild(app);
    const visit = await openVisit(scene, child.person, {
      holdAmount: '90.00',
      department: { code: 'D9', name: '儿童心理科' },
      diagnoses: [{ code: 'F90', name: '多动症' }],
    });
    await charge(scene, visit.id, [{ ...item(1, '90.00'), name: '心理评估' }]);
    await settle(scene, visit.id, { insurance: 'skip' });
    const owed = await owedOf(app, parent);
    expect(owed).toEqual([
      {
        id: expect.stringMatching(/^rcv_/),
        settlementId: expect.stringMatching(/^set_/),
        hospital: expect.stringMatching(/\S/),
        amount: '90.00',
        paid: '0.00',
        outstanding: '90.00',
        lateCharges: '0.00',
        dueAt: expect.any(String),
        status: 'open',
      },
    ]);
    const paths = ['settlements', 'receivables', 'family-links', 'credit-line', 'repayments'];
    for (const path of paths) {
      const seen = await app.call('GET', `/v1/me/${path}`, { token: parent.token });
      for (const secret of ['D9', '儿童心理科', 'F90', '多动症', child.person.idNumber]) {
        expect(seen.text).not.toContain(secret);
      }
    }
    expect(await owedOf(app, child)).toEqual([]);
  });
});
