// Holds above the policy's step-up: only as far as the payer has acted, and the payer's word for the rest.
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { holdConfirmation, policy } from '../../src/db/schema.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { parentAndChild } from '../family/support.ts';
import { sandboxAssertion } from '../identity/vendors.ts';
import {
  charge,
  type Enrolled,
  expectLaws,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, type TestReply, useApp } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';
import { idCard, readVisit, said } from './support.ts';

const app = useApp({ worker: false });
const MINUTE = 60;
let scene: Scene;
let version = 1;

/** A newer policy with another step-up; null: none. */
async function stepUpAbove(amount: string | null): Promise<void> {
  version += 1;
  const [first] = await rows<{ data: Record<string, unknown> }>(
    app.db,
    sql`select data from policy where kind = 'credit' and version = 1`,
  );
  const { stepUpAbove: _, ...data } = first?.data ?? {};
  const newer = amount === null ? data : { ...data, stepUpAbove: amount };
  const validFrom = new Date('2000-01-01T00:00:00Z');
  await app.db
    .insert(policy)
    .values({ kind: 'credit', name: 'default', version, validFrom, data: newer });
}

beforeAll(async () => {
  scene = await sceneOf(app);
});
beforeEach(async () => {
  await app.clock(0);
  await stepUpAbove('1000.00');
});

const needed = 'credit/confirmation-needed';
const putHold = (visitId: string, amount: string, allowPartial?: boolean): Promise<TestReply> =>
  app.call('PUT', `/v1/visits/${visitId}/hold`, {
    token: scene.terminal,
    body: { amount, ...(allowPartial ? { allowPartial } : {}) },
  });
const waiting = async (token: string): Promise<ReplyBody[]> =>
  (await app.call('GET', '/v1/me/confirmations', { token })).body.data;
const answer = (token: string, id: string, how: 'confirm' | 'decline') =>
  app.call('POST', `/v1/me/confirmations/${id}/${how}`, { token });
const show = (visitId: string, credential: object) =>
  app.call('POST', `/v1/visits/${visitId}/hold-confirmation`, {
    token: scene.terminal,
    body: { credential },
  });
const openWith = (person: TestPerson, credential: object, holdAmount: string, more = {}) =>
  openVisit(scene, person, { credential, holdAmount, ...more });
const codeOf = async ({ token }: Enrolled) => {
  const { body } = await app.call('POST', '/v1/me/payment-codes', { token });
  return { kind: 'paymentCode', code: body.code };
};
/** A visit on an ID card whose hold of 1,500.00 waits for its payer. */
async function asked(): Promise<{ payer: Enrolled; visit: ReplyBody; id: string }> {
  const payer = await newPatient(app);
  const visit = await openWith(payer.person, idCard(payer.person), '1500.00');
  return { payer, visit, id: visit.holdConfirmation.id };
}

