// One scan: identify, open, charge and settle at once; a refusal names its step and leaves nothing.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { resumeIntents } from '../../src/settlement/resume-intents.ts';
import { runWorkerOnce } from '../../src/worker.ts';
import { type TestReply, useApp } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import { everything, idCard, insurerOf, readVisit, said } from '../visit/support.ts';
import {
  chargedVisit,
  expectLaws,
  fen,
  item,
  lineOf,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
  sumOf,
} from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

type Wish = Record<string, unknown>;
function bodyOf(person: TestPerson, more: Wish = {}): Wish & { visitNumber: string } {
  return {
    visitNumber: nextNumber('S'),
    kind: 'outpatient',
    credential: idCard(person),
    charges: [item(1, '12.34'), item(2, '0.333333', '3', '1.00')],
    ...more,
  };
}
const scan = (body: object, key: string = crypto.randomUUID()): Promise<TestReply> =>
  app.call('POST', '/v1/one-scan-payments', { token: scene.terminal, body, key });
const paymentCode = async (token: string) => ({
  kind: 'paymentCode',
  code: (await app.call('POST', '/v1/me/payment-codes', { token })).body.code as string,
});
const visitsOf = (visitNumber: string) =>
  rows<{ id: string; status: string }>(
    app.db,
    sql`select id, status from visit where visit_number = ${visitNumber} order by opened_at`,
  );

describe('one scan', () => {
  it('answers with the visit and its settlement, as they are read afterwards', async () => {
    const { person, token } = await newPatient(app);
    const body = bodyOf(person, {
      counterTenders: [{ kind: 'cash', amount: '0.50', reference: nextNumber('T') }],
    });
    const { status, text, body: paid } = await scan(body);
    expect(status, text).toBe(201);
    expect(paid.elapsedMs).toBeGreaterThanOrEqual(0);
    expect(paid.visit).toEqual(await readVisit(scene, paid.visit.id));
    expect(paid.visit).toMatchObject({
      visitNumber: body.visitNumber,
      status: 'settled',
      hold: { status: 'captured' },
      chargedTotal: '13.34',
      settlementIds: [paid.settlement.id],
    });
    const { terminal } = scene;
    const read = await app.call('GET', `/v1/settlements/${paid.settlement.id}`, {
      token: terminal,
    });
    expect(read.body).toEqual(paid.settlement);
    expect(sumOf(paid.settlement.tenders)).toBe(1_334n);
    const [claim] = await app.claims({ visitNumber: body.visitNumber });
    expect(claim).toMatchObject({ setlId: paid.settlement.insurance.claimId, status: 'settled' });
    const credit = paid.settlement.tenders.at(-1);
    expect(await lineOf(app, token)).toMatchObject({ held: '0.00', outstanding: credit.amount });
    expect(fen(credit.amount) + 50n).toBe(fen(claim?.psnCashPay));
    await expectLaws(app);
  });

  it('is closed as self-pay that awaits insurance when the insurer is offline', async () => {
    const { person, token } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const paid = await scan(bodyOf(person));
    expect(paid.status, paid.text).toBe(201);
    expect(paid.body).toMatchObject({
      visit: { status: 'settled', insured: { status: 'unknown' } },
      settlement: {
        insurance: { status: 'awaitingInsurance' },
        conversionId: expect.stringMatching(/^cnv_/),
        tenders: [{ kind: 'credit', amount: '13.34' }],
      },
    });
    expect((await lineOf(app, token)).outstanding).toBe('13.34');
    await expectLaws(app);
  });

  it('is due at the counter where there is neither credit nor a name', async () => {
    const { credential: _, ...body } = bodyOf(uniquePerson(), { kind: 'emergency' });
    const paid = await scan(body);
    expect(paid.body, paid.text).toMatchObject({
      visit: { patient: null },
      settlement: { status: 'awaitingPayment', dueAtCounter: '13.34', tenders: [] },
    });
    await expectLaws(app);
  });
});

