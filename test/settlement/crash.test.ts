// A crash between the transactions of a settlement: one settlement, one live claim, one capture.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { readBill } from '../../src/settlement/bill.ts';
import { claimBill } from '../../src/settlement/claim-bill.ts';
import { beginIntent } from '../../src/settlement/intent-store.ts';
import { resumeIntents } from '../../src/settlement/resume-intents.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  chargedVisit,
  expectLaws,
  lineOf,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const expire = () =>
  app.db.execute(
    sql`update intent set lease_until = now() - interval '1 second' where status = 'running'`,
  );
const expireKeys = () =>
  app.db.execute(
    sql`update idempotency_key set lease_until = now() - interval '1 second' where status is null`,
  );
const ageIntents = () =>
  app.db.execute(
    sql`update intent set created_at = now() - interval '3 minutes' where status = 'running'`,
  );

/** Freezes the process after A: the insurer is never reached while `gate` is closed. */
async function crashAt(
  infno: '2201' | '2207',
): Promise<{ visit: Awaited<ReturnType<typeof chargedVisit>>; key: string; token: string }> {
  const { person, token } = await newPatient(app);
  const visit = await chargedVisit(scene, person);
  const key = crypto.randomUUID();
  const { insurer } = app.deps;
  const original = insurer.send.bind(insurer);
  const dying = new Promise<never>(() => {});
  let isReached = false;
  insurer.send = (message, deadlineMs) => {
    if (infno === '2207' && message.infno === '2207') {
      // The process dies after the insurer executed and before we heard of it.
      return original(message, deadlineMs).then(() => dying);
    }
    if (message.infno === infno) {
      isReached = true;
      return dying;
    }
    return original(message, deadlineMs);
  };
  const dead = settle(scene, visit.id, {}, key).catch(() => null);
  await waitFor(async () => {
    const [intent] = await rows<{ id: string }>(
      app.db,
      sql`select id from intent where visit_id = ${visit.id} and status = 'running'`,
    );
    if (!intent) return false;
    if (infno === '2201') return isReached;
    return (await app.claims({ visitNumber: visit.visitNumber })).length === 1;
  });
  insurer.send = original;
  void dead;
  return { visit, key, token };
}

describe('a crash while settling', () => {
  it('before any money trade is undone after two minutes and the key is free again', async () => {
    const { visit, key, token } = await crashAt('2201');
    const busy = await settle(scene, visit.id);
    expect(busy.body.code).toBe('visit/settling');
    const inFlight = await settle(scene, visit.id, {}, key);
    expect(inFlight.body.code).toBe('idempotency/in-flight');
    await expire();
    await resumeIntents(app.deps);
    const young = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(young.body.status).toBe('settling');
    await ageIntents();
    await resumeIntents(app.deps);
    const open = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(open.body).toMatchObject({ status: 'open', hold: { status: 'placed' } });
    expect((await lineOf(app, token)).outstanding).toBe('0.00');
    const again = await settle(scene, visit.id, {}, key);
    expect(again.body.insurance.status, again.text).toBe('claimed');
    await expectLaws(app);
  });

  it('before any money trade is gone on with by the same key once its lease is over', async () => {
    const { visit, key } = await crashAt('2201');
    await expire();
    await expireKeys();
    const again = await settle(scene, visit.id, {}, key);
    expect(again.status, again.text).toBe(200);
    expect(again.body.insurance.status).toBe('claimed');
    const replay = await settle(scene, visit.id, {}, key);
    expect(replay.text).toBe(again.text);
    await expectLaws(app);
  });

  it('after 2207 goes forward to one self-paid settlement that awaits the truth', async () => {
    const { visit, key, token } = await crashAt('2207');
    await expire();
    await resumeIntents(app.deps);
    const after = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(after.body.status).toBe('settled');
    expect(after.body.settlementIds).toHaveLength(1);
    const replay = await settle(scene, visit.id, {}, key);
    expect(replay.status, replay.text).toBe(200);
    expect(replay.body.insurance.status).toBe('awaitingInsurance');
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    expect((await lineOf(app, token)).outstanding).toBe('300.00');
    await expectLaws(app);
  });

  it('is taken over by one of several processes at once', async () => {
    const { visit } = await crashAt('2207');
    await expire();
    await Promise.all(Array.from({ length: 6 }, () => resumeIntents(app.deps)));
    const after = await app.call('GET', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(after.body.settlementIds).toHaveLength(1);
    await expectLaws(app);
  });
});

describe('a run that lost its lease', () => {
  it('sends no money trade any more', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const settlementId = 'set_00000000000000000000000000';
    await app.db.execute(
      sql`update charge_batch set settlement_id = ${settlementId} where visit_id = ${visit.id}`,
    );
    const intent = await transact(app.db, (tx) =>
      beginIntent(tx, app.deps.keyring, {
        kind: 'settle',
        visitId: visit.id,
        settlementId,
        key: null,
        order: {},
      }),
    );
    const bill = await readBill(app.deps, visit.id, settlementId);
    await app.db.execute(
      sql`update intent set lease_token = 'somebody else' where id = ${intent.id}`,
    );
    const order = {
      held: intent,
      bill,
      isPreview: false,
      isFresh: false,
      isResumed: false,
      isNewVisit: false,
    };
    await expect(
      claimBill(app.deps, { ...order, deadlineAt: Date.now() + 4000 }),
    ).rejects.toMatchObject({
      code: 'idempotency/in-flight',
    });
    expect(await app.claims({ visitNumber: visit.visitNumber })).toEqual([]);
  });
});