describe('a hold above the step-up', () => {
  it('on a card is declined to the fen, and asks the payer', async () => {
    const { person, token } = await newPatient(app);
    const low = await openWith(person, idCard(person), '1000.00');
    expect(low).toMatchObject({ hold: { amount: '1000.00' }, holdDecline: null });
    const high = await openWith(person, idCard(person), '1000.01');
    expect(high).toMatchObject({
      hold: null,
      holdDecline: { code: needed },
      holdConfirmation: { amount: '1000.01', status: 'pending' },
    });
    expect(await waiting(token)).toEqual([
      expect.objectContaining({
        id: high.holdConfirmation.id,
        visitId: high.id,
        amount: '1000.01',
        status: 'pending',
        isOwnVisit: true,
        hospital: expect.objectContaining({ code: scene.hospitalCode }),
      }),
    ]);
  });

  it('goes as far as the step-up where a part was asked for, and always in an emergency', async () => {
    const { person } = await newPatient(app);
    const card = idCard(person);
    const part = await openWith(person, card, '1200.00', { allowPartialHold: true });
    expect(part).toMatchObject({ hold: { amount: '1000.00' }, holdDecline: { code: needed } });
    const other = await newPatient(app);
    const emergency = await openWith(other.person, idCard(other.person), '1200.00', {
      kind: 'emergency',
    });
    expect(emergency).toMatchObject({ hold: { amount: '1000.00' }, holdDecline: { code: needed } });
  });

  it.each(['face', 'nfc'] as const)('on a %s assertion is placed', async (kind) => {
    const { person } = await newPatient(app);
    const credential = await sandboxAssertion(app, person, { kind });
    const visit = await openWith(person, credential, '1500.00');
    expect(visit).toMatchObject({ hold: { amount: '1500.00' }, holdDecline: null });
    expect(visit.holdConfirmation).toBeUndefined();
  });

  it('on a payment code is placed, also through an identification and later by PUT', async () => {
    const payer = await newPatient(app);
    const made = await app.call('POST', '/v1/identifications', {
      token: scene.terminal,
      body: { credential: await codeOf(payer) },
      key: null,
    });
    const through = { kind: 'identification', id: made.body.id };
    const visit = await openWith(payer.person, through, '1500.00');
    expect(visit.hold.amount).toBe('1500.00');
    expect((await putHold(visit.id, '2000.00')).body.amount).toBe('2000.00');
  });

  it('on an identification made from a card is declined as the card is', async () => {
    const { person } = await newPatient(app);
    const made = await app.call('POST', '/v1/identifications', {
      token: scene.terminal,
      body: { credential: idCard(person) },
      key: null,
    });
    const visit = await openWith(person, { kind: 'identification', id: made.body.id }, '1500.00');
    expect(visit.holdDecline.code).toBe(needed);
  });

  it('that nothing could come of says why, and asks nobody', async () => {
    const poor = await newPatient(app, { score: 500 });
    const visit = await openWith(poor.person, idCard(poor.person), '1500.00');
    expect(visit.holdDecline.code).toBe('credit/limit-exceeded');
    expect(said(await putHold(visit.id, '1500.00'))).toEqual([402, 'credit/limit-exceeded']);
    const none = await newPatient(app, { isEnrolled: false });
    const unable = await openWith(none.person, idCard(none.person), '1500.00');
    expect(unable.holdDecline.code).toBe('credit/not-enrolled');
    expect(await waiting(poor.token)).toEqual([]);
  });

  it('is asked for as much as the line could carry', async () => {
    const { person, token } = await newPatient(app);
    await openWith(person, idCard(person), '5000.00', { allowPartialHold: true });
    expect((await waiting(token))[0]?.amount).toBe('3000.00');
  });

  it('needs nothing where the policy says nothing', async () => {
    await stepUpAbove(null);
    const { person } = await newPatient(app);
    const visit = await openWith(person, idCard(person), '3000.00');
    expect(visit).toMatchObject({ hold: { amount: '3000.00' }, holdDecline: null });
  });

  it('always needs it where the policy says 0.00, also for the default hold', async () => {
    await stepUpAbove('0.00');
    const { person } = await newPatient(app);
    const visit = await openVisit(scene, person);
    expect(visit).toMatchObject({
      hold: null,
      holdDecline: { code: needed },
      holdConfirmation: { amount: '300.00' },
    });
  });

  it('by PUT is 402 with the question left behind, the hold as it was', async () => {
    const { person, token } = await newPatient(app);
    const visit = await openWith(person, idCard(person), '400.00');
    const reply = await putHold(visit.id, '1500.00');
    expect(said(reply)).toEqual([402, needed]);
    expect(reply.body.confirmationId).toBe((await waiting(token))[0]?.id);
    const now = await readVisit(scene, visit.id);
    expect(now).toMatchObject({ hold: { amount: '400.00' }, holdDecline: { code: needed } });
    expect((await lineOf(app, token)).held).toBe('400.00');
  });

  it('by PUT goes up to the step-up where a part will do, and never down', async () => {
    const payer = await newPatient(app);
    const visit = await openWith(payer.person, idCard(payer.person), '400.00');
    expect((await putHold(visit.id, '1500.00', true)).body.amount).toBe('1000.00');
    const code = await openWith(payer.person, await codeOf(payer), '1500.00');
    await app.db.execute(sql`update visit set credential_kind = 'idCard' where id = ${code.id}`);
    expect((await putHold(code.id, '1500.00')).body.amount).toBe('1500.00');
    expect(said(await putHold(code.id, '1500.01'))).toEqual([402, needed]);
  });

  it('is not promised by an identification that shows a card', async () => {
    const payer = await newPatient(app);
    const usable = async (credential: object, amount?: string) => {
      const made = await app.call('POST', '/v1/identifications', {
        token: scene.terminal,
        body: { credential, ...(amount ? { amount } : {}) },
        key: null,
      });
      return made.body.credit.payers[0].usable;
    };
    const card = idCard(payer.person);
    expect(await usable(card, '1000.00')).toBe('1000.00');
    expect(await usable(card, '1000.01')).toBe('1000.00');
    expect(await usable(await codeOf(payer), '1500.00')).toBe('1500.00');
    await stepUpAbove('100.00');
    expect(await usable(card)).toBe('100.00');
  });
});

