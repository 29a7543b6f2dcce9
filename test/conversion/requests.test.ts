// A terminal or the patient asks for a conversion, agrees to one, or gives it up.
import { and, eq } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dueConversions, takeConversion } from '../../src/conversion/convert-queue.ts';
import { policy } from '../../src/db/schema.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
  newPatient,
  nextNumber,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { ask, drain, giveUp, receivableOf, refused, selfPaid, settlementOf } from './support.ts';

const DAY = 86_400;
const app = useApp({ worker: false });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(async () => {
  await app.fault({ mode: 'none' });
  await app.clock(0);
});

const conversionsOf = (settlementId: string) =>
  app.db.query.conversion.findMany({
    where: (row, { eq: is }) => is(row.settlementId, settlementId),
  });

describe('asking for a conversion', () => {
  it.each(['forgottenCredential', 'lateFiling', 'coverRestored', 'retroactiveCover'])(
    'for the cause %s queues it, and nothing is dunned while it waits',
    async (cause) => {
      const { token, settlement } = await selfPaid(scene);
      const reply = await ask(app, settlement.id, token, { cause });
      expect(reply.status, reply.text).toBe(202);
      expect(reply.body).toMatchObject({
        settlementId: settlement.id,
        cause,
        status: 'queued',
        before: [{ kind: 'credit', amount: '300.00' }],
        proof: { totalBefore: '300.00', totalAfter: null, balanced: null },
      });
      const now = await settlementOf(scene, settlement.id);
      expect(now.insurance).toEqual({ status: 'awaitingInsurance' });
      expect(now.conversionId).toBe(reply.body.id);
      expect((await receivableOf(app, token)).status).toBe('waitingForInsurance');
      await expectLaws(app);
    },
  );

  it('is the same machine as after an outage: the insurer pays and the debt goes down', async () => {
    const { token, settlement, visit } = await selfPaid(scene);
    await ask(app, settlement.id, scene.terminal);
    await drain(app);
    const now = await settlementOf(scene, settlement.id);
    const [claim] = await app.claims({ visitNumber: visit.visitNumber });
    expect(now.insurance).toEqual({ status: 'converted', claimId: claim.setlId });
    const credit = now.tenders.find((t: { kind: string }) => t.kind === 'credit');
    expect(credit.amount).toBe(claim.psnCashPay);
    expect((await receivableOf(app, token)).outstanding).toBe(claim.psnCashPay);
    await expectLaws(app);
  });

  it('is there for who was not insured, and for who was refused before', async () => {
    const uninsured = await selfPaid(scene, { insurance: 'none' });
    const cause = { cause: 'coverRestored' };
    const restored = await ask(app, uninsured.settlement.id, uninsured.token, cause);
    expect(restored.status, restored.text).toBe(202);
    const no = await refused(scene, '目录编码未上传追溯码');
    const again = await ask(app, no.settlement.id, no.token);
    expect(again.status, again.text).toBe(202);
    expect(again.body.id).not.toBe(no.id);
    expect((await settlementOf(scene, no.settlement.id)).insurance.status).toBe(
      'awaitingInsurance',
    );
    await expectLaws(app);
  });

  it('names what is due at the counter among what was paid before', async () => {
    const patient = await newPatient(app, { isEnrolled: false });
    const visit = await chargedVisit(scene, patient.person);
    const counterTenders = [{ kind: 'cash', amount: '120.00', reference: nextNumber('C') }];
    const { body } = await settle(scene, visit.id, { insurance: 'skip', counterTenders });
    expect(body.dueAtCounter).toBe('180.00');
    const reply = await ask(app, body.id, patient.token);
    expect(reply.body.before).toEqual([
      { kind: 'cash', amount: '120.00', reference: counterTenders[0]?.reference },
      { kind: 'dueAtCounter', amount: '180.00' },
    ]);
    expect(reply.body.proof.totalBefore).toBe('300.00');
  });

  it('many times at once makes one', async () => {
    const { token, settlement } = await selfPaid(scene);
    const askers = Array.from({ length: 8 }, (_, i) => (i % 2 ? token : scene.terminal));
    const replies = await Promise.all(askers.map((asker) => ask(app, settlement.id, asker)));
    const made = replies.filter((reply) => reply.status === 202);
    expect(made).toHaveLength(1);
    for (const reply of replies.filter((each) => each.status !== 202)) {
      expect(reply.body).toMatchObject({
        status: 409,
        code: 'conversion/under-way',
        conversionId: made[0]?.body.id,
      });
    }
    expect(await conversionsOf(settlement.id)).toHaveLength(1);
    await expectLaws(app);
  });

  it('again with the same key is answered byte for byte, and a terminal must have one', async () => {
    const { settlement } = await selfPaid(scene);
    const key = crypto.randomUUID();
    const body = { cause: 'lateFiling' };
    const first = await ask(app, settlement.id, scene.terminal, body, key);
    const second = await ask(app, settlement.id, scene.terminal, body, key);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    const keyless = await ask(app, settlement.id, scene.terminal, body, null);
    expect([keyless.status, keyless.body.code]).toEqual([400, 'idempotency/key-missing']);
  });

  it('is refused where the insurer has paid, is being asked, or nothing is left', async () => {
    const patient = await newPatient(app);
    const visit = await chargedVisit(scene, patient.person);
    const claimed = await settle(scene, visit.id);
    const paid = await ask(app, claimed.body.id, patient.token);
    expect([paid.status, paid.body.code]).toEqual([409, 'conversion/not-possible']);
    const { token, settlement } = await selfPaid(scene);
    const refund = await app.call('POST', `/v1/settlements/${settlement.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退号' },
    });
    expect(refund.status, refund.text).toBe(201);
    const refunded = await ask(app, settlement.id, token);
    expect([refunded.status, refunded.body.code]).toEqual([409, 'conversion/not-possible']);
    const free = await chargedVisit(scene, patient.person);
    await charge(scene, free.id, [item(9, '0.00')], 'free');
    const nothing = await settle(scene, free.id, { batches: ['free'] });
    const unneeded = await ask(app, nothing.body.id, patient.token);
    expect([unneeded.status, unneeded.body.code]).toEqual([409, 'conversion/not-possible']);
    await expectLaws(app);
  });

  it('is nobody else’s business: 404 for another patient and another hospital', async () => {
    const { settlement } = await selfPaid(scene);
    const stranger = await newPatient(app, { isEnrolled: false });
    const elsewhere = await sceneOf(app, 'H35020000002');
    for (const token of [stranger.token, elsewhere.terminal]) {
      const reply = await ask(app, settlement.id, token);
      expect([reply.status, reply.body.code]).toEqual([404, 'resource/not-found']);
      expect((await giveUp(app, settlement.id, token)).status).toBe(404);
    }
    const unknownCause = await ask(app, settlement.id, scene.terminal, { cause: 'insurerOffline' });
    expect(unknownCause.status).toBe(400);
    expect(await conversionsOf(settlement.id)).toHaveLength(0);
  });

  it('by a citizen stops after three times, so that no debt is put off for ever', async () => {
    const { token, settlement } = await selfPaid(scene);
    for (let time = 1; time <= 3; time += 1) {
      expect((await ask(app, settlement.id, token)).status).toBe(202);
      expect((await giveUp(app, settlement.id, token)).status).toBe(200);
    }
    const fourth = await ask(app, settlement.id, token);
    expect([fourth.status, fourth.body.code]).toEqual([409, 'conversion/not-possible']);
    expect((await receivableOf(app, token)).status).toBe('open');
    await expectLaws(app);
  });
});

describe('a credential with the request', () => {
  it('of somebody else is refused and changes nothing', async () => {
    const { settlement } = await selfPaid(scene);
    const other = await newPatient(app, { isEnrolled: false });
    const { body: code } = await app.call('POST', '/v1/me/payment-codes', { token: other.token });
    const credential = { kind: 'paymentCode', code: code.code };
    const reply = await ask(app, settlement.id, scene.terminal, {
      cause: 'lateFiling',
      credential,
    });
    expect([reply.status, reply.body.code]).toEqual([422, 'identity/unknown']);
    expect((await settlementOf(scene, settlement.id)).insurance.status).toBe('skipped');
    const unused = await app.call('POST', '/v1/identifications', {
      token: scene.terminal,
      body: { credential },
    });
    expect(unused.status, unused.text).toBe(200);
  });

  it('that is good once is used up by the request', async () => {
    const { token, settlement } = await selfPaid(scene);
    const { body: code } = await app.call('POST', '/v1/me/payment-codes', { token });
    const credential = { kind: 'paymentCode', code: code.code };
    const body = { cause: 'forgottenCredential', credential };
    expect((await ask(app, settlement.id, scene.terminal, body)).status).toBe(202);
    const again = await app.call('POST', '/v1/identifications', {
      token: scene.terminal,
      body: { credential },
    });
    expect([again.status, again.body.code]).toEqual([422, 'identity/already-used']);
    const log = await app.call('GET', '/v1/me/access-log', { token });
    const actions = log.body.data.map((line: { action: string }) => line.action);
    expect(actions).toContain('conversion.request');
  });

  it('names the patient of an emergency that was unnamed, without whom nothing can be claimed', async () => {
    const opened = await app.call('POST', '/v1/visits', {
      token: scene.terminal,
      body: { visitNumber: nextNumber('E'), kind: 'emergency' },
    });
    await charge(scene, opened.body.id, [item(1, '80.00')]);
    const bill = (await settle(scene, opened.body.id)).body;
    const nameless = await ask(app, bill.id, scene.terminal);
    expect([nameless.status, nameless.body.code]).toEqual([409, 'conversion/not-possible']);
    const { person, token } = await newPatient(app, { isEnrolled: false });
    const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
    const named = await ask(app, bill.id, scene.terminal, { cause: 'lateFiling', credential });
    expect(named.status, named.text).toBe(202);
    const mine = await app.call('GET', `/v1/me/settlements/${bill.id}/conversion`, { token });
    expect(mine.body).toMatchObject({ id: named.body.id, status: 'queued' });
    await drain(app);
    expect((await settlementOf(scene, bill.id)).insurance.status).toBe('converted');
    await expectLaws(app);
  });
});

describe('"I claim by hand"', () => {
  it('cancels the conversion; the debt falls due anew from that day', async () => {
    const { token, settlement } = await selfPaid(scene);
    const before = await receivableOf(app, token);
    await ask(app, settlement.id, token);
    await app.clock(50 * DAY);
    expect((await receivableOf(app, token)).status).toBe('waitingForInsurance');
    const reply = await giveUp(app, settlement.id, token);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('手工'),
    });
    expect((await settlementOf(scene, settlement.id)).insurance.status).toBe('skipped');
    const after = await receivableOf(app, token);
    expect(after.status).toBe('open');
    const movedDays = (Date.parse(after.dueAt) - Date.parse(before.dueAt)) / (DAY * 1000);
    expect(movedDays).toBe(50);
    expect((await giveUp(app, settlement.id, token)).body.status).toBe('cancelled');
    await expectLaws(app);
  });

  it('tells the patient what a claim by hand needs, until when, with the fee list', async () => {
    const { token, settlement, visit } = await selfPaid(scene);
    await ask(app, settlement.id, token);
    await giveUp(app, settlement.id, scene.terminal);
    const path = `/v1/me/settlements/${settlement.id}/conversion`;
    const { body } = await app.call('GET', path, { token });
    const yearLater = new Date(Date.parse(visit.startedAt) + 365 * DAY * 1000 + 8 * 3_600_000);
    expect(body.handClaim.deadline).toBe(yearLater.toISOString().slice(0, 10));
    expect(body.handClaim.papers.length).toBeGreaterThan(3);
    for (const { zh, en } of body.handClaim.papers) expect(zh && en).toBeTruthy();
    expect(body.handClaim.fees).toMatchObject([
      { lineNumber: 1, amount: '100.00', refunded: '0.00' },
      { lineNumber: 2, amount: '200.00', refunded: '0.00' },
    ]);
    const stranger = await newPatient(app, { isEnrolled: false });
    expect((await app.call('GET', path, { token: stranger.token })).status).toBe(404);
  });

  it('said by the patient binds the counter, and only the patient takes it back', async () => {
    const { token, settlement } = await selfPaid(scene);
    await ask(app, settlement.id, scene.terminal);
    await giveUp(app, settlement.id, token);
    const counter = await ask(app, settlement.id, scene.terminal);
    expect([counter.status, counter.body.code]).toEqual([409, 'conversion/not-possible']);
    expect((await ask(app, settlement.id, token)).status).toBe(202);
    await giveUp(app, settlement.id, scene.terminal);
    expect((await ask(app, settlement.id, scene.terminal)).status).toBe(202);
    await expectLaws(app);
  });

  it('comes too late for one that is converted, and too early where none was asked for', async () => {
    const { token, settlement } = await selfPaid(scene);
    expect((await giveUp(app, settlement.id, token)).status).toBe(404);
    await ask(app, settlement.id, token);
    await drain(app);
    const late = await giveUp(app, settlement.id, token);
    expect([late.status, late.body.code]).toEqual([409, 'conversion/wrong-state']);
    expect((await settlementOf(scene, settlement.id)).insurance.status).toBe('converted');
  });

  it('and the worker race to one end: what was given up has no live claim', async () => {
    const bills = await Promise.all(Array.from({ length: 6 }, () => selfPaid(scene)));
    await Promise.all(bills.map(({ settlement, token }) => ask(app, settlement.id, token)));
    const [, ...given] = await Promise.all([
      drain(app),
      ...bills.map(({ settlement, token }) => giveUp(app, settlement.id, token)),
    ]);
    for (const [i, reply] of given.entries()) {
      const { settlement, visit } = bills[i]!;
      const { insurance } = await settlementOf(scene, settlement.id);
      expect(insurance.status).toBe(reply.status === 200 ? 'skipped' : 'converted');
      const claims = await app.claims({ visitNumber: visit.visitNumber });
      const live = claims.filter((claim) => claim.status === 'settled');
      expect(live).toHaveLength(reply.status === 200 ? 0 : 1);
    }
    await expectLaws(app);
  });

  it('waits while the insurer is being asked', async () => {
    const { token, settlement } = await selfPaid(scene);
    const asked = await ask(app, settlement.id, token);
    const due = await dueConversions(app.deps, 'local', 100);
    const taken = await takeConversion(app.deps, due.find(({ id }) => id === asked.body.id)!);
    expect(taken).not.toBeNull();
    const reply = await giveUp(app, settlement.id, token);
    expect([reply.status, reply.body.code]).toEqual([409, 'settlement/busy']);
    expect(reply.headers.get('retry-after')).not.toBeNull();
    await expectLaws(app);
  });

  it('waits until the truth of a claim of unknown fate is known', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'answerLost', on: ['2207'] });
    const { body } = await settle(scene, visit.id);
    expect(body.insurance.status).toBe('awaitingInsurance');
    const reply = await giveUp(app, body.id, token);
    expect([reply.status, reply.body.code]).toEqual([409, 'conversion/fate-unknown']);
    const again = await ask(app, body.id, token);
    expect([again.status, again.body.code]).toEqual([409, 'conversion/under-way']);
    expect((await settlementOf(scene, body.id)).insurance.status).toBe('awaitingInsurance');
    await expectLaws(app);
  });
});

describe('where the region asks the patient first', () => {
  const region = and(eq(policy.kind, 'region'), eq(policy.name, '350200'));
  beforeAll(async () => {
    await app.db.insert(policy).values({
      kind: 'region',
      name: '350200',
      version: 1,
      validFrom: new Date('2020-01-01T00:00:00Z'),
      data: {
        conversion: 'patientConfirms',
        lateClaimDays: 365,
        isSameCalendarYear: true,
        handClaimDays: 365,
      },
    });
    return () => app.db.delete(policy).where(region);
  });

  const confirm = (settlementId: string, token: string) =>
    app.call('POST', `/v1/settlements/${settlementId}/conversion/confirm`, { token });

  it('a conversion that the counter asked for waits until the patient agrees', async () => {
    const { token, settlement, visit } = await selfPaid(scene);
    const asked = await ask(app, settlement.id, scene.terminal);
    expect(asked.body.status).toBe('awaitingPatient');
    await drain(app);
    expect(await app.claims({ visitNumber: visit.visitNumber })).toEqual([]);
    const stranger = await newPatient(app, { isEnrolled: false });
    expect((await confirm(settlement.id, stranger.token)).status).toBe(404);
    expect((await confirm(settlement.id, scene.terminal)).status).toBe(403);
    const agreed = await confirm(settlement.id, token);
    expect([agreed.status, agreed.body.status]).toEqual([202, 'queued']);
    expect((await confirm(settlement.id, token)).body).toEqual(agreed.body);
    await drain(app);
    expect((await settlementOf(scene, settlement.id)).insurance.status).toBe('converted');
    const late = await confirm(settlement.id, token);
    expect([late.status, late.body.code]).toEqual([409, 'conversion/wrong-state']);
    await expectLaws(app);
  });

  it('one that the patient asked for needs no second word', async () => {
    const { token, settlement } = await selfPaid(scene);
    expect((await ask(app, settlement.id, token)).body.status).toBe('queued');
  });

  it('the patient may also give it up while it waits for them', async () => {
    const { token, settlement } = await selfPaid(scene);
    await ask(app, settlement.id, scene.terminal);
    expect((await giveUp(app, settlement.id, token)).body.status).toBe('cancelled');
    expect((await receivableOf(app, token)).status).toBe('open');
    await expectLaws(app);
  });
});