describe('a one scan refused before anything is written', () => {
  it.each([
    ['identify', 'identity/unknown', { credential: { kind: 'idCard', number: 'x' } }],
    ['identify', 'identity/unknown', { credential: { kind: 'face', assertion: 'a.b.c' } }],
    ['charge', 'charge/amount-mismatch', { charges: [item(1, '1.00'), item(2, '1.00', '2')] }],
    [
      'settle',
      'tender/deposit-not-allowed',
      { counterTenders: [{ kind: 'deposit', amount: '1.00', reference: 'D' }] },
    ],
  ] as const)('in %s is %s, and its number is free', async (step, code, wrong) => {
    const { person } = await newPatient(app);
    const body = bodyOf(person);
    const before = await everything(app);
    const refused = await scan({ ...body, ...wrong });
    expect(said(refused)).toEqual([422, code]);
    expect(refused.body.step).toBe(step);
    if (step === 'charge') expect(refused.body.errors[0].pointer).toBe('/charges/1/amount');
    expect(await everything(app)).toEqual(before);
    expect(await visitsOf(body.visitNumber)).toEqual([]);
    expect((await scan(body)).status).toBe(201);
  });

  it('in open is visit/number-taken, and the other visit is as it was', async () => {
    const { person } = await newPatient(app);
    const { visitNumber } = await openVisit(scene, person);
    const before = await everything(app);
    const refused = await scan(bodyOf(person, { visitNumber }));
    expect([...said(refused), refused.body.step]).toEqual([409, 'visit/number-taken', 'open']);
    expect(await everything(app)).toEqual(before);
  });

  it('in settle by a used receipt or reference leaves a one-time code usable', async () => {
    const { person, token } = await newPatient(app);
    const tender = { kind: 'cash', amount: '1.00', reference: nextNumber('T') };
    const used = { receiptNumber: nextNumber('R'), counterTenders: [tender] };
    const first = await chargedVisit(scene, person);
    await settle(scene, first.id, { ...used, insurance: 'skip' });
    const body = bodyOf(person, { credential: await paymentCode(token) });
    const before = await everything(app);
    const receipt = await scan({ ...body, receiptNumber: used.receiptNumber });
    expect([...said(receipt), receipt.body.step]).toEqual([
      409,
      'settlement/receipt-used',
      'settle',
    ]);
    const reference = await scan({ ...body, counterTenders: [tender] });
    expect([...said(reference), reference.body.step]).toEqual([
      409,
      'tender/reference-used',
      'settle',
    ]);
    expect(await everything(app)).toEqual(before);
    expect((await scan(body)).status).toBe(201);
    const again = await scan({ ...body, visitNumber: nextNumber('S') });
    expect([...said(again), again.body.step]).toEqual([422, 'identity/already-used', 'identify']);
  });

  it('in identify by an outage asks for another credential', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const code = { kind: 'insuranceCode', token: `EC-${person.idNumber}` };
    const refused = await scan(bodyOf(person, { credential: code }));
    expect([...said(refused), refused.body.step]).toEqual([
      422,
      'identity/insurer-needed',
      'identify',
    ]);
  });
});

describe('a one scan that the insurer refuses', () => {
  it.each([
    ['insurance/rejected', 409, { mode: 'reject', on: ['2203'] }],
    ['insurance/rejected', 409, { mode: 'reject', on: ['2206'] }],
    ['insurance/rejected', 409, { mode: 'reject', on: ['2207'] }],
    ['insurance/offline', 503, { mode: 'error500', on: ['2204'] }],
  ] as const)('is %s (%i, %o) with nothing half-done', async (code, status, fault) => {
    const { person, token } = await newPatient(app);
    const tender = { kind: 'cash', amount: '1.00', reference: nextNumber('T') };
    const receiptNumber = nextNumber('R');
    const more = { whenInsuranceOffline: 'wait', counterTenders: [tender], receiptNumber };
    const body = bodyOf(person, more);
    const before = await lineOf(app, token);
    await app.fault({ ...fault });
    const refused = await scan(body);
    expect([...said(refused), refused.body.step]).toEqual([status, code, 'settle']);
    if (status === 503) expect(refused.headers.get('retry-after')).toBeTruthy();
    await app.fault({ mode: 'none' });
    expect(await lineOf(app, token)).toEqual(before);
    const [left] = await visitsOf(body.visitNumber);
    expect(left?.status).toBe('cancelled');
    expect(await readVisit(scene, left?.id ?? '')).toMatchObject({
      hold: { status: 'voided' },
      settlementIds: [],
    });
    expect(await app.claims({ visitNumber: body.visitNumber })).toEqual([]);
    await runWorkerOnce(app.deps);
    const undone = (await insurerOf(app).messages({ infno: '2202' })).filter(
      ({ fate, input }) =>
        fate === 'done' && (input.data as { ipt_otp_no: string }).ipt_otp_no === body.visitNumber,
    );
    expect(undone).toHaveLength(1);
    // Number, receipt and reference are free: the same request with another key settles.
    const again = await scan(body);
    expect(again.body.settlement?.insurance.status, again.text).toBe('claimed');
    expect(await app.claims({ visitNumber: body.visitNumber })).toHaveLength(1);
    await expectLaws(app);
  });

  it('names the step also when the fate of its claim is unknown and the caller waits', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'error500', on: ['2207'] });
    const body = bodyOf(person, { whenInsuranceOffline: 'wait' });
    const refused = await scan(body);
    expect([...said(refused), refused.body.step]).toEqual([503, 'insurance/unknown', 'settle']);
    expect(refused.headers.get('retry-after')).toBeTruthy();
    await app.fault({ mode: 'none' });
    await waitFor(async () => {
      await expireLeases();
      await resumeIntents(app.deps);
      return (await visitsOf(body.visitNumber))[0]?.status === 'cancelled';
    });
    expect((await scan(body)).body.settlement.insurance.status).toBe('claimed');
    expect(await app.claims({ visitNumber: body.visitNumber })).toHaveLength(1);
    await expectLaws(app);
  });
});

