// An inpatient's hold grows with the charges, up to what the line gives, and warns before it runs out.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import {
  charge,
  expectLaws,
  item,
  lineOf,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { readVisit } from '../visit/support.ts';
import { admit } from './support.ts';

// A score above 600 grants 3,000.00 and, for stays, 5,000.00 more.
const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
  await app.db.execute(sql`
    insert into policy (kind, name, version, valid_from, data)
    select kind, name, version + 1, business_now(), data || '{"stepUpAbove": "5000.00"}'
    from policy where kind = 'credit' and name = 'default'`);
});

const warnings = (visitId: string) =>
  rows<ReplyBody>(
    app.db,
    sql`
    select data ->> 'share' as share, data ->> 'held' as held, data ->> 'charged' as charged,
      hospital_code
    from event where type = 'hold.runningOut' and data ->> 'visitId' = ${visitId}
    order by occurred_at`,
  );

async function stay(extra: Record<string, unknown> = {}, score = 650) {
  const patient = await newPatient(app, { score });
  const visit = await admit(scene, patient.person, extra);
  let line = 0;
  return {
    ...patient,
    visit,
    async charge(amount: string) {
      line += 1;
      await charge(scene, visit.id, [item(line, amount)]);
      return (await readVisit(scene, visit.id)).hold;
    },
  };
}

describe('the hold of a stay', () => {
  it('grows by whole steps from the first fen above four fifths of it', async () => {
    const patient = await stay();
    expect((await patient.charge('2400.00')).amount).toBe('3000.00');
    expect((await patient.charge('0.01')).amount).toBe('3500.00');
    expect(await lineOf(app, patient.token)).toMatchObject({ held: '3500.00' });
    expect(await warnings(patient.visit.id)).toEqual([]);
    await expectLaws(app);
  });

  it('never grows into what needs the payer’s own act, and warns instead, once a step', async () => {
    const patient = await stay();
    expect((await patient.charge('4000.00')).amount).toBe('5000.00');
    expect((await patient.charge('0.01')).amount).toBe('5000.00');
    await patient.charge('500.00');
    expect(await warnings(patient.visit.id)).toEqual([
      {
        share: '0.80',
        held: '5000.00',
        charged: '4000.01',
        hospital_code: scene.hospitalCode,
      },
    ]);
    await patient.charge('499.99');
    expect(await warnings(patient.visit.id)).toHaveLength(1);
    await patient.charge('0.01');
    await patient.charge('100.00');
    expect((await warnings(patient.visit.id)).map(({ share }) => share)).toEqual(['0.80', '1.00']);
  });

  it('takes what the line still gives when that is less than a step', async () => {
    const patient = await stay({}, 450);
    expect(await lineOf(app, patient.token)).toMatchObject({ limit: '500.00' });
    const other = await admit(scene, patient.person, { holdAmount: '2300.00' });
    expect(other.hold.amount).toBe('2300.00');
    const hold = await patient.charge('3000.00');
    expect(hold.amount).toBe('3200.00');
    expect((await warnings(patient.visit.id)).map(({ held }) => held)).toEqual(['3200.00']);
    await expectLaws(app);
  });

  it('is placed anew after an interim settlement captured it', async () => {
    const patient = await stay();
    await patient.charge('1000.00');
    expect((await settle(scene, patient.visit.id, { interim: true })).status).toBe(200);
    expect((await readVisit(scene, patient.visit.id)).hold.status).toBe('captured');
    expect(await patient.charge('100.00')).toMatchObject({ status: 'placed', amount: '500.00' });
    await expectLaws(app);
  });

  it('is not made up where none was wanted, voided, or given', async () => {
    const unwanted = await stay({ holdAmount: '0.00' });
    expect(await unwanted.charge('900.00')).toBeNull();
    const voided = await stay();
    await app.call('DELETE', `/v1/visits/${voided.visit.id}/hold`, { token: scene.terminal });
    expect((await voided.charge('900.00')).status).toBe('voided');
    const nobody = await newPatient(app, { isEnrolled: false });
    const visit = await admit(scene, nobody.person);
    await charge(scene, visit.id, [item(1, '900.00')]);
    expect((await readVisit(scene, visit.id)).hold).toBeNull();
  });

  it('is left alone for outpatients', async () => {
    const { person } = await newPatient(app);
    const visit = await admit(scene, person, { kind: 'outpatient', admission: undefined });
    await charge(scene, visit.id, [item(1, '900.00')]);
    expect((await readVisit(scene, visit.id)).hold.amount).toBe('300.00');
  });
});
