// Law: what happened is told to those who asked and may know, signed, and only if it happened.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { clientOf, rows, type Tx, transact } from '../../src/db/db.ts';
import { recordEvent, recordEvents, webhookEventTypes } from '../../src/outbox/events.ts';
import {
  chargedVisit,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { type Got, verified } from './receiver.ts';
import { eventLike, HOSPITAL, useReceiver } from './support.ts';

const app = useApp();
const { receiver, listen, record, deliveriesTo, hurry, whenEnded } = useReceiver(app);
let scene: Scene;
let admin: string;

beforeAll(async () => {
  scene = await sceneOf(app, HOSPITAL);
  admin = await app.token('admin');
});

const typesOf = (got: Got[]): string[] => got.map((each) => each.body.type as string);

describe('a webhook', () => {
  it('is signed by Standard Webhooks and says what happened, when and where', async () => {
    const { secret, path } = await listen(scene.terminal, ['visit.opened']);
    await record();
    const [got] = await receiver().waitAt(path, 1);
    expect(verified(secret, got!)).toEqual({
      type: 'visit.opened',
      timestamp: '2026-03-01T00:00:00.000Z',
      data: { visitId: 'vis_x', hospitalCode: scene.hospitalCode },
    });
    expect(got?.headers['content-type']).toBe('application/json');
    const [event] = await rows<{ id: string }>(
      app.db,
      sql`select id from event order by id desc limit 1`,
    );
    expect(got?.headers['webhook-id']).toBe(event?.id);
    const forged = { ...got!, text: got!.text.replace('vis_x', 'vis_y') };
    expect(() => verified(secret, forged)).toThrow();
  });

  it('comes for every fact of a visit from its opening to the repayment', async () => {
    const { secret, path } = await listen(admin, webhookEventTypes);
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settled = (await settle(scene, visit.id)).body;
    const owed = settled.tenders.find((t: ReplyBody) => t.kind === 'credit').amount;
    const paid = await app.call('POST', '/v1/me/repayments', { token, body: { amount: owed } });
    expect(paid.body.status, paid.text).toBe('paid');
    const refunded = await app.call('POST', `/v1/settlements/${settled.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '误收' },
    });
    expect(refunded.status, refunded.text).toBeLessThan(300);
    const told = (await receiver().waitAt(path, 5)).map((got) => verified(secret, got));
    const about = { visitId: visit.id, hospitalCode: scene.hospitalCode };
    const data = Object.fromEntries(told.map((each) => [each.type, each.data]));
    expect(data).toEqual({
      'visit.opened': { ...about, visitNumber: visit.visitNumber, kind: 'outpatient' },
      'hold.placed': { ...about, holdId: visit.hold.id, amount: visit.hold.amount },
      'settlement.settled': { ...about, settlementId: settled.id, total: '300.00' },
      'receivable.paid': { receivableId: settled.receivableId, repaymentId: paid.body.id },
      'refund.completed': {
        hospitalCode: scene.hospitalCode,
        settlementId: settled.id,
        refundId: refunded.body.id,
      },
    });
    const texts = receiver()
      .at(path)
      .map((got) => got.text);
    expect(texts.filter((text) => text.includes(person.name))).toEqual([]);
    expect(texts.filter((text) => text.includes(person.idNumber))).toEqual([]);
  });

  it('tells of an outage, of what waits for it, and of holds that expire', async () => {
    const types = ['settlement.awaitingInsurance', 'hold.expired', 'hold.placed'];
    const { path } = await listen(scene.terminal, types);
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'error500', on: ['2207'] });
    const settled = (await settle(scene, visit.id)).body;
    await app.fault({ mode: 'none' });
    expect(settled.insurance.status).toBe('awaitingInsurance');
    const other = await openVisit(scene, (await newPatient(app)).person);
    await app.clock(25 * 3600);
    const got = await receiver().waitAt(path, 4);
    await app.clock(0);
    const of = (type: string) => got.filter((each) => each.body.type === type);
    expect(of('hold.placed')).toHaveLength(2);
    expect(of('settlement.awaitingInsurance')[0]?.body.data.settlementId).toBe(settled.id);
    expect(of('hold.expired')[0]?.body.data).toMatchObject({ holdId: other.hold.id });
  });

  it('tells of a hold placed later once, however often it is raised', async () => {
    const { path } = await listen(scene.terminal, ['hold.placed']);
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person, { holdAmount: '0.00' });
    const put = (amount: string) =>
      app.call('PUT', `/v1/visits/${visit.id}/hold`, { token: scene.terminal, body: { amount } });
    const placed = await put('50.00');
    await put('80.00');
    await put('60.00');
    await record({ type: 'hold.placed', data: { holdId: 'last' } });
    const got = await receiver().waitAt(path, 2);
    const data = { visitId: visit.id, holdId: placed.body.id, hospitalCode: scene.hospitalCode };
    expect(got.map((each) => each.body.data)).toEqual(
      expect.arrayContaining([
        { ...data, amount: '50.00' },
        { holdId: 'last', hospitalCode: scene.hospitalCode },
      ]),
    );
    expect(got).toHaveLength(2);
  });
});

describe('who is told', () => {
  it('is nobody when the transaction rolled back', async () => {
    const { path } = await listen(scene.terminal, ['visit.opened']);
    const lost = transact(app.db, async (tx) => {
      await recordEvent(tx, eventLike({ data: { visitId: 'lost' } }));
      throw new Error('no');
    });
    await expect(lost).rejects.toThrow('no');
    await record({ data: { visitId: 'kept' } });
    const got = await receiver().waitAt(path, 1);
    expect(got.map((each) => each.body.data.visitId)).toEqual(['kept']);
  });

  it("is not another hospital's terminal, unless it concerns the whole city", async () => {
    const other = await sceneOf(app, 'H35020000002');
    const types = ['visit.opened', 'receivable.paid', 'insurance.offline'];
    const own = await listen(scene.terminal, types);
    const foreign = await listen(other.terminal, types);
    const all = await listen(admin, types);
    await record();
    await record({ type: 'receivable.paid', hospitalCode: null, citizenId: 'cit_x' });
    await record({ type: 'insurance.offline', hospitalCode: null });
    await receiver().waitAt(all.path, 3);
    await receiver().waitAt(own.path, 2);
    expect(typesOf(await receiver().waitAt(foreign.path, 1))).toEqual(['insurance.offline']);
    expect(typesOf(receiver().at(own.path)).sort()).toEqual(['insurance.offline', 'visit.opened']);
    expect(await deliveriesTo(foreign.id)).toHaveLength(1);
  });

  it('is not a staff member of another hospital', async () => {
    const limited = await app.token('admin', { hospitalCode: 'H35020000002' });
    const { id } = await listen(limited, ['visit.opened']);
    await record();
    expect(await deliveriesTo(id)).toEqual([]);
  });

  it('is only who asked for this type', async () => {
    const { id } = await listen(scene.terminal, ['hold.expired']);
    await record();
    expect(await deliveriesTo(id)).toEqual([]);
  });

  it('is no terminal that was revoked, not even of what was queued before', async () => {
    const terminal = await app.token('terminal', {
      hospitalCode: scene.hospitalCode,
      subject: 'stolen',
    });
    const { id, path } = await listen(terminal, ['visit.opened']);
    receiver().answerWith(500);
    await record();
    await receiver().waitAt(path, 1);
    await app.db.execute(sql`
      update terminal set revoked_at = clock_timestamp()
      where client_id = (select client from webhook_endpoint where id = ${id})`);
    await hurry(id, 1);
    await whenEnded(id);
    await record();
    expect(await deliveriesTo(id)).toHaveLength(1);
    expect(receiver().at(path)).toHaveLength(1);
  });

  it('costs no round trip of its own, listeners or not', async () => {
    const count = (work: (tx: Tx) => Promise<void>) =>
      transact(app.db, async (tx) => {
        const send = vi.spyOn(clientOf(tx), 'unsafe');
        await work(tx);
        return send.mock.calls.length;
      });
    expect(await count((tx) => recordEvent(tx, eventLike({})))).toBe(1);
    const one = await listen(scene.terminal, ['visit.opened']);
    const two = await listen(admin, ['visit.opened']);
    const both = [eventLike({}), eventLike({})];
    expect(await count((tx) => recordEvents(tx, both))).toBe(1);
    expect(await deliveriesTo(one.id)).toHaveLength(2);
    expect(await deliveriesTo(two.id)).toHaveLength(2);
  });
});