const expireLeases = async () => {
  await app.db.execute(
    sql`update intent set lease_until = now() - interval '1 second' where status = 'running'`,
  );
  await app.db.execute(
    sql`update idempotency_key set lease_until = now() - interval '1 second' where status is null`,
  );
};

describe('the key of a one scan', () => {
  it('gives its reply again byte for byte, whatever was shown and happened since', async () => {
    const { person, token } = await newPatient(app);
    const body = bodyOf(person, { credential: await paymentCode(token) });
    const key = crypto.randomUUID();
    const first = await scan(body, key);
    expect(first.status, first.text).toBe(201);
    await app.fault({ mode: 'refuseConnection' });
    const again = await scan(body, key);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(said(await scan(bodyOf(person), key))).toEqual([422, 'idempotency/key-reused']);
  });

  it('gives a kept refusal again, with its step', async () => {
    const { person } = await newPatient(app);
    const key = crypto.randomUUID();
    const body = bodyOf(person);
    await app.fault({ mode: 'reject', on: ['2207'] });
    const first = await scan(body, key);
    await app.fault({ mode: 'none' });
    const again = await scan(body, key);
    expect([again.status, again.text, again.body.step]).toEqual([409, first.text, 'settle']);
  });

  it('raced by ten pays once', async () => {
    const { person } = await newPatient(app);
    const body = bodyOf(person);
    const key = crypto.randomUUID();
    const replies = await Promise.all(Array.from({ length: 10 }, () => scan(body, key)));
    const paid = replies.filter((reply) => reply.status === 201);
    expect(new Set(paid.map((reply) => reply.text)).size).toBe(1);
    for (const reply of replies.filter((r) => r.status !== 201)) {
      expect(said(reply)).toEqual([409, 'idempotency/in-flight']);
    }
    expect(await visitsOf(body.visitNumber)).toHaveLength(1);
    expect(await app.claims({ visitNumber: body.visitNumber })).toHaveLength(1);
  });

  it('is one of twenty that race for a visit number, and only one pays', async () => {
    const { person } = await newPatient(app);
    const body = bodyOf(person);
    const replies = await Promise.all(Array.from({ length: 20 }, () => scan(body)));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1);
    for (const reply of replies.filter((r) => r.status !== 201)) {
      expect([...said(reply), reply.body.step]).toEqual([409, 'visit/number-taken', 'open']);
    }
    expect(await app.claims({ visitNumber: body.visitNumber })).toHaveLength(1);
    await expectLaws(app);
  });
});

describe('a one scan whose process died', () => {
  /** Freezes the process after the visit was opened and before the insurer was told of it. */
  async function crash(body: { visitNumber: string }, key: string): Promise<void> {
    const { insurer } = app.deps;
    const send = insurer.send.bind(insurer);
    let isReached = false;
    insurer.send = (message, deadlineMs) => {
      if (message.infno !== '2201') return send(message, deadlineMs);
      isReached = true;
      return new Promise<never>(() => {});
    };
    void scan(body, key).catch(() => null);
    await waitFor(() => isReached);
    insurer.send = send;
    expect(await visitsOf(body.visitNumber)).toMatchObject([{ status: 'settling' }]);
  }

  it('is cancelled after two minutes, and its number is free', async () => {
    const { person, token } = await newPatient(app);
    const body = bodyOf(person);
    await crash(body, crypto.randomUUID());
    await expireLeases();
    await app.db.execute(
      sql`update intent set created_at = now() - interval '3 minutes' where status = 'running'`,
    );
    await resumeIntents(app.deps);
    expect(await visitsOf(body.visitNumber)).toMatchObject([{ status: 'cancelled' }]);
    expect((await lineOf(app, token)).held).toBe('0.00');
    expect((await scan(body)).status).toBe(201);
    await expectLaws(app);
  });

  it('is gone on with by the same key, also when a one-time code was shown', async () => {
    const { person, token } = await newPatient(app);
    for (const credential of [idCard(person), await paymentCode(token)]) {
      const body = bodyOf(person, { credential });
      const key = crypto.randomUUID();
      await crash(body, key);
      expect(said(await scan(body, key))).toEqual([409, 'idempotency/in-flight']);
      await expireLeases();
      const paid = await scan(body, key);
      expect(paid.status, paid.text).toBe(201);
      expect(paid.body.visit.visitNumber).toBe(body.visitNumber);
      expect(await app.claims({ visitNumber: body.visitNumber })).toHaveLength(1);
    }
    await expectLaws(app);
  });
});
