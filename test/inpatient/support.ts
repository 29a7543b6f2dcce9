// Shorthand for tests of stays: admissions, discharges and what the insurer's own books say of them.
import { expect } from 'vitest';
import { charge, item, newPatient, openVisit, type Scene } from '../settlement/support.ts';
import type { ReplyBody, TestReply } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { insurerOf } from '../visit/support.ts';

let beds = 0;

/** Opens a stay whose admission the hospital tells; the hold is the policy's unless told otherwise. */
export function admit(
  scene: Scene,
  person: TestPerson,
  extra: Record<string, unknown> = {},
): Promise<ReplyBody> {
  beds += 1;
  const admission = { number: `ZY${beds}`, bed: String(beds), ward: '心内科一病区' };
  return openVisit(scene, person, { kind: 'inpatient', admission, ...extra });
}

/** An enrolled patient in hospital with 100.00 + 200.00 charged. */
export async function chargedStay(scene: Scene, extra: Record<string, unknown> = {}) {
  const patient = await newPatient(scene.app);
  const visit = await admit(scene, patient.person, extra);
  await chargeDay(scene, visit.id, 1);
  return { ...patient, visit };
}

/** 300.00 of one day of a stay: lines 2n − 1 and 2n. */
export function chargeDay(scene: Scene, visitId: string, day: number): Promise<string> {
  const line = 2 * day;
  return charge(scene, visitId, [item(line - 1, '100.00'), item(line, '50.00', '4', '200.00')]);
}

export function discharge(
  scene: Scene,
  visitId: string,
  body: Record<string, unknown> = {},
  key?: string,
): Promise<TestReply> {
  const path = `/v1/visits/${visitId}/discharge`;
  const { terminal: token, app } = scene;
  return app.call('POST', path, { token, body, ...(key ? { key } : {}) });
}

export function cancelDischarge(scene: Scene, visitId: string): Promise<TestReply> {
  const { terminal: token, app } = scene;
  return app.call('DELETE', `/v1/visits/${visitId}/discharge`, { token });
}

/** The live claims of a visit in the insurer's own books. */
export async function liveClaims(scene: Scene, visitNumber: string): Promise<ReplyBody[]> {
  const claims = await scene.app.claims({ hospitalCode: scene.hospitalCode, visitNumber });
  return claims.filter((claim) => claim.status === 'settled');
}

/** What the insurer executed of a trade for a person, oldest first: the input nodes. */
export async function executed(scene: Scene, infno: string, of: string): Promise<ReplyBody[]> {
  const all = await insurerOf(scene.app).messages({ infno });
  return all
    .filter(({ fate, input }) => fate === 'done' && JSON.stringify(input).includes(of))
    .map(({ input }) => input);
}

export async function expectOneLiveClaim(scene: Scene, visit: ReplyBody, total: string) {
  const live = await liveClaims(scene, visit.visitNumber);
  expect(live.map((claim) => claim.medfeeSumamt)).toEqual([total]);
  return live[0];
}
