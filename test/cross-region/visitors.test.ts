// Patients insured elsewhere, over HTTP: filed or not, said before any money moves, and a route of
// their own that fails alone.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { policy } from '../../src/db/schema.ts';
import { executed, liveClaims } from '../inpatient/support.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import { everything, insurerOf, readVisit, said } from '../visit/support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
let auditor: string;
beforeAll(async () => {
  scene = await sceneOf(app);
  auditor = await app.token('auditor');
});
afterEach(() => app.fault({ mode: 'none' }));

async function visitor(filed: boolean, region = '310000'): Promise<TestPerson> {
  const person = uniquePerson({ area: '310101' });
  await file(person, filed, region);
  return person;
}

function file(person: TestPerson, filed: boolean, region = '310000'): Promise<void> {
  const insurance = { status: 'active', type: 'employee', region, filed } as const;
  return app.register(person, { insurance });
}

const routes = async (): Promise<Record<string, string>> => {
  const { body } = await app.call('GET', '/v1/insurance/routes', { token: auditor });
  return Object.fromEntries(body.data.map((row: ReplyBody) => [row.route, row.status]));
};

/** All but the visits, of which the filing may be asked anew. */
async function unchanged() {
  const { visits: _visits, ...rest } = (await everything(app)) as Record<string, unknown>;
  return rest;
}

describe('a visitor who is filed', () => {
  it('is claimed by both header codes, as cleared elsewhere', async () => {
    const visit = await chargedVisit(scene, await visitor(true));
    expect(visit.insured).toMatchObject({ region: '310000', crossRegion: true });
    expect(visit.filing).toMatchObject({ status: 'filed' });
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
    expect(await liveClaims(scene, visit.visitNumber)).toHaveLength(1);
    const [claim] = await rows<{ clr_type: string }>(
      app.db,
      sql`select clr_type from claim where settlement_id = ${paid.body.id}`,
    );
    expect(claim?.clr_type).toBe('99963');
  });

  it('has no filing to show inside the city', async () => {
    const visit = await chargedVisit(scene, (await newPatient(app)).person);
    expect(visit.filing).toBeUndefined();
  });
});

