// What caps and limit leave, to the fen: placing, raising, capturing above the hold, later settlements.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  charge,
  expectLaws,
  item,
  lineOf,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { readVisit, said } from '../visit/support.ts';
import { patchCaps } from './acts.ts';
import { parentAndChild, putHold, usedOf } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => expectLaws(app));

describe('caps, to the fen', () => {
  it('of a visit: one fen more is declined, a part is the whole cap', async () => {
    const { parent, child, link } = await parentAndChild(app, { caps: { visitCap: '80.00' } });
    const over = await openVisit(scene, child.person, { holdAmount: '80.01' });
    expect(over).toMatchObject({
      payer: link.id,
      hold: null,
      holdDecline: { code: 'family/cap-exceeded' },
    });
    expect((await lineOf(app, parent.token)).held).toBe('0.00');
    const all = await openVisit(scene, child.person, { holdAmount: '80.00' });
    expect(all.hold.amount).toBe('80.00');
    expect(said(await putHold(scene, all.id, '80.01'))).toEqual([402, 'family/cap-exceeded']);
    expect((await putHold(scene, all.id, '80.01', true)).body.amount).toBe('80.00');
    for (const extra of [
      { holdAmount: '200.00', allowPartialHold: true },
      {},
      { kind: 'emergency', holdAmount: '200.00' },
    ]) {
      expect((await openVisit(scene, child.person, extra)).hold.amount).toBe('80.00');
    }
    expect(await usedOf(app, link.id)).toBe(32_000n);
  });

  it('of a month: what visits hold together, lowered, voided and cancelled ones less', async () => {
    const { child, link } = await parentAndChild(app, {
      caps: { visitCap: '80.00', monthlyCap: '100.00' },
    });
    const first = await openVisit(scene, child.person, { holdAmount: '80.00' });
    const over = await openVisit(scene, child.person, { holdAmount: '20.01' });
    expect(over.holdDecline.code).toBe('family/cap-exceeded');
    const rest = await openVisit(scene, child.person, { holdAmount: '20.00' });
    expect((await openVisit(scene, child.person)).holdDecline.code).toBe('family/cap-exceeded');
    expect((await putHold(scene, first.id, '79.99')).body.amount).toBe('79.99');
    expect((await putHold(scene, rest.id, '20.01')).body.amount).toBe('20.01');
    expect(await usedOf(app, link.id)).toBe(10_000n);
    const path = `/v1/visits/${first.id}`;
    await app.call('DELETE', `${path}/hold`, { token: scene.terminal });
    expect(await usedOf(app, link.id)).toBe(2001n);
    await app.call('DELETE', `/v1/visits/${rest.id}`, { token: scene.terminal });
    expect(await usedOf(app, link.id)).toBe(0n);
  });

  it('and the limit: whichever is less says why', async () => {
    const { parent, child } = await parentAndChild(app, {
      score: 400,
      caps: { visitCap: '450.00', monthlyCap: '900.00' },
    });
    await openVisit(scene, parent.person, { holdAmount: '100.00' });
    const limited = await openVisit(scene, child.person, { holdAmount: '400.01' });
    expect(limited.holdDecline.code).toBe('credit/limit-exceeded');
    const capped = await openVisit(scene, child.person, { holdAmount: '450.01' });
    expect(capped.holdDecline.code).toBe('family/cap-exceeded');
    expect((await openVisit(scene, child.person, { holdAmount: '400.00' })).hold).not.toBeNull();
  });

  it('bound an emergency too, which uses a suspended line and part of what was asked', async () => {
    const { parent, child } = await parentAndChild(app, { caps: { visitCap: '80.00' } });
    await app.db.execute(sql`
      update credit_line set status = 'suspended', suspended_for = 'overdue'
      where id = ${(await lineOf(app, parent.token)).id}`);
    expect((await openVisit(scene, child.person)).holdDecline.code).toBe('credit/suspended');
    const urgent = await openVisit(scene, child.person, { kind: 'emergency' });
    expect(urgent).toMatchObject({ hold: { amount: '80.00' }, holdDecline: null });
  });

  it('of a lowered cap cancel nothing and let nothing more', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await openVisit(scene, child.person, { holdAmount: '80.00' });
    await patchCaps(app, link, parent, { visitCap: '50.00', monthlyCap: '60.00' });
    expect((await readVisit(scene, visit.id)).hold).toMatchObject({ amount: '80.00' });
    expect(said(await putHold(scene, visit.id, '80.01'))).toEqual([402, 'family/cap-exceeded']);
    expect((await putHold(scene, visit.id, '70.00')).status).toBe(200);
    expect((await openVisit(scene, child.person)).holdDecline.code).toBe('family/cap-exceeded');
    await charge(scene, visit.id, [item(1, '90.00')]);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({
      dueAtCounter: '20.00',
      tenders: [{ kind: 'credit', amount: '70.00' }],
    });
  });

  it('a capture above the hold obeys both, and the limit', async () => {
    const { parent, child, link } = await parentAndChild(app, {
      caps: { visitCap: '120.00', monthlyCap: '200.00' },
    });
    const captured = async (amount: string, hold = '10.00') => {
      const visit = await openVisit(scene, child.person, { holdAmount: hold });
      await charge(scene, visit.id, [item(1, amount)]);
      const settled = await settle(scene, visit.id, { insurance: 'skip' });
      const credit = settled.body.tenders.find((t: ReplyBody) => t.kind === 'credit');
      return [credit?.amount ?? '0.00', settled.body.dueAtCounter];
    };
    expect(await captured('120.01')).toEqual(['120.00', '0.01']);
    expect(await captured('100.00')).toEqual(['80.00', '20.00']);
    expect(await captured('5.00', '0.00')).toEqual(['0.00', '5.00']);
    expect((await lineOf(app, parent.token)).outstanding).toBe('200.00');
    expect(await usedOf(app, link.id)).toBe(20_000n);
  });

  it('of a visit count its earlier settlements too, less what came back', async () => {
    const { child, link } = await parentAndChild(app, { caps: { visitCap: '100.00' } });
    const visit = await openVisit(scene, child.person, { holdAmount: '60.00' });
    await charge(scene, visit.id, [item(1, '30.00'), item(2, '30.00')]);
    const first = await settle(scene, visit.id, { insurance: 'skip', interim: true });
    expect(first.body.dueAtCounter).toBe('0.00');
    await charge(scene, visit.id, [item(3, '60.00')]);
    expect(said(await putHold(scene, visit.id, '40.01'))).toEqual([402, 'family/cap-exceeded']);
    expect((await putHold(scene, visit.id, '40.00')).status).toBe(200);
    const refund = await app.call('POST', `/v1/settlements/${first.body.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 2 }], reason: '退' },
    });
    expect(refund.status, refund.text).toBe(201);
    expect(await usedOf(app, link.id)).toBe(7000n);
    expect(said(await putHold(scene, visit.id, '70.01'))).toEqual([402, 'family/cap-exceeded']);
    const second = await settle(scene, visit.id, { insurance: 'skip' });
    expect(second.body).toMatchObject({ dueAtCounter: '0.00' });
    expect(await usedOf(app, link.id)).toBe(9000n);
  });
});
