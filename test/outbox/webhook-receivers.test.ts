// Law: a delivery is tried until the receiver takes it, is gone, or three days have passed; a receiver
// that fails or hangs hurts nobody else.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { recordEvents } from '../../src/outbox/events.ts';
import { deliverWebhook, waitSeconds } from '../../src/outbox/webhook-delivery.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { verified } from './receiver.ts';
import { eventLike, HOSPITAL, useReceiver } from './support.ts';

const app = useApp();
const { receiver, listen, record, deliveriesTo, hurry, whenEnded } = useReceiver(app);
let terminal: string;
let admin: string;

beforeAll(async () => {
  terminal = await app.token('terminal', { hospitalCode: HOSPITAL });
  admin = await app.token('admin');
});

describe('a receiver', () => {
  it('that fails gets the same message again, signed anew, until it takes it', async () => {
    const { id, secret, path } = await listen(terminal, ['visit.opened']);
    receiver().answerWith(500);
    await record();
    await receiver().waitAt(path, 1);
    await hurry(id, 1);
    await receiver().waitAt(path, 2);
    receiver().answerWith(204);
    await hurry(id, 2);
    const got = await receiver().waitAt(path, 3);
    expect(new Set(got.map((each) => each.headers['webhook-id'])).size).toBe(1);
    expect(new Set(got.map((each) => each.text)).size).toBe(1);
    for (const each of got) expect(verified(secret, each)).toMatchObject({ type: 'visit.opened' });
    await whenEnded(id);
    expect(await deliveriesTo(id)).toEqual([{ attempts: 3, is_done: true, last_error: null }]);
  });

  it('that redirects is not followed and counts as failing', async () => {
    const { id, path } = await listen(terminal, ['visit.opened']);
    receiver().answerWith((response) =>
      response.writeHead(307, { location: `${receiver().url}/elsewhere` }).end(),
    );
    await record();
    await receiver().waitAt(path, 1);
    await waitFor(async () => (await deliveriesTo(id))[0]?.last_error === 'HTTP 307');
    expect(receiver().at('/elsewhere')).toEqual([]);
  });

  it('that answers 410 is disabled, and shown so', async () => {
    const { id, path } = await listen(terminal, ['visit.opened']);
    receiver().answerWith(410);
    await record();
    await receiver().waitAt(path, 1);
    await whenEnded(id);
    const listed = await app.call('GET', '/v1/webhook-endpoints', { token: terminal });
    expect(listed.body.data).toMatchObject([{ id, status: 'disabled' }]);
    await record();
    expect(await deliveriesTo(id)).toEqual([
      { attempts: 1, is_done: true, last_error: 'HTTP 410' },
    ]);
  });

  it('that hangs does not stop what others are told, however much waits for it', async () => {
    const hanging = await listen(terminal, ['visit.opened'], '/one/hang');
    const good = await listen(admin, ['visit.opened']);
    const burst = Array.from({ length: 60 }, () => eventLike({}));
    await transact(app.db, (tx) => recordEvents(tx, burst));
    await receiver().waitAt(hanging.path, 1);
    await receiver().waitAt(good.path, 60);
    await record();
    await receiver().waitAt(good.path, 61);
    const waiting = await deliveriesTo(hanging.id);
    expect(waiting.filter((job) => job.is_done)).toEqual([]);
    expect(receiver().at(hanging.path).length).toBeLessThanOrEqual(4);
  });

  it('that does not answer in time is tried again', async () => {
    const { id } = await listen(terminal, ['visit.opened'], '/two/hang');
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
    const { id, path } = await listen(terminal, ['visit.opened']);
    receiver().answerWith(503);
    await record();
    await receiver().waitAt(path, 1);
    await app.db.execute(sql`
      update job set attempts = 9 where payload ->> 'endpointId' = ${id} and attempts = 1`);
    await hurry(id, 9);
    await receiver().waitAt(path, 2);
    await whenEnded(id);
    expect(await deliveriesTo(id)).toEqual([
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