describe('the payer in the app', () => {
  it('raises the hold to what was asked, once', async () => {
    const { payer, visit, id } = await asked();
    const confirmed = await answer(payer.token, id, 'confirm');
    expect(confirmed.body, confirmed.text).toMatchObject({
      id,
      status: 'confirmed',
      confirmedBy: 'app',
    });
    const now = await readVisit(scene, visit.id);
    expect(now).toMatchObject({ hold: { amount: '1500.00', status: 'placed' }, holdDecline: null });
    expect(await waiting(payer.token)).toEqual([]);
    for (const how of ['confirm', 'decline'] as const) {
      expect(said(await answer(payer.token, id, how))).toEqual([409, 'hold/confirmation-closed']);
    }
    await expectLaws(app);
  });

  it('has confirmed that total for that visit, and no more', async () => {
    const { payer, visit, id } = await asked();
    await answer(payer.token, id, 'confirm');
    expect((await putHold(visit.id, '200.00')).body.amount).toBe('200.00');
    expect((await putHold(visit.id, '1500.00')).body.amount).toBe('1500.00');
    expect(said(await putHold(visit.id, '1500.01'))).toEqual([402, needed]);
    const other = await openWith(payer.person, idCard(payer.person), '1500.00');
    expect(other.holdDecline.code).toBe(needed);
  });

  it('has confirmed one debt: after an interim settlement took it, the next is asked for anew', async () => {
    const payer = await newPatient(app);
    const visit = await openWith(payer.person, idCard(payer.person), '1500.00', {
      kind: 'inpatient',
    });
    await answer(payer.token, visit.holdConfirmation.id, 'confirm');
    await charge(scene, visit.id, [item(1, '1500.00')]);
    const interim = await settle(scene, visit.id, { interim: true, insurance: 'skip' });
    expect(interim.body.tenders, interim.text).toMatchObject([
      { kind: 'credit', amount: '1500.00' },
    ]);
    await charge(scene, visit.id, [item(2, '10.00')]);
    expect(said(await putHold(visit.id, '1500.00'))).toEqual([402, needed]);
    const [again] = await waiting(payer.token);
    expect((await answer(payer.token, again?.id, 'confirm')).status).toBe(200);
    expect((await readVisit(scene, visit.id)).hold.amount).toBe('1500.00');
    await expectLaws(app);
  });

  it('says no, and it stays as it is', async () => {
    const { payer, visit, id } = await asked();
    expect((await answer(payer.token, id, 'decline')).body.status).toBe('declined');
    expect(said(await answer(payer.token, id, 'confirm'))).toEqual([
      409,
      'hold/confirmation-closed',
    ]);
    const now = await readVisit(scene, visit.id);
    expect(now).toMatchObject({ hold: null, holdConfirmation: { status: 'declined' } });
  });

  it('has ten minutes, to the second, whether or not the worker has come by', async () => {
    const { payer, visit, id } = await asked();
    const late = await asked();
    await app.clock(10 * MINUTE - 30);
    expect(await waiting(payer.token)).toHaveLength(1);
    expect((await answer(payer.token, id, 'confirm')).status).toBe(200);
    await app.clock(10 * MINUTE + 1);
    expect(await waiting(late.payer.token)).toEqual([]);
    expect(said(await answer(late.payer.token, late.id, 'confirm'))).toEqual([
      409,
      'hold/confirmation-closed',
    ]);
    expect((await readVisit(scene, late.visit.id)).holdConfirmation.status).toBe('expired');
    await runWorkerOnce(app.deps);
    const found = await app.db.select().from(holdConfirmation);
    expect(found.find((row) => row.id === late.id)).toMatchObject({ status: 'expired' });
    expect((await readVisit(scene, visit.id)).hold.amount).toBe('1500.00');
  });

  it('is refused what the line no longer carries, and may try again', async () => {
    const { payer, id } = await asked();
    const visit = await openWith(payer.person, await codeOf(payer), '2000.00');
    expect(said(await answer(payer.token, id, 'confirm'))).toEqual([402, 'credit/limit-exceeded']);
    await app.call('DELETE', `/v1/visits/${visit.id}/hold`, { token: scene.terminal });
    expect((await answer(payer.token, id, 'confirm')).status).toBe(200);
  });

  it('sees nobody else’s', async () => {
    const { id } = await asked();
    const stranger = await newPatient(app);
    expect(await waiting(stranger.token)).toEqual([]);
    for (const how of ['confirm', 'decline'] as const) {
      expect(said(await answer(stranger.token, id, how))).toEqual([404, 'resource/not-found']);
    }
  });

  it('confirms the amount that was shown, not one that came after it', async () => {
    const { payer, visit, id } = await asked();
    expect(said(await putHold(visit.id, '1500.00'))).toEqual([402, needed]);
    expect((await waiting(payer.token)).map((one) => one.id)).toEqual([id]);
    expect(said(await putHold(visit.id, '2500.00'))).toEqual([402, needed]);
    expect(said(await answer(payer.token, id, 'confirm'))).toEqual([
      409,
      'hold/confirmation-closed',
    ]);
    const [newer] = await waiting(payer.token);
    expect(newer).toMatchObject({ amount: '2500.00' });
    await answer(payer.token, newer?.id, 'confirm');
    expect((await readVisit(scene, visit.id)).hold.amount).toBe('2500.00');
  });

  it('is not asked any more once the terminal wants less, or nothing, or the visit is over', async () => {
    const less = await asked();
    expect((await putHold(less.visit.id, '900.00')).status).toBe(200);
    const nothing = await asked();
    await putHold(nothing.visit.id, '1500.00', true);
    await app.call('DELETE', `/v1/visits/${nothing.visit.id}/hold`, { token: scene.terminal });
    const unheld = await asked();
    const unhold = `/v1/visits/${unheld.visit.id}/hold`;
    const dropped = await app.call('DELETE', unhold, { token: scene.terminal });
    expect(said(dropped)).toEqual([409, 'hold/none']);
    const cancelled = await asked();
    await app.call('DELETE', `/v1/visits/${cancelled.visit.id}`, { token: scene.terminal });
    for (const { payer, id } of [less, nothing, unheld, cancelled]) {
      expect(await waiting(payer.token)).toEqual([]);
      expect(said(await answer(payer.token, id, 'confirm'))[1]).toBe('hold/confirmation-closed');
    }
    const settled = await asked();
    await charge(scene, settled.visit.id, [item(1, '10.00')]);
    await settle(scene, settled.visit.id);
    expect((await answer(settled.payer.token, settled.id, 'confirm')).status).toBe(409);
    await expectLaws(app);
  });

  it('of twenty racing answers gives one', async () => {
    const { payer, visit, id } = await asked();
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, i) => answer(payer.token, id, i % 2 ? 'confirm' : 'decline')),
    );
    const good = replies.filter((reply) => reply.status === 200);
    expect(good).toHaveLength(1);
    const isConfirmed = good[0]?.body.status === 'confirmed';
    const held = (await lineOf(app, payer.token)).held;
    expect([held, (await readVisit(scene, visit.id)).hold?.amount ?? null]).toEqual(
      isConfirmed ? ['1500.00', '1500.00'] : ['0.00', null],
    );
    await expectLaws(app);
  });
});

