// Law (issue 2, Learning the truth): an insurer that always breaks its own sums, or whose 2601 says
// nothing for hours, ends in a finance case, never in a loop, and never with a live claim too many.
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { chargedVisit, expectLaws, lineOf, settle } from '../settlement/support.ts';
import type { ReplyBody } from '../support/app.ts';
import { newInsured, type Patient, useMatrix, workUntil } from './fault-matrix-world.ts';

const world = useMatrix(1);
const { app } = world;

afterEach(async () => {
  await world.insurer.reset();
  await expectLaws(app);
});

const liarsTrades = { mode: 'brokenInvariant', on: ['2207', '5203'] } as const;

const read = async (kind: 'settlements' | 'refunds', id: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/${kind}/${id}`, { token: world.scene.terminal })).body;
const liveClaims = async ({ visitNumber }: ReplyBody) =>
  (await app.claims({ visitNumber })).filter(({ status }) => status === 'settled');
const casesOf = (visit: ReplyBody) =>
  rows<{ kind: string }>(
    app.db,
    sql`select kind from finance_case where subject_id = ${visit.id} or detail ->> 'settlementId'
      in (select id from settlement where visit_id = ${visit.id})`,
  );
const askRefund = (settlementId: string) =>
  app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
    token: world.scene.terminal,
    body: { lines: [{ lineNumber: 1 }], reason: '退药' },
  });

/** The 2207 is executed, nobody hears of it, and from then on every 2601 fails. */
async function loseForHours<T>(work: () => Promise<T>): Promise<T> {
  const { insurer } = world;
  await insurer.hideClaims();
  await insurer.strike({ fault: 'lost', trade: '2207' });
  const done = await work();
  await insurer.strike({ fault: 'error500', trade: '2601' });
  return done;
}

/** Whatever waits for the truth has waited for it since three hours ago. */
async function letHoursPass(): Promise<void> {
  await app.db.execute(
    sql`update conversion set unknown_since = unknown_since - interval '3 hours'`,
  );
  await app.db.execute(sql`update insurance_message set sent_at = sent_at - interval '3 hours'`);
  await app.db.execute(sql`update intent set created_at = created_at - interval '3 hours'
    where status = 'running'`);
}

/** Whatever waits for the truth is looked at again in an hour, not before. */
async function expectHourly(visit: ReplyBody): Promise<void> {
  const [next] = await rows<{ minutes: string }>(
    app.db,
    sql`select extract(epoch from max(at) - clock_timestamp()) / 60 as minutes from (
        select lease_until as at from intent where visit_id = ${visit.id} and status = 'running'
        union all select c.next_attempt_at from conversion c
          join settlement s on s.id = c.settlement_id where s.visit_id = ${visit.id}) waiting`,
  );
  expect(Number(next?.minutes)).toBeGreaterThan(55);
}

/** Goes on working: nothing more of the trade may be sent. */
async function expectQuiet(trade: '2207' | '2601', patient: Patient): Promise<void> {
  const before = world.insurer.sent(trade, patient).length;
  for (let round = 0; round < 4; round += 1) await runWorkerOnce(app.deps);
  expect(world.insurer.sent(trade, patient)).toHaveLength(before);
}

describe('an insurer that always breaks its own sums', () => {
  it('ends a conversion as a finance case without a live claim', async () => {
    const patient = await newInsured(world);
    const visit = await chargedVisit(world.scene, patient.person);
    await world.insurer.control.setFault({ mode: 'refuseConnection' });
    const { body } = await settle(world.scene, visit.id);
    await app.fault(liarsTrades);
    await workUntil(
      world,
      async () => (await read('settlements', body.id)).insurance.status === 'rejected',
    );
    expect(world.insurer.sent('2207', patient)).toHaveLength(2);
    expect(await liveClaims(visit)).toEqual([]);
    expect(await casesOf(visit)).toEqual([{ kind: 'insurance/answer-broken' }]);
    await expectQuiet('2207', patient);
  });

  it('ends a settlement that began at the counter likewise', async () => {
    const patient = await newInsured(world);
    const visit = await chargedVisit(world.scene, patient.person);
    await app.fault(liarsTrades);
    const { body } = await settle(world.scene, visit.id);
    expect(body.insurance.status).toBe('awaitingInsurance');
    await workUntil(
      world,
      async () => (await read('settlements', body.id)).insurance.status === 'rejected',
    );
    expect(world.insurer.sent('2207', patient)).toHaveLength(2);
    expect(await liveClaims(visit)).toEqual([]);
    expect(await casesOf(visit)).toEqual([{ kind: 'insurance/answer-broken' }]);
    expect((await lineOf(app, patient.token)).outstanding).toBe('300.00');
    await expectQuiet('2207', patient);
  });

  it('leaves a visit open whose counter would rather wait', async () => {
    const patient = await newInsured(world);
    const visit = await chargedVisit(world.scene, patient.person);
    await app.fault(liarsTrades);
    const parked = await settle(world.scene, visit.id, { whenInsuranceOffline: 'wait' });
    expect(parked.body.code, parked.text).toBe('insurance/unknown');
    const { terminal: token } = world.scene;
    await workUntil(world, async () => {
      const now = await app.call('GET', `/v1/visits/${visit.id}`, { token });
      return now.body.status === 'open';
    });
    expect(await liveClaims(visit)).toEqual([]);
    await expectQuiet('2207', patient);
  });

  it('ends a refund with the rest unclaimed, self-paid and in a finance case', async () => {
    const patient = await newInsured(world);
    const visit = await chargedVisit(world.scene, patient.person);
    const { body } = await settle(world.scene, visit.id);
    await app.fault(liarsTrades);
    const asked = await askRefund(body.id);
    expect(asked.status, asked.text).toBe(202);
    await workUntil(
      world,
      async () => (await read('refunds', asked.body.id)).status === 'completed',
    );
    // The settlement's own, and two of the refund.
    expect(world.insurer.sent('2207', patient)).toHaveLength(3);
    expect(await liveClaims(visit)).toEqual([]);
    expect((await read('settlements', body.id)).insurance.status).toBe('rejected');
    expect(await casesOf(visit)).toEqual([{ kind: 'insurance/rest-refused' }]);
    // The rest costs more than the whole did: what is above is arrears, never credit without consent.
    expect((await lineOf(app, patient.token)).outstanding).toBe('118.00');
    await expectQuiet('2207', patient);
  });
});

/** Asked more than once and no case yet; after hours one case, and from then on hourly. */
async function expectCaseAfterHours(visit: ReplyBody, patient: Patient): Promise<void> {
  await workUntil(world, () => world.insurer.sent('2601', patient).length > 1);
  expect(await casesOf(visit)).toEqual([]);
  await letHoursPass();
  await workUntil(world, async () => (await casesOf(visit)).length > 0);
  expect(await casesOf(visit)).toEqual([{ kind: 'insurance/unknown-too-long' }]);
  await expectHourly(visit);
  await expectQuiet('2601', patient);
}

describe('an insurer whose 2601 stays unknown for hours', () => {
  it('makes a conversion a finance case that is then asked for hourly', async () => {
    const { insurer, scene } = world;
    const patient = await newInsured(world);
    const visit = await chargedVisit(scene, patient.person);
    const { body } = await loseForHours(() => settle(scene, visit.id));
    await expectCaseAfterHours(visit, patient);
    await insurer.mend();
    await workUntil(
      world,
      async () => (await read('settlements', body.id)).insurance.status === 'converted',
    );
    expect(await liveClaims(visit)).toHaveLength(1);
  });

  it('makes a refund a finance case that is then asked for hourly', async () => {
    const { insurer, scene } = world;
    const patient = await newInsured(world);
    const visit = await chargedVisit(scene, patient.person);
    const { body } = await settle(scene, visit.id);
    const asked = await loseForHours(() => askRefund(body.id));
    expect(asked.status, asked.text).toBe(202);
    await expectCaseAfterHours(visit, patient);
    await insurer.mend();
    await workUntil(
      world,
      async () => (await read('refunds', asked.body.id)).status === 'completed',
    );
    expect((await liveClaims(visit)).map((c) => c.medfeeSumamt)).toEqual(['200.00']);
  });

  it('makes a visit that waits for it a finance case that is then asked for hourly', async () => {
    const { insurer, scene } = world;
    const patient = await newInsured(world);
    const visit = await chargedVisit(scene, patient.person);
    const waits = { whenInsuranceOffline: 'wait' };
    await loseForHours(() => settle(scene, visit.id, waits));
    await expectCaseAfterHours(visit, patient);
    await insurer.mend();
    const token = scene.terminal;
    await workUntil(world, async () => {
      const now = await app.call('GET', `/v1/visits/${visit.id}`, { token });
      return now.body.status === 'open';
    });
    expect(await liveClaims(visit)).toEqual([]);
  });
});
