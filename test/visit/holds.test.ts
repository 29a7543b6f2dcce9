// PUT and DELETE of a visit's hold, and what becomes of credit when a hold has expired.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import {
  charge,
  expectLaws,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { everything, readVisit, said } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.clock(0));

const DAY_SECONDS = 86_400;
const put = (visitId: string, amount: string, allowPartial?: boolean) =>
  app.call('PUT', `/v1/visits/${visitId}/hold`, {
    token: scene.terminal,
    body: { amount, ...(allowPartial === undefined ? {} : { allowPartial }) },
  });
const remove = (visitId: string) =>
  app.call('DELETE', `/v1/visits/${visitId}/hold`, { token: scene.terminal });
const setLine = (lineId: string, change: ReturnType<typeof sql>) =>
  app.db.execute(sql`update credit_line set ${change} where id = ${lineId}`);

describe('setting the total held', () => {
  it('raises and lowers the one hold of the visit, up to the limit', async () => {
    const { person, token } = await newPatient(app);
    const { id, hold } = await openVisit(scene, person, { holdAmount: '100.00' });
    for (const amount of ['250.00', '3000.00', '0.01', '40.00']) {
      const reply = await put(id, amount);
      expect(reply.status, reply.text).toBe(200);
      expect(reply.body).toMatchObject({ id: hold.id, status: 'placed', amount });
      expect((await lineOf(app, token)).held).toBe(amount);
      expect((await readVisit(scene, id)).hold).toEqual(reply.body);
    }
    await expectLaws(app);
  });

  it('moves the expiry on, and never back', async () => {
    const { person } = await newPatient(app);
    const { id, hold } = await openVisit(scene, person, { holdAmount: '100.00' });
    await app.clock(3600);
    const raised = await put(id, '120.00');
    const moved = Date.parse(raised.body.expiresAt) - Date.parse(hold.expiresAt);
    expect(Math.round(moved / 60_000)).toBe(60);
    await app.clock(0);
    expect((await put(id, '110.00')).body.expiresAt).toBe(raised.body.expiresAt);
  });

  it('above the limit is declined with nothing changed, unless a part will do', async () => {
    const { person, token } = await newPatient(app, { score: 400 });
    const { id } = await openVisit(scene, person, { holdAmount: '100.00' });
    const before = await everything(app);
    expect(said(await put(id, '500.01'))).toEqual([402, 'credit/limit-exceeded']);
    expect(said(await put(id, '500.01', false))).toEqual([402, 'credit/limit-exceeded']);
    expect(await everything(app)).toEqual(before);
    expect((await put(id, '500.01', true)).body.amount).toBe('500.00');
    expect(await lineOf(app, token)).toMatchObject({ held: '500.00', available: '0.00' });
  });

  it('of two visits never exceeds the limit, whatever races', async () => {
    const { person, token } = await newPatient(app, { score: 400 });
    const visits = await Promise.all(
      Array.from({ length: 5 }, () => openVisit(scene, person, { holdAmount: '10.00' })),
    );
    const raised = await Promise.all(visits.map(({ id }) => put(id, '200.00')));
    expect(raised.filter((reply) => reply.status === 200)).toHaveLength(2);
    expect(await lineOf(app, token)).toMatchObject({ held: '430.00', available: '70.00' });
    await expectLaws(app);
  });

  it('places a first hold where the opening placed none, and clears the decline', async () => {
    const { person, token } = await newPatient(app);
    const visit = await openVisit(scene, person, { holdAmount: '3000.01' });
    expect(visit.holdDecline.code).toBe('credit/limit-exceeded');
    expect((await put(visit.id, '30.00')).body).toMatchObject({ status: 'placed' });
    expect(await readVisit(scene, visit.id)).toMatchObject({
      hold: { amount: '30.00' },
      holdDecline: null,
    });
    expect((await lineOf(app, token)).held).toBe('30.00');
  });

  it('is declined for each reason with its code; lowering is always allowed', async () => {
    const { person, token } = await newPatient(app);
    const { id } = await openVisit(scene, person, { holdAmount: '100.00' });
    const line = await lineOf(app, token);
    await setLine(line.id, sql`status = 'suspended', suspended_for = 'overdue'`);
    expect(said(await put(id, '100.01'))).toEqual([402, 'credit/suspended']);
    await setLine(line.id, sql`status = 'active', suspended_for = null, consented = false`);
    expect(said(await put(id, '100.01'))).toEqual([402, 'credit/consent-withdrawn']);
    expect((await lineOf(app, token)).held).toBe('100.00');
    expect((await put(id, '60.00')).body.amount).toBe('60.00');
    const stranger = await newPatient(app, { isEnrolled: false });
    const theirs = await openVisit(scene, stranger.person);
    expect(said(await put(theirs.id, '1.00'))).toEqual([402, 'credit/not-enrolled']);
    const link = 'lnk_01jd5z8m2cf0v9k3q7w4x6y8ab';
    const unlinked = await openVisit(scene, person, { payer: link });
    expect(said(await put(unlinked.id, '1.00'))).toEqual([402, 'family/not-linked']);
    await expectLaws(app);
  });

  it('is declined while something is overdue', async () => {
    const { person, token } = await newPatient(app);
    const owed = await openVisit(scene, person);
    await charge(scene, owed.id, [item(1, '10.00')]);
    await settle(scene, owed.id, { insurance: 'skip' });
    await app.clock(44 * DAY_SECONDS);
    const visit = await openVisit(scene, person);
    expect(said(await put(visit.id, '1.00'))).toEqual([402, 'credit/overdue']);
    expect((await lineOf(app, token)).held).toBe('0.00');
  });

  it('refuses a visit that is not open', async () => {
    const { person } = await newPatient(app);
    const settled = await openVisit(scene, person);
    await charge(scene, settled.id, [item(1, '10.00')]);
    await settle(scene, settled.id, { insurance: 'skip' });
    expect(said(await put(settled.id, '1.00'))).toEqual([409, 'visit/wrong-state']);
    const { id } = await openVisit(scene, person);
    await app.call('DELETE', `/v1/visits/${id}`, { token: scene.terminal });
    expect(said(await put(id, '1.00'))).toEqual([409, 'visit/wrong-state']);
    expect(said(await remove(id))).toEqual([409, 'visit/wrong-state']);
  });

  it.each(['0.00', '-1.00', '1', '1.0', '01.00', '1e2', '１.００', '100000000.00'])(
    'refuses %s as an amount',
    async (amount) => {
      const { person } = await newPatient(app);
      const { id, hold } = await openVisit(scene, person);
      expect(said(await put(id, amount))).toEqual([400, 'request/invalid']);
      expect((await readVisit(scene, id)).hold).toEqual(hold);
    },
  );
});

