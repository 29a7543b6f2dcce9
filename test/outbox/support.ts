// What the tests of webhooks share: an app, a receiver, and endpoints on paths of their own.
import { sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { type NewEvent, recordEvent } from '../../src/outbox/events.ts';
import type { TestApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { type Receiver, startReceiver } from './receiver.ts';

export const HOSPITAL = 'H35020000001';

/** An event of the first hospital that nobody's visit stands behind. */
export function eventLike(fact: Partial<NewEvent> = {}): NewEvent {
  return {
    type: 'visit.opened',
    hospitalCode: HOSPITAL,
    data: { visitId: 'vis_x' },
    occurredAt: new Date('2026-03-01T00:00:00Z'),
    ...fact,
  };
}

interface Endpoint {
  id: string;
  secret: string;
  path: string;
}

interface Delivery {
  attempts: number;
  is_done: boolean;
  last_error: string | null;
}

/** Call it at the top of a file, after `useApp()`. All endpoints are gone after each test. */
export function useReceiver(app: TestApp) {
  let running: Receiver | null = null;
  let paths = 0;
  beforeAll(async () => {
    running = await startReceiver();
  });
  afterAll(() => running?.close());
  afterEach(async () => {
    running?.answerWith(204);
    await app.db.execute(sql`delete from webhook_endpoint`);
  });
  const receiver = () => {
    if (!running) throw new Error('the receiver is there from the first test on');
    return running;
  };

  const deliveriesTo = (endpointId: string) =>
    rows<Delivery>(
      app.db,
      sql`
      select attempts, done_at is not null as is_done, last_error from job
      where kind = 'deliverWebhook' and payload ->> 'endpointId' = ${endpointId} order by id`,
    );

  return {
    receiver,
    deliveriesTo,
    /** Registers an endpoint; by default on a path that no other has. */
    async listen(token: string, eventTypes: readonly string[], asked?: string): Promise<Endpoint> {
      paths += 1;
      const path = asked ?? `/${paths}`;
      const body = { url: receiver().url + path, eventTypes };
      const reply = await app.call('POST', '/v1/webhook-endpoints', { token, body });
      expect(reply.status, reply.text).toBe(201);
      return { ...reply.body, path };
    },
    record: (fact: Partial<NewEvent> = {}) =>
      transact(app.db, (tx) => recordEvent(tx, eventLike(fact))),
    /** Waits until try number `attempts` failed, then lets the next one come now. */
    async hurry(endpointId: string, attempts: number): Promise<void> {
      await waitFor(async () => {
        const [job] = await deliveriesTo(endpointId);
        return job?.attempts === attempts && job.last_error !== null;
      });
      await app.db.execute(sql`
        update job set next_attempt_at = clock_timestamp(), last_error = null
        where payload ->> 'endpointId' = ${endpointId}`);
    },
    whenEnded: (endpointId: string) =>
      waitFor(async () => (await deliveriesTo(endpointId)).every((job) => job.is_done)),
  };
}
