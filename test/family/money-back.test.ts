// What an ended link still pays, and where the money of refunds and conversions goes back to.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  chargedVisit,
  expectLaws,
  fen,
  lineOf,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { said } from '../visit/support.ts';
import { end, owedOf } from './acts.ts';
import { parentAndChild, putHold, tryOpen, usedOf } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => expectLaws(app));

describe('a link that ends', () => {
  it('during a visit still pays what is held, and not one fen more', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { holdAmount: '50.00' });
    expect((await end(app, link, parent)).status).toBe(200);
    expect(said(await putHold(scene, visit.id, '50.01'))).toEqual([402, 'family/not-linked']);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({
      payer: link.id,
      tenders: [{ kind: 'credit', amount: '50.00' }],
      dueAtCounter: '250.00',
    });
    expect((await owedOf(app, parent))[0]).toMatchObject({ amount: '50.00' });
    expect(await owedOf(app, child)).toEqual([]);
  });

  it('before anything was held gives no credit at all', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { holdAmount: '0.00' });
    await end(app, link, child);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({ tenders: [], dueAtCounter: '300.00' });
    expect((await lineOf(app, parent.token)).outstanding).toBe('0.00');
    const again = await tryOpen(scene, child.person, { payer: link.id });
    expect(again.body.holdDecline.code).toBe('family/not-linked');
    expect((await openVisit(scene, child.person)).holdDecline.code).toBe('credit/not-enrolled');
  });

  it('or a suspended line honours the hold; refunds still go to the payer of then', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { holdAmount: '300.00' });
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    await end(app, link, parent);
    const refund = await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退' },
    });
    expect(refund.body.tenders).toEqual([{ kind: 'credit', amount: '100.00', status: 'done' }]);
    expect((await lineOf(app, parent.token)).outstanding).toBe('200.00');
    expect(await usedOf(app, link.id)).toBe(20_000n);
  });
});

describe('money that comes back', () => {
  it('of a refund after the payer repaid goes to the payer, and off the counter', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { holdAmount: '300.00' });
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    const paid = await app.call('POST', '/v1/me/repayments', {
      token: parent.token,
      body: { amount: '250.00' },
    });
    expect(paid.status, paid.text).toBe(201);
    const refund = await app.call('POST', `/v1/settlements/${settled.body.id}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退' },
    });
    const back = refund.body.tenders.map((t: ReplyBody) => [t.kind, t.amount]);
    expect(back).toEqual([
      ['credit', '50.00'],
      ['credit', '50.00'],
    ]);
    expect((await lineOf(app, parent.token)).outstanding).toBe('0.00');
    expect(await usedOf(app, link.id)).toBe(20_000n);
    await runWorkerOnce(app.deps);
  });

  it('of a conversion lowers the payer’s debt and the counter, also once the link has ended', async () => {
    const { parent, child, link } = await parentAndChild(app);
    const visit = await chargedVisit(scene, child.person, { holdAmount: '300.00' });
    await app.fault({ mode: 'error500', on: ['2203'] });
    const settled = await settle(scene, visit.id);
    expect(settled.body.insurance.status, settled.text).toBe('awaitingInsurance');
    expect(settled.body.tenders).toEqual([{ kind: 'credit', amount: '300.00' }]);
    await app.fault({ mode: 'none' });
    await end(app, link, parent);
    const path = `/v1/settlements/${settled.body.id}`;
    const converted = await waitFor(
      async () => {
        await runWorkerOnce(app.deps);
        const { body } = await app.call('GET', path, { token: scene.terminal });
        return body.insurance.status === 'converted' && body;
      },
      { timeoutMs: 30_000, what: 'the conversion' },
    );
    const credit = converted.tenders.find((t: ReplyBody) => t.kind === 'credit');
    const left = credit ? fen(credit.amount) : 0n;
    expect(left < 30_000n).toBe(true);
    expect(await usedOf(app, link.id)).toBe(left);
    expect(fen((await lineOf(app, parent.token)).outstanding)).toBe(left);
  });
});
