// Law: never two live claims for one charge, also when the insurer executes a lost 2207 hours after
// everybody was told that it does not know it.
import { beforeAll, expect, it } from 'vitest';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { settlementOf } from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

/** Longer than the counter waits and a conversion takes, so that the lost claim comes after both. */
const LATE_MS = 20_000;

it('a claim that is executed after its 2601 is reversed on the same night', async () => {
  const { person } = await newPatient(app);
  const visit = await chargedVisit(scene, person);
  const live = async () =>
    (await app.claims({ visitNumber: visit.visitNumber })).filter((c) => c.status === 'settled');

  await app.fault({ mode: 'slow', delayMs: LATE_MS, on: ['2207'] });
  const settled = await settle(scene, visit.id);
  expect(settled.body.insurance.status, settled.text).toBe('awaitingInsurance');
  await app.fault({ mode: 'none' });
  const converted = await waitFor(async () => {
    await runWorkerOnce(app.deps);
    const now = await settlementOf(scene, settled.body.id);
    return now.insurance.status === 'converted' && now;
  });
  await runWorkerOnce(app.deps);
  expect(await live()).toHaveLength(1);
  // The lost one is executed now, and nobody looks again today.
  await waitFor(async () => (await live()).length === 2, { timeoutMs: 2 * LATE_MS });
  await runWorkerOnce(app.deps);
  expect(await live()).toHaveLength(2);

  await app.clock(24 * 3_600);
  await waitFor(async () => {
    await runWorkerOnce(app.deps);
    return (await live()).length === 1;
  });
  expect((await live())[0]?.setlId).toBe(converted.insurance.claimId);
  await expectLaws(app);
});