describe('a bill above the step-up', () => {
  const tendersAfter = async (visit: ReplyBody): Promise<ReplyBody> => {
    await charge(scene, visit.id, [item(1, '2900.00')]);
    const path = `/v1/visits/${visit.id}/settlement/preview`;
    const asked = { insurance: 'skip' };
    const preview = await app.call('POST', path, { token: scene.terminal, body: asked });
    const paid = await settle(scene, visit.id, asked);
    expect(paid.status, paid.text).toBe(200);
    expect(preview.body.tenders, preview.text).toMatchObject(
      paid.body.tenders.map(({ kind, amount }: ReplyBody) => ({ kind, amount })),
    );
    await expectLaws(app);
    return paid.body;
  };

  it('takes no more of a card’s line than the step-up, also when the payer said no', async () => {
    const { payer, visit, id } = await asked();
    await answer(payer.token, id, 'decline');
    expect(await tendersAfter(visit)).toMatchObject({
      status: 'awaitingPayment',
      dueAtCounter: '1900.00',
      tenders: [{ kind: 'credit', amount: '1000.00' }],
    });
  });

  it('takes what the payer confirmed, or all of it on the payer’s own act', async () => {
    const { payer, visit, id } = await asked();
    await answer(payer.token, id, 'confirm');
    expect(await tendersAfter(visit)).toMatchObject({ dueAtCounter: '1400.00' });
    const other = await newPatient(app);
    const own = await openWith(other.person, await codeOf(other), '300.00');
    expect(await tendersAfter(own)).toMatchObject({ dueAtCounter: '0.00' });
  });

  it('that the payer settles on the phone is taken whole', async () => {
    const { person, token } = await newPatient(app);
    const visit = await openWith(person, idCard(person), '300.00');
    await charge(scene, visit.id, [item(1, '2900.00')]);
    const path = `/v1/me/bills/${visit.id}/settlement`;
    const paid = await app.call('POST', path, { token, body: { insurance: 'skip' } });
    expect(paid.body, paid.text).toMatchObject({ dueAtCounter: '0.00' });
  });
});

