// Shorthand for tests of conversions: bills that were paid without the insurer, and who asks.
import { expect } from 'vitest';
import { dueConversions } from '../../src/conversion/convert-queue.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  chargedVisit,
  type Enrolled,
  newPatient,
  type Scene,
  settle,
} from '../settlement/support.ts';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

export interface SelfPaid extends Enrolled {
  visit: ReplyBody;
  settlement: ReplyBody;
}

/** An insured patient whose 300.00 were settled on credit without the insurer. */
export async function selfPaid(
  scene: Scene,
  options: { insurance?: 'active' | 'none' } = {},
): Promise<SelfPaid> {
  const patient = await newPatient(scene.app, options);
  const visit = await chargedVisit(scene, patient.person);
  const skips = options.insurance === undefined || options.insurance === 'active';
  const reply = await settle(scene, visit.id, skips ? { insurance: 'skip' } : {});
  expect(reply.status, reply.text).toBe(200);
  expect(reply.body.insurance.status).toBe(skips ? 'skipped' : 'notInsured');
  return { ...patient, visit, settlement: reply.body };
}

export function ask(
  app: TestApp,
  settlementId: string,
  token: string,
  body: Record<string, unknown> = { cause: 'forgottenCredential' },
  key?: string | null,
): Promise<TestReply> {
  const path = `/v1/settlements/${settlementId}/conversion`;
  return app.call('POST', path, { token, body, ...(key === undefined ? {} : { key }) });
}

export function giveUp(app: TestApp, settlementId: string, token: string): Promise<TestReply> {
  return app.call('DELETE', `/v1/settlements/${settlementId}/conversion`, { token });
}

export async function settlementOf(scene: Scene, id: string): Promise<ReplyBody> {
  const path = `/v1/settlements/${id}`;
  return (await scene.app.call('GET', path, { token: scene.terminal })).body;
}

/** The one receivable of a patient with one bill. */
export async function receivableOf(app: TestApp, token: string): Promise<ReplyBody> {
  const { body } = await app.call('GET', '/v1/me/receivables', { token });
  expect(body.data).toHaveLength(1);
  return body.data[0];
}

/** Works until no conversion is due. */
export async function drain(app: TestApp): Promise<void> {
  await waitFor(async () => {
    await runWorkerOnce(app.deps);
    const due = await dueConversions(app.deps, 'local', 1);
    return due.length === 0;
  });
}

/** A self-paid bill whose conversion the insurer refused for good, with these words. */
export async function refused(scene: Scene, reason: string): Promise<SelfPaid & { id: string }> {
  const paid = await selfPaid(scene);
  const asked = await ask(scene.app, paid.settlement.id, paid.token);
  expect(asked.status, asked.text).toBe(202);
  await scene.app.fault({ mode: 'reject', on: ['2207'], reason });
  await drain(scene.app);
  await scene.app.fault({ mode: 'none' });
  expect((await settlementOf(scene, paid.settlement.id)).insurance.status).toBe('rejected');
  return { ...paid, id: asked.body.id };
}