describe('a visitor who is not filed', () => {
  it('is told at the opening, and refused with a reason before any money moves', async () => {
    const visit = await chargedVisit(scene, await visitor(false));
    expect(visit.filing).toMatchObject({
      status: 'notFiled',
      reason: expect.stringContaining('未办理异地就医备案'),
    });
    const before = await unchanged();
    for (const path of ['settlement/preview', 'settlement']) {
      const refused = await app.call('POST', `/v1/visits/${visit.id}/${path}`, {
        token: scene.terminal,
        body: {},
      });
      expect(said(refused), refused.text).toEqual([409, 'insurance/rejected']);
      expect(refused.body.detail).toContain('未办理异地就医备案');
      expect(refused.body.detail).toContain('lateFiling');
    }
    expect(await unchanged()).toEqual(before);
    expect((await readVisit(scene, visit.id)).status).toBe('open');
    const sent = await insurerOf(app).messages({ infno: '2201' });
    expect(sent.filter(({ input }) => JSON.stringify(input).includes(visit.visitNumber))).toEqual(
      [],
    );
  });

  it('pays by themselves, and is converted once filed', async () => {
    const person = await visitor(false);
    const visit = await chargedVisit(scene, person);
    const paid = await settle(scene, visit.id, { insurance: 'skip' });
    const ask = () =>
      app.call('POST', `/v1/settlements/${paid.body.id}/conversion`, {
        token: scene.terminal,
        body: { cause: 'lateFiling' },
      });
    const statusOf = async (id: string) =>
      (await app.call('GET', `/v1/conversions/${id}`, { token: auditor })).body;
    const tooEarly = await ask();
    const refused = await waitFor(async () => {
      const now = await statusOf(tooEarly.body.id);
      return now.status === 'rejected' && now;
    });
    expect(JSON.stringify(refused)).toContain('未办理异地就医备案');
    expect(await liveClaims(scene, visit.visitNumber)).toEqual([]);
    await file(person, true);
    const asked = await ask();
    expect(asked.status, asked.text).toBe(202);
    await waitFor(async () => (await statusOf(asked.body.id)).status === 'converted');
    expect(await liveClaims(scene, visit.visitNumber)).toHaveLength(1);
    await expectLaws(app);
  });

  it('is asked again at settlement: filed meanwhile is filed in time', async () => {
    const person = await visitor(false);
    const visit = await chargedVisit(scene, person);
    await file(person, true);
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
    expect((await readVisit(scene, visit.id)).filing.status).toBe('filed');
  });

  it('is admitted all the same, and asked again at discharge', async () => {
    const person = await visitor(false);
    const visit = await openVisit(scene, person, {
      kind: 'inpatient',
      admission: { number: 'ZY-9' },
    });
    await charge(scene, visit.id, [item(1, '100.00')]);
    expect((await readVisit(scene, visit.id)).admission.insurer).toBe('admitted');
    const leave = () =>
      app.call('POST', `/v1/visits/${visit.id}/discharge`, { token: scene.terminal, body: {} });
    expect((await leave()).body.filing.status).toBe('notFiled');
    expect(said(await settle(scene, visit.id))).toEqual([409, 'insurance/rejected']);
    await app.call('DELETE', `/v1/visits/${visit.id}/discharge`, { token: scene.terminal });
    await file(person, true);
    expect((await leave()).body.filing.status).toBe('filed');
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
    const [claim] = await liveClaims(scene, visit.visitNumber);
    const [sent] = await executed(scene, '2304', claim.mdtrtId);
    expect(sent.data.exp_content).toBe('{"IPT_TYPE":"1"}');
  });

  it('is claimed as an emergency, which counts as filed', async () => {
    const visit = await chargedVisit(scene, await visitor(false), { kind: 'emergency' });
    expect(visit.filing).toMatchObject({ status: 'countsAsFiled' });
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
  });
});

it('asks nobody whom a zone of the policy in force frees, and everybody once it ends', async () => {
  const from = (version: number, data: unknown) =>
    app.db
      .insert(policy)
      .values({ kind: 'filing', name: '3502', version, validFrom: sql`business_now()`, data });
  await from(1, {
    freeZones: [
      {
        name: '试点 pilot',
        insured: ['31'],
        care: ['35'],
        kinds: ['outpatient'],
        from: null,
        until: null,
      },
    ],
  });
  const person = await visitor(false);
  expect((await chargedVisit(scene, person)).filing).toMatchObject({ status: 'notNeeded' });
  await from(2, { freeZones: [] });
  expect((await chargedVisit(scene, person)).filing).toMatchObject({ status: 'notFiled' });
});

describe('the route to other regions', () => {
  it('fails alone: the city is served, visitors are self-paid and converted later', async () => {
    const [home, guest] = [(await newPatient(app)).person, await visitor(true)];
    const local = await chargedVisit(scene, home);
    const remote = await chargedVisit(scene, guest);
    await app.fault({ mode: 'error500', route: 'crossRegion' });
    const waiting = await settle(scene, remote.id);
    expect(waiting.body.insurance.status, waiting.text).toBe('awaitingInsurance');
    await waitFor(async () => (await routes()).crossRegion === 'offline');
    expect((await routes()).local).toBe('online');
    const served = await settle(scene, local.id);
    expect(served.body.insurance.status, served.text).toBe('claimed');
    const again = await chargedVisit(scene, guest);
    expect((await settle(scene, again.id)).body.insurance.status).toBe('awaitingInsurance');
    await app.fault({ mode: 'none' });
    await waitFor(async () => (await liveClaims(scene, remote.visitNumber)).length === 1);
    await waitFor(async () => (await liveClaims(scene, again.visitNumber)).length === 1);
    await waitFor(async () => (await routes()).crossRegion === 'online');
    await expectLaws(app);
  });
});
