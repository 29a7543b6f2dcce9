import { expect, it } from 'vitest';
import { parentAndChild } from '../family/support.ts';
import {
  charge,
  chargedVisit,
  fen,
  item,
  newPatient,
  nextNumber,
  openVisit,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

const app = useApp();

const read = async (): Promise<ReplyBody> => (await app.call('GET', '/v1/statistics')).body;
const none = { settlements: 0, p50: null, p99: null };

it('tells the city its figures, which add up', async () => {
  expect(await read()).toMatchObject({ enrolled: 0, counterSeconds: none, visits: 0 });
  const scene = await sceneOf(app);
  const { person } = await newPatient(app, { accountBalance: '20.00' });
  const visit = await chargedVisit(scene, person, { usePersonalAccount: true });
  expect((await settle(scene, visit.id)).status).toBe(200);

  const stranger = await newPatient(app, { isEnrolled: false });
  const owing = await openVisit(scene, stranger.person);
  await charge(scene, owing.id, [item(1, '100.00')]);
  const cash = [{ kind: 'cash', amount: '30.00', reference: nextNumber('C') }];
  await settle(scene, owing.id, { insurance: 'skip', counterTenders: cash });

  const late = await chargedVisit(scene, person);
  await app.fault({ mode: 'refuseConnection' });
  const waiting = await settle(scene, late.id);
  expect(waiting.body.insurance.status).toBe('awaitingInsurance');
  await app.fault({ mode: 'none' });
  await parentAndChild(app);

  const figures = await waitFor(async () => {
    const seen = await read();
    return seen.outages.converted === 1 ? seen : null;
  });
  expect(figures).toMatchObject({
    enrolled: 2,
    families: { payers: 1, links: 1 },
    visits: 3,
    settlements: 3,
    settledTotal: '700.00',
    awaitingInsurance: 0,
    creditHeld: '0.00',
    outages: { settlements: 1, converted: 1 },
  });
  expect(figures.outages.count).toBeGreaterThan(0);
  expect(figures.fees).toMatchObject({ selfPaid: '30.00', dueAtCounter: '70.00' });
  expect(fen(figures.fees.insuranceFund)).toBeGreaterThan(0n);
  expect(fen(figures.fees.insuranceAccounts)).toBeGreaterThan(0n);
  const parts = Object.values<string>(figures.fees).map(fen);
  expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(fen(figures.settledTotal));
  expect(figures.fees.credit).toBe(figures.creditOwed);
  const { settlements, p50, p99 } = figures.counterSeconds;
  expect(settlements).toBe(3);
  expect(p99).toBeGreaterThanOrEqual(p50);
});
