// Law: what happened is told to those who asked and may know, signed, at least once, and only if it
// happened. A receiver that fails or hangs hurts nobody else.
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { rows, type Tx, transact } from '../../src/db/db.ts';
import { recordEvent, recordEvents, webhookEventTypes } from '../../src/outbox/events.ts';
import { deliverWebhook, waitSeconds } from '../../src/outbox/webhook-delivery.ts';
import {
  chargedVisit,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Got, type Receiver, startReceiver, verified } from './receiver.ts';

const app = useApp();
let receiver: Receiver;
let scene: Scene;
let admin: string;
let paths = 0;

beforeAll(async () => {
  receiver = await startReceiver();
  scene = await sceneOf(app);
  admin = await app.token('admin');
});
afterAll(() => receiver.close());
afterEach(async () => {
  receiver.answerWith(204);
  await app.db.execute(sql`delete from webhook_endpoint`);
});

/** Registers an endpoint on a path of its own. */
async function listen(
  token: string,
  eventTypes: readonly string[],
  path = `/${(paths += 1)}`,
): Promise<{ id: string; secret: string; path: string }> {
  const reply = await app.call('POST', '/v1/webhook-endpoints', {
    token,
    body: { url: receiver.url + path, eventTypes },
  });
  expect(reply.status, reply.text).toBe(201);
  return { ...reply.body, path };
}

const record = (fact: Partial<Parameters<typeof recordEvent>[1]> = {}) =>
  transact(app.db, (tx) => recordEvent(tx, eventLike(fact)));

function eventLike(fact: Partial<Parameters<typeof recordEvent>[1]>) {
  return {
    type: 'visit.opened' as const,
    hospitalCode: scene.hospitalCode,
    data: { visitId: 'vis_x' },
    occurredAt: new Date('2026-03-01T00:00:00Z'),
    ...fact,
  };
}

const jobsOf = (endpointId: string) =>
  rows<{ attempts: number; is_done: boolean; last_error: string | null }>(
    app.db,
    sql`
    select attempts, done_at is not null as is_done, last_error from job
    where kind = 'deliverWebhook' and payload ->> 'endpointId' = ${endpointId} order by id`,
  );

/** Waits until the last try failed, then lets the next one come now. */
async function hurry(endpointId: string, attempts: number): Promise<void> {
  await waitFor(async () => {
    const [job] = await jobsOf(endpointId);
    return job?.attempts === attempts && job.last_error !== null;
  });
  await app.db.execute(sql`
    update job set next_attempt_at = clock_timestamp(), last_error = null
    where payload ->> 'endpointId' = ${endpointId}`);
}

const typesOf = (got: Got[]): string[] => got.map((each) => each.body.type as string);

describe('a webhook', () => {
  it('is signed by Standard Webhooks and says what happened, when and where', async () => {
    const { secret, path } = await listen(scene.terminal, ['visit.opened']);
    await record();
    const [got] = await receiver.waitAt(path, 1);
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
    const told = (await receiver.waitAt(path, 5)).map((got) => verified(secret, got));
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
    const texts = receiver.at(path).map((got) => got.text);
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
    const got = await receiver.waitAt(path, 4);
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
    const got = await receiver.waitAt(path, 2);
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
    const got = await receiver.waitAt(path, 1);
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
    await receiver.waitAt(all.path, 3);
    await receiver.waitAt(own.path, 2);
    expect(typesOf(await receiver.waitAt(foreign.path, 1))).toEqual(['insurance.offline']);
    expect(typesOf(receiver.at(own.path)).sort()).toEqual(['insurance.offline', 'visit.opened']);
    expect(await jobsOf(foreign.id)).toHaveLength(1);
  });

  it('is not a staff member of another hospital', async () => {
    const limited = await app.token('admin', { hospitalCode: 'H35020000002' });
    const { id } = await listen(limited, ['visit.opened']);
    await record();
    expect(await jobsOf(id)).toEqual([]);
  });

  it('is only who asked for this type', async () => {
    const { id } = await listen(scene.terminal, ['hold.expired']);
    await record();
    expect(await jobsOf(id)).toEqual([]);
  });

  it('is no terminal that was revoked, not even of what was queued before', async () => {
    const terminal = await app.token('terminal', {
      hospitalCode: scene.hospitalCode,
      subject: 'stolen',
    });
    const { id, path } = await listen(terminal, ['visit.opened']);
    receiver.answerWith(500);
    await record();
    await receiver.waitAt(path, 1);
    await app.db.execute(sql`
      update terminal set revoked_at = clock_timestamp()
      where client_id = (select client from webhook_endpoint where id = ${id})`);
    await hurry(id, 1);
    await waitFor(async () => (await jobsOf(id))[0]?.is_done);
    await record();
    expect(await jobsOf(id)).toHaveLength(1);
    expect(receiver.at(path)).toHaveLength(1);
  });

  it('costs no round trip of its own, listeners or not', async () => {
    const count = (work: (tx: Tx) => Promise<void>) =>
      transact(app.db, async (tx) => {
        const execute = vi.spyOn(tx, 'execute');
        await work(tx);
        return execute.mock.calls.length;
      });
    expect(await count((tx) => recordEvent(tx, eventLike({})))).toBe(1);
    const one = await listen(scene.terminal, ['visit.opened']);
    const two = await listen(admin, ['visit.opened']);
    const both = [eventLike({}), eventLike({})];
    expect(await count((tx) => recordEvents(tx, both))).toBe(1);
    expect(await jobsOf(one.id)).toHaveLength(2);
    expect(await jobsOf(two.id)).toHaveLength(2);
  });
});