describe('voiding', () => {
  it('frees the hold once; then there is none', async () => {
    const { person, token } = await newPatient(app);
    const { id, hold } = await openVisit(scene, person);
    const voided = await remove(id);
    expect(voided.status, voided.text).toBe(200);
    expect(voided.body).toMatchObject({ id: hold.id, status: 'voided' });
    expect(await lineOf(app, token)).toMatchObject({ held: '0.00', available: '3000.00' });
    expect(said(await remove(id))).toEqual([409, 'hold/none']);
    expect((await put(id, '20.00')).body.id).not.toBe(hold.id);
  });

  it('raced by ten frees it once', async () => {
    const { person, token } = await newPatient(app);
    const keep = await openVisit(scene, person, { holdAmount: '70.00' });
    const { id } = await openVisit(scene, person, { holdAmount: '30.00' });
    const replies = await Promise.all(Array.from({ length: 10 }, () => remove(id)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    expect((await lineOf(app, token)).held).toBe(keep.hold.amount);
  });
});

describe('an expired hold', () => {
  async function expired(holdAmount: string) {
    const patient = await newPatient(app);
    const visit = await openVisit(scene, patient.person, { holdAmount });
    await charge(scene, visit.id, [item(1, '80.00')]);
    await app.clock(25 * 3600);
    await runWorkerOnce(app.deps);
    expect((await readVisit(scene, visit.id)).hold.status).toBe('expired');
    expect((await lineOf(app, patient.token)).held).toBe('0.00');
    return { ...patient, visit };
  }
  const isLate = async (visitId: string) => {
    const found = await rows<{ late: boolean }>(
      app.db,
      sql`select is_late_capture as late from settlement where visit_id = ${visitId}`,
    );
    return found[0]?.late;
  };

  it('is not captured; what is available then is used and flagged as late', async () => {
    const { visit, token } = await expired('100.00');
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body.tenders).toEqual([{ kind: 'credit', amount: '80.00' }]);
    expect(await isLate(visit.id)).toBe(true);
    expect(await lineOf(app, token)).toMatchObject({ held: '0.00', outstanding: '80.00' });
    await expectLaws(app);
  });

  it('leaves due at the counter what is not available any more', async () => {
    const { visit, token } = await expired('100.00');
    await app.db.execute(sql`update credit_line set "limit" = 3000
      where id = ${(await lineOf(app, token)).id}`);
    const settled = await settle(scene, visit.id, { insurance: 'skip' });
    expect(settled.body).toMatchObject({
      dueAtCounter: '50.00',
      tenders: [{ kind: 'credit', amount: '30.00' }],
    });
    await expectLaws(app);
  });

  it('can be set anew, and then the capture is in time', async () => {
    const { visit } = await expired('100.00');
    expect((await put(visit.id, '90.00')).status).toBe(200);
    await settle(scene, visit.id, { insurance: 'skip' });
    expect(await isLate(visit.id)).toBe(false);
  });

  it('does not expire while charges move its end on', async () => {
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    await app.clock(23 * 3600);
    await charge(scene, visit.id, [item(1, '80.00')]);
    await app.clock(25 * 3600);
    await runWorkerOnce(app.deps);
    expect((await readVisit(scene, visit.id)).hold.status).toBe('placed');
    await settle(scene, visit.id, { insurance: 'skip' });
    expect(await isLate(visit.id)).toBe(false);
  });
});
