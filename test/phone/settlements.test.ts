// What patient, payer and guardian see of the same bill: one table of who may know what.
import { beforeAll, describe, expect, it } from 'vitest';
import { addKin, parentAndChild } from '../family/support.ts';
import {
  chargedVisit,
  fen,
  newPatient,
  nextNumber,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const settlementsOf = async (token: string): Promise<ReplyBody[]> =>
  (await app.call('GET', '/v1/me/settlements', { token })).body.data;

/** Words that only the patient may read; each is in the visit below. */
const secrets = ['心身门诊', 'F32', '抑郁发作', '退:复诊', '项目1'];
const clinical = {
  department: { code: 'D9', name: '心身门诊' },
  diagnoses: [{ code: 'F32', name: '抑郁发作' }],
};

/** A bill of 300.00, settled and partly refunded. */
async function refundedBill(person: TestPerson): Promise<ReplyBody> {
  const visit = await chargedVisit(scene, person, clinical);
  const settled = await settle(scene, visit.id, { insurance: 'skip' });
  expect(settled.status, settled.text).toBe(200);
  const refund = await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退:复诊' },
  });
  expect(refund.status, refund.text).toBe(201);
  return settled.body;
}

/** An adult child who carries a parent's costs. */
async function carer() {
  const payer = await newPatient(app);
  const parent = await addKin(app, payer.person, 'parent', uniquePerson({ age: 70 }));
  const body = { kind: 'parentCare', beneficiary: parent.person };
  const caps = { visitCap: '500.00', monthlyCap: '2000.00' };
  const link = await app.call('POST', '/v1/me/family-links', {
    token: payer.token,
    body: { ...body, ...caps },
  });
  await app.call('POST', `/v1/family-links/${link.body.id}/accept`, { token: parent.token });
  return { payer, parent };
}

describe('the patient', () => {
  it('sees tenders, what came back and why, and the refund', async () => {
    const { person, token } = await newPatient(app);
    const bill = await refundedBill(person);
    const [mine] = await settlementsOf(token);
    expect(mine).toMatchObject({
      id: bill.id,
      role: 'patient',
      hospital: { code: scene.hospitalCode },
      status: 'partlyRefunded',
      total: '300.00',
      refundable: '200.00',
      tenders: [{ kind: 'credit', amount: '300.00' }],
      refunds: [{ amount: '100.00', reason: '退:复诊', status: 'completed' }],
      cameBack: [
        { cause: 'refund', kind: 'credit', amount: '100.00', isReduction: true, status: 'done' },
      ],
      conversion: null,
    });
    expect(mine.cameBack[0].why).toBe('医院退费 The hospital refunded: 退:复诊');
  });

  it('sees the proof of a conversion, and each fen that came back to whoever paid it', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'error500', on: ['2203'] });
    const cash = { kind: 'wechatPay', amount: '150.00', reference: nextNumber('W') };
    const settled = await settle(scene, visit.id, { counterTenders: [cash] });
    expect(settled.body.insurance.status).toBe('awaitingInsurance');
    await app.fault({ mode: 'none' });
    const mine = await waitFor(async () => {
      const [newest] = await settlementsOf(token);
      return newest?.conversion?.status === 'converted' && newest;
    });
    expect(mine.insurance.status).toBe('converted');
    const { proof, before, after, refunds } = mine.conversion;
    expect(proof).toEqual({ totalBefore: '300.00', totalAfter: '300.00', balanced: true });
    expect(sumOf(before)).toBe(sumOf(after));
    expect(mine.cameBack.length).toBeGreaterThan(0);
    const insured = sumOf(
      mine.tenders.filter(({ kind }: { kind: string }) => kind === 'insuranceFund'),
    );
    expect(sumOf(mine.cameBack)).toBe(insured);
    for (const back of mine.cameBack) {
      expect(back.cause).toBe('conversion');
      expect(back.why).toMatch(/医保.*insurance/s);
    }
    const moved = mine.cameBack.filter(({ isReduction }: { isReduction: boolean }) => !isReduction);
    expect(sumOf(moved)).toBe(sumOf(refunds));
  });

  it('reads their list page by page, each once', async () => {
    const { person, token } = await newPatient(app);
    const made: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      const visit = await chargedVisit(scene, person);
      made.unshift((await settle(scene, visit.id, { insurance: 'skip' })).body.id);
    }
    const get = (query: string) => app.call('GET', `/v1/me/settlements${query}`, { token });
    const first = (await get('?limit=2')).body;
    const second = (await get(`?limit=2&cursor=${first.nextCursor}`)).body;
    const seen = [...first.data, ...second.data].map(({ id }: { id: string }) => id);
    expect(seen).toEqual(made);
  });
});