describe('the payer’s second credential at the counter', () => {
  it('raises the hold and is used up', async () => {
    const { payer, visit } = await asked();
    const code = await codeOf(payer);
    const shown = await show(visit.id, code);
    expect(shown.body, shown.text).toMatchObject({
      hold: { amount: '1500.00' },
      holdDecline: null,
    });
    const replay = await app.call('POST', '/v1/visits', {
      token: scene.terminal,
      body: { visitNumber: crypto.randomUUID(), kind: 'outpatient', credential: code },
    });
    expect(said(replay)).toEqual([422, 'identity/already-used']);
  });

  it('must be more than a card, and the payer’s', async () => {
    const { payer, visit } = await asked();
    expect(said(await show(visit.id, idCard(payer.person)))).toEqual([
      422,
      'identity/stronger-needed',
    ]);
    const stranger = await newPatient(app);
    const theirs = await sandboxAssertion(app, stranger.person);
    expect(said(await show(visit.id, theirs))).toEqual([422, 'identity/unknown']);
    // Refused, so not used up.
    expect((await openWith(stranger.person, theirs, '100.00')).hold.amount).toBe('100.00');
    expect((await show(visit.id, await sandboxAssertion(app, payer.person))).status).toBe(200);
  });

  it('is refused where nothing was asked, and at another hospital', async () => {
    const { payer, visit } = await asked();
    const shown = await sandboxAssertion(app, payer.person);
    const elsewhere = await app.token('terminal', { hospitalCode: 'H35020000002' });
    const theirs = await app.call('POST', `/v1/visits/${visit.id}/hold-confirmation`, {
      token: elsewhere,
      body: { credential: shown },
    });
    expect(said(theirs)).toEqual([404, 'resource/not-found']);
    const plain = await openWith(payer.person, idCard(payer.person), '100.00');
    expect(said(await show(plain.id, shown))).toEqual([409, 'hold/confirmation-closed']);
    expect((await show(visit.id, shown)).status).toBe(200);
  });

  it('leaves a line in the payer’s access log', async () => {
    const { payer, visit } = await asked();
    await show(visit.id, await codeOf(payer));
    const log = await app.call('GET', '/v1/me/access-log', { token: payer.token });
    const actions = log.body.data.map((line: { action: string }) => line.action);
    expect(actions).toContain('hold.confirm');
  });
});