describe('a receiver', () => {
  it('that fails gets the same message again, signed anew, until it takes it', async () => {
    const { id, secret, path } = await listen(scene.terminal, ['visit.opened']);
    receiver.answerWith(500);
    await record();
    await receiver.waitAt(path, 1);
    await hurry(id, 1);
    await receiver.waitAt(path, 2);
    receiver.answerWith(204);
    await hurry(id, 2);
    const got = await receiver.waitAt(path, 3);
    expect(new Set(got.map((each) => each.headers['webhook-id'])).size).toBe(1);
    expect(new Set(got.map((each) => each.text)).size).toBe(1);
    for (const each of got) expect(verified(secret, each)).toMatchObject({ type: 'visit.opened' });
    await waitFor(async () => (await jobsOf(id))[0]?.is_done);
    expect(await jobsOf(id)).toEqual([{ attempts: 3, is_done: true, last_error: null }]);
  });

  it('that redirects is not followed and counts as failing', async () => {
    const { id, path } = await listen(scene.terminal, ['visit.opened']);
    receiver.answerWith((response) =>
      response.writeHead(307, { location: `${receiver.url}/elsewhere` }).end(),
    );
    await record();
    await receiver.waitAt(path, 1);
    await waitFor(async () => (await jobsOf(id))[0]?.last_error === 'HTTP 307');
    expect(receiver.at('/elsewhere')).toEqual([]);
  });

  it('that answers 410 is disabled, and shown so', async () => {
    const { id, path } = await listen(scene.terminal, ['visit.opened']);
    receiver.answerWith(410);
    await record();
    await receiver.waitAt(path, 1);
    await waitFor(async () => (await jobsOf(id))[0]?.is_done);
    const listed = await app.call('GET', '/v1/webhook-endpoints', { token: scene.terminal });
    expect(listed.body.data).toMatchObject([{ id, status: 'disabled' }]);
    await record();
    expect(await jobsOf(id)).toEqual([{ attempts: 1, is_done: true, last_error: 'HTTP 410' }]);
  });

  it('that hangs does not stop what others are told, however much waits for it', async () => {
    const hanging = await listen(scene.terminal, ['visit.opened'], '/hang');
    const good = await listen(admin, ['visit.opened']);
    const burst = Array.from({ length: 60 }, () => eventLike({}));
    await transact(app.db, (tx) => recordEvents(tx, burst));
    await receiver.waitAt('/hang', 1);
    await receiver.waitAt(good.path, 60);
    await record();
    await receiver.waitAt(good.path, 61);
    const waiting = await jobsOf(hanging.id);
    expect(waiting.filter((job) => job.is_done)).toEqual([]);
    expect(receiver.at('/hang').length).toBeLessThanOrEqual(4);
  });

  it('that does not answer in time is tried again', async () => {
    const { id } = await listen(scene.terminal, ['visit.opened'], '/hang');
    await app.db.execute(sql`update webhook_endpoint set event_types = '[]' where id = ${id}`);
    await record();
    const [event] = await rows<{ id: string }>(
      app.db,
      sql`select id from event order by id desc limit 1`,
    );
    const job = { payload: { eventId: event!.id, endpointId: id }, attempts: 2 };
    expect(await deliverWebhook(app.deps, job, 50)).toEqual({
      retryAfterSeconds: 300,
      because: 'TimeoutError',
    });
  });

  it('that fails for three days is given up, and that is on record', async () => {
    const { id, path } = await listen(scene.terminal, ['visit.opened']);
    receiver.answerWith(503);
    await record();
    await receiver.waitAt(path, 1);
    await app.db.execute(sql`
      update job set attempts = 9 where payload ->> 'endpointId' = ${id} and attempts = 1`);
    await hurry(id, 9);
    await receiver.waitAt(path, 2);
    await waitFor(async () => (await jobsOf(id))[0]?.is_done);
    expect(await jobsOf(id)).toEqual([
      { attempts: 10, is_done: true, last_error: 'given up after 10 tries: HTTP 503' },
    ]);
    const waits = Array.from({ length: 9 }, (_, i) => waitSeconds(i + 1) ?? 0);
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    const hours = waits.reduce((sum, wait) => sum + wait, 0) / 3600;
    expect(hours).toBeGreaterThan(72);
    expect(hours).toBeLessThan(80);
    expect(waitSeconds(10)).toBeNull();
  });
});