describe('who may know what of one bill', () => {
  it('a payer: amount, hospital and date, what came back to them, and nothing medical', async () => {
    const { payer, parent } = await carer();
    const bill = await refundedBill(parent.person);
    const [mine] = await settlementsOf(payer.token);
    expect(Object.keys(mine).sort()).toEqual(
      [
        ...['amount', 'businessDate', 'cameBack', 'hospital'],
        ...['id', 'receivableId', 'role', 'settledAt'],
      ].sort(),
    );
    expect(mine).toMatchObject({
      id: bill.id,
      role: 'payer',
      amount: '300.00',
      hospital: { code: scene.hospitalCode },
      businessDate: bill.businessDate,
      cameBack: [{ cause: 'refund', amount: '100.00', why: '医院退费 The hospital refunded' }],
    });
    for (const secret of secrets) expect(JSON.stringify(mine)).not.toContain(secret);
    const [theirs] = await settlementsOf(parent.token);
    expect(theirs).toMatchObject({ id: bill.id, role: 'patient', total: '300.00' });
    const conversion = `/v1/me/settlements/${bill.id}/conversion`;
    const proof = await app.call('GET', conversion, { token: payer.token });
    expect(proof.status).toBe(404);
    const log = await app.call('GET', '/v1/me/access-log', { token: parent.token });
    const looks = log.body.data.map(({ action }: { action: string }) => action);
    expect(looks).toContain('settlement.readByPayer');
  });

  it.each([
    [13, true],
    [14, false],
  ] as const)('a guardian of a child of %i: items %s', async (age, showsItems) => {
    const { parent, child } = await parentAndChild(app, { child: uniquePerson({ age }) });
    const bill = await refundedBill(child.person);
    const [mine] = await settlementsOf(parent.token);
    expect(mine).toMatchObject({ id: bill.id, role: 'guardian', amount: '300.00' });
    expect('items' in mine).toBe(showsItems);
    if (showsItems) {
      expect(mine.items).toMatchObject([
        { name: '项目1', amount: '100.00', refunded: '100.00' },
        { name: '项目2', amount: '200.00', refunded: '0.00' },
      ]);
    }
    for (const secret of secrets.slice(0, 4)) expect(JSON.stringify(mine)).not.toContain(secret);
    const [own] = await settlementsOf(child.token);
    expect(own).toMatchObject({ id: bill.id, role: 'patient' });
  });

  it('a former guardian: still what they paid, no longer the items', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const bill = await refundedBill(child.person);
    await app.call('DELETE', `/v1/family-links/${link.id}`, { token: parent.token });
    const [mine] = await settlementsOf(parent.token);
    expect(mine).toMatchObject({ id: bill.id, role: 'payer', amount: '300.00' });
    expect('items' in mine || 'total' in mine).toBe(false);
  });

  it('a guardian whose line carried nothing: 0.00; a stranger and another relative: nothing', async () => {
    const { parent, child } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { payer: 'self' });
    const settled = await settle(scene, visit.id);
    const [mine] = await settlementsOf(parent.token);
    expect(mine).toMatchObject({ id: settled.body.id, role: 'guardian', amount: '0.00' });
    expect(mine.total).toBe('300.00');
    expect(fen(settled.body.dueAtCounter)).toBeGreaterThan(0n);
    const stranger = await newPatient(app);
    expect(await settlementsOf(stranger.token)).toEqual([]);
  });
});