describe('a hold on a relative’s line', () => {
  const caps = { visitCap: '3000.00', monthlyCap: '3000.00' };

  it('is not the patient’s to confirm, with whatever they show', async () => {
    const { parent, child, link } = await parentAndChild(app, { caps });
    const visit = await openWith(
      child.person,
      await sandboxAssertion(app, child.person),
      '1500.00',
      {
        payer: link.id,
      },
    );
    expect(visit.holdDecline.code).toBe(needed);
    const [one] = await waiting(parent.token);
    expect(one).toMatchObject({ isOwnVisit: false, amount: '1500.00' });
    expect(one?.patient.name).toMatch(/\*/);
    expect(said(await show(visit.id, await sandboxAssertion(app, child.person)))).toEqual([
      422,
      'identity/unknown',
    ]);
    expect((await answer(parent.token, one?.id, 'confirm')).status).toBe(200);
    expect((await readVisit(scene, visit.id)).hold.amount).toBe('1500.00');
    await expectLaws(app);
  });

  it('is placed at once when the relative stands there as the proxy and shows a face', async () => {
    const { parent, child, link } = await parentAndChild(app, { caps });
    const proxy = await sandboxAssertion(app, parent.person);
    const visit = await openWith(child.person, idCard(child.person), '1500.00', {
      payer: link.id,
      proxy,
    });
    expect(visit).toMatchObject({ hold: { amount: '1500.00' }, holdDecline: null });
  });

  it('waits for the relative who stands there as the proxy and shows only a card', async () => {
    const { parent, child, link } = await parentAndChild(app, { caps });
    const visit = await openWith(child.person, idCard(child.person), '1500.00', {
      payer: link.id,
      proxy: idCard(parent.person),
    });
    expect(visit.holdDecline.code).toBe('credit/confirmation-needed');
    expect(await waiting(parent.token)).toHaveLength(1);
  });

  it('confirmed obeys the caps of the link all the same', async () => {
    const { parent, child, link } = await parentAndChild(app, {
      caps: { visitCap: '3000.00', monthlyCap: '2000.00' },
    });
    const first = await openWith(child.person, idCard(child.person), '1500.00', { payer: link.id });
    const second = await openWith(child.person, idCard(child.person), '900.00', { payer: link.id });
    expect(second.hold.amount).toBe('900.00');
    const confirmed = await answer(parent.token, first.holdConfirmation.id, 'confirm');
    expect(said(confirmed)).toEqual([402, 'family/cap-exceeded']);
    await expectLaws(app);
  });
});
