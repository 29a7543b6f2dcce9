// On the phone: open bills of one's own, and settling them as at the counter.
import { eq } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { settlement } from '../../src/db/schema.ts';
import {
  charge,
  chargedVisit,
  expectLaws,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { type ReplyBody, type TestReply, useApp } from '../support/app.ts';
import { everything, readVisit, said } from '../visit/support.ts';

const app = useApp();
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

const billsOf = async (token: string, query = ''): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/me/bills${query}`, { token })).body;

const settleByPhone = (
  token: string,
  visitId: string,
  body?: Record<string, unknown>,
  key: string | null = null,
): Promise<TestReply> =>
  app.call('POST', `/v1/me/bills/${visitId}/settlement`, {
    token,
    key,
    ...(body ? { body } : {}),
  });

const ids = ({ data }: ReplyBody): string[] =>
  data.map(({ visitId }: { visitId: string }) => visitId);

describe('open bills', () => {
  it('are the open visits with charges, line by line, newest first', async () => {
    const { person, token } = await newPatient(app);
    await openVisit(scene, person);
    const older = await chargedVisit(scene, person);
    const newer = await openVisit(scene, person, { kind: 'registration' });
    await charge(scene, newer.id, [item(1, '12.50')]);
    const bills = await billsOf(token);
    expect(ids(bills)).toEqual([newer.id, older.id]);
    expect(bills.data[0]).toMatchObject({
      visitNumber: newer.visitNumber,
      kind: 'registration',
      hospital: { code: scene.hospitalCode },
      patient: { relation: 'self' },
      payer: 'self',
      held: '50.00',
      total: '12.50',
      charges: [
        { lineNumber: 1, name: '项目1', quantity: '1', unitPrice: '12.5', amount: '12.50' },
      ],
    });
    expect(bills.data[1]).toMatchObject({ total: '300.00', held: '300.00' });
  });

  it('are read page by page, each once', async () => {
    const { person, token } = await newPatient(app);
    const made = [];
    for (let i = 0; i < 3; i += 1) made.unshift((await chargedVisit(scene, person)).id);
    const first = await billsOf(token, '?limit=2');
    const second = await billsOf(token, `?limit=2&cursor=${first.nextCursor}`);
    expect([...ids(first), ...ids(second)]).toEqual(made);
    expect(second.nextCursor).toBeNull();
    const bad = await app.call('GET', '/v1/me/bills?cursor=bm8', { token });
    expect(said(bad)).toEqual([400, 'request/invalid']);
  });

  it('are only what no settlement has closed, and nobody else’s', async () => {
    const { person, token } = await newPatient(app);
    const stranger = await newPatient(app);
    const visit = await openVisit(scene, person);
    const paid = await charge(scene, visit.id, [item(1, '10.00')]);
    await charge(scene, visit.id, [item(2, '20.00')]);
    await settle(scene, visit.id, { batches: [paid] });
    expect((await billsOf(token)).data).toMatchObject([{ visitId: visit.id, total: '20.00' }]);
    expect((await billsOf(stranger.token)).data).toEqual([]);
    await settle(scene, visit.id);
    const cancelled = await chargedVisit(scene, person);
    await app.call('DELETE', `/v1/visits/${cancelled.id}`, { token: scene.terminal });
    expect((await billsOf(token)).data).toEqual([]);
  });
});

describe('settling on the phone', () => {
  it('is the settlement of the counter: insurance, then credit, one claim, laws held', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person, { kind: 'registration' });
    const reply = await settleByPhone(token, visit.id);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body).toMatchObject({
      visitId: visit.id,
      status: 'settled',
      total: '300.00',
      dueAtCounter: '0.00',
      payer: 'self',
      insurance: { status: 'claimed' },
    });
    const kinds = reply.body.tenders.map(({ kind }: { kind: string }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['insuranceFund', 'credit']));
    expect(sumOf(reply.body.tenders)).toBe(30_000n);
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    expect((await readVisit(scene, visit.id)).status).toBe('settled');
    const [row] = await app.db.select().from(settlement).where(eq(settlement.id, reply.body.id));
    expect(row?.terminalId).toBeNull();
    const atCounter = await app.call('GET', `/v1/settlements/${reply.body.id}`, {
      token: scene.terminal,
    });
    expect(atCounter.body).toEqual(reply.body);
    expect(said(await settleByPhone(token, visit.id))).toEqual([409, 'visit/already-settled']);
    await expectLaws(app);
  });

  it('leaves what credit does not cover due at the counter, where it is collected', async () => {
    const { person, token } = await newPatient(app, { insurance: 'none', score: 400 });
    const visit = await openVisit(scene, person);
    await charge(scene, visit.id, [item(1, '620.00')]);
    const reply = await settleByPhone(token, visit.id, {});
    expect(reply.body).toMatchObject({
      status: 'awaitingPayment',
      dueAtCounter: '120.00',
      tenders: [{ kind: 'credit', amount: '500.00' }],
    });
    const cash = { kind: 'cash', amount: '120.00', reference: nextNumber('T') };
    const paid = await app.call('POST', `/v1/settlements/${reply.body.id}/payments`, {
      token: scene.terminal,
      body: cash,
    });
    expect(paid.body).toMatchObject({ status: 'settled', dueAtCounter: '0.00' });
    await expectLaws(app);
  });

  it('closes as self-pay while the insurer is offline, and waits when asked to', async () => {
    const { person, token } = await newPatient(app);
    const [one, two] = [await chargedVisit(scene, person), await chargedVisit(scene, person)];
    await app.fault({ mode: 'error500', on: ['2203'] });
    const selfPaid = await settleByPhone(token, one.id);
    const waiting = await settleByPhone(token, two.id, { whenInsuranceOffline: 'wait' });
    await app.fault({ mode: 'none' });
    expect(selfPaid.body.insurance.status).toBe('awaitingInsurance');
    expect(selfPaid.body.conversionId).toMatch(/^cnv_/);
    expect(said(waiting)).toEqual([503, 'insurance/offline']);
    expect(waiting.headers.get('retry-after')).toBeTruthy();
    expect((await readVisit(scene, two.id)).status).toBe('open');
  });

  it('refuses as at the counter: nothing charged, cancelled, unknown batch, insurer’s no', async () => {
    const { person, token } = await newPatient(app);
    const empty = await openVisit(scene, person);
    expect(said(await settleByPhone(token, empty.id))).toEqual([422, 'settlement/nothing-charged']);
    const visit = await chargedVisit(scene, person);
    const unknown = await settleByPhone(token, visit.id, { batches: ['nosuch'] });
    expect(said(unknown)).toEqual([422, 'settlement/batch-unknown']);
    await app.fault({ mode: 'reject', on: ['2206'], reason: '限制用药' });
    const rejected = await settleByPhone(token, visit.id);
    await app.fault({ mode: 'none' });
    expect(said(rejected)).toEqual([409, 'insurance/rejected']);
    expect(rejected.body.next).toMatch(/自费.*self-pay/s);
    await app.call('DELETE', `/v1/visits/${visit.id}`, { token: scene.terminal });
    expect(said(await settleByPhone(token, visit.id))).toEqual([409, 'visit/wrong-state']);
  });

  it('takes neither the hospital’s tenders nor its receipt numbers, and changes nothing', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const before = await everything(app);
    const cash = { kind: 'cash', amount: '10.00', reference: nextNumber('T') };
    const tender = await settleByPhone(token, visit.id, { counterTenders: [cash] });
    expect(said(tender)).toEqual([422, 'tender/not-by-phone']);
    const receipt = await settleByPhone(token, visit.id, { receiptNumber: 'R1' });
    expect(said(receipt)).toEqual([422, 'settlement/receipt-not-by-phone']);
    expect(await everything(app)).toEqual(before);
    const none = await settleByPhone(token, visit.id, { counterTenders: [] });
    expect(none.status, none.text).toBe(200);
  });

  it('answers a repeated key with the first reply, and never settles twice', async () => {
    const { person, token } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const key = crypto.randomUUID();
    const first = await settleByPhone(token, visit.id, {}, key);
    const again = await settleByPhone(token, visit.id, {}, key);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
  });

  it('finds nothing for strangers, whatever they send', async () => {
    const { person } = await newPatient(app);
    const stranger = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    const before = await everything(app);
    const cash = { kind: 'cash', amount: '10.00', reference: nextNumber('T') };
    for (const body of [undefined, {}, { batches: ['x'] }, { counterTenders: [cash] }]) {
      const reply = await settleByPhone(stranger.token, visit.id, body);
      expect(said(reply)).toEqual([404, 'resource/not-found']);
    }
    const nowhere = await settleByPhone(stranger.token, 'vis_01jd5z8m2cf0v9k3q7w4x6y8ab');
    expect(said(nowhere)).toEqual([404, 'resource/not-found']);
    const unnamed = await app.call('POST', '/v1/visits', {
      token: scene.terminal,
      body: { visitNumber: nextNumber('E'), kind: 'emergency' },
    });
    expect(said(await settleByPhone(stranger.token, unnamed.body.id))[0]).toBe(404);
    const wrongRole = await settleByPhone(scene.terminal, visit.id);
    expect(said(wrongRole)).toEqual([403, 'access/forbidden']);
    const without = await app.call('POST', `/v1/me/bills/${visit.id}/settlement`, { key: null });
    expect(said(without)).toEqual([401, 'access/token-missing']);
    const after = (await everything(app)) as { visits: { id: string }[] };
    after.visits = after.visits.filter(({ id }) => id !== unnamed.body.id);
    expect(after).toEqual(before);
  });
});

describe('phone and counter at once', () => {
  it('make one settlement; the other one is told 409', async () => {
    const { person, token } = await newPatient(app);
    for (let round = 0; round < 5; round += 1) {
      const visit = await openVisit(scene, person);
      await charge(scene, visit.id, [item(1, '30.00')]);
      const replies = await Promise.all([
        settleByPhone(token, visit.id, {}, crypto.randomUUID()),
        settle(scene, visit.id),
        settleByPhone(token, visit.id),
      ]);
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
      for (const lost of replies.filter(({ status }) => status !== 200)) {
        expect(lost.status).toBe(409);
        expect(['visit/settling', 'visit/already-settled']).toContain(lost.body.code);
      }
      expect((await readVisit(scene, visit.id)).settlementIds).toHaveLength(1);
      expect(await app.claims({ visitNumber: visit.visitNumber })).toHaveLength(1);
    }
    await expectLaws(app);
  });
});
