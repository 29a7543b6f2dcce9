import { eq } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { captureCredit } from '../../src/credit/capture-hold.ts';
import { standardProduct } from '../../src/credit/default-policy.ts';
import { expireHolds } from '../../src/credit/expire-holds.ts';
import { extendHold } from '../../src/credit/extend-hold.ts';
import { giveBackCredit } from '../../src/credit/give-back-credit.ts';
import { type PlaceHold, placeHold } from '../../src/credit/place-hold.ts';
import { dueAtOf } from '../../src/credit/policy.ts';
import { type SetHold, setHold, voidHold } from '../../src/credit/set-hold.ts';
import { businessNow, transact } from '../../src/db/db.ts';
import { creditLine, receivable, visit } from '../../src/db/schema.ts';
import { newId } from '../../src/ids.ts';
import { formatYuan } from '../../src/money.ts';
import { useDatabase } from '../support/database.ts';
import { holdsOf, lineOf, makeLine, makeVisit, moveClock, receivablesOf, yuan } from './support.ts';

const { db } = useDatabase({ poolSize: 20 });
afterEach(() => moveClock(db, 0));

const place = (visitId: string, payerCitizenId: string | null, more: Partial<PlaceHold> = {}) =>
  transact(db, (tx) =>
    placeHold(tx, {
      visitId,
      payerCitizenId,
      visitKind: 'outpatient',
      amount: yuan('100.00'),
      isPartialAllowed: false,
      isEmergency: false,
      ...more,
    }),
  );

const set = (visitId: string, amount: string, more: Partial<SetHold> = {}) =>
  transact(db, (tx) =>
    setHold(tx, {
      visitId,
      payerCitizenId: null,
      visitKind: 'outpatient',
      amount: yuan(amount),
      isPartialAllowed: false,
      isEmergency: false,
      ...more,
    }),
  );

const capture = (
  visitId: string,
  owed: string,
  more: Partial<Parameters<typeof captureCredit>[1]> = {},
) =>
  transact(db, (tx) =>
    captureCredit(tx, {
      visitId,
      settlementId: newId('settlement'),
      payerCitizenId: null,
      visitKind: 'outpatient',
      owed: yuan(owed),
      awaitsInsurance: false,
      isEmergency: false,
      mayUseMore: true,
      ...more,
    }),
  );

async function amounts(lineId: string) {
  const { held, outstanding } = await lineOf(db, lineId);
  return { held: formatYuan(held), outstanding: formatYuan(outstanding) };
}

describe('placing a hold', () => {
  it('takes exactly what is available and not one fen more', async () => {
    const { citizenId, lineId } = await makeLine(db, { limit: '500.00' });
    const over = await place(await makeVisit(db), citizenId, { amount: yuan('500.01') });
    expect(over).toEqual({ decline: 'credit/limit-exceeded' });
    expect(await amounts(lineId)).toEqual({ held: '0.00', outstanding: '0.00' });
    const all = await place(await makeVisit(db), citizenId, { amount: yuan('500.00') });
    expect(all).toMatchObject({ hold: { status: 'placed', amount: yuan('500.00') } });
    expect(await amounts(lineId)).toEqual({ held: '500.00', outstanding: '0.00' });
    const none = await place(await makeVisit(db), citizenId, {
      amount: 1n,
      isPartialAllowed: true,
    });
    expect(none).toEqual({ decline: 'credit/limit-exceeded' });
  });

  it('places a part where that is allowed, always for emergency and for the default', async () => {
    for (const more of [
      { isPartialAllowed: true, amount: yuan('80.00') },
      { isEmergency: true, amount: yuan('80.00') },
      { amount: null },
    ]) {
      const { citizenId, lineId } = await makeLine(db, { limit: '70.00' });
      const placed = await place(await makeVisit(db), citizenId, more);
      expect(placed).toMatchObject({ hold: { amount: yuan('70.00') } });
      expect((await amounts(lineId)).held).toBe('70.00');
    }
  });

  it('uses the policy for amount and life of the kind', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const outpatient = await makeVisit(db);
    const placed = await place(outpatient, citizenId, { amount: null });
    expect(placed).toMatchObject({ hold: { amount: yuan('300.00') } });
    const inpatient = await makeVisit(db, { kind: 'inpatient' });
    await place(inpatient, citizenId, { amount: null, visitKind: 'inpatient' });
    const [day] = await holdsOf(db, outpatient);
    const [month] = await holdsOf(db, inpatient);
    expect(day!.expiresAt.getTime() - day!.placedAt.getTime()).toBe(24 * 3600_000);
    expect(month!.expiresAt.getTime() - month!.placedAt.getTime()).toBe(30 * 24 * 3600_000);
    expect((await amounts(lineId)).held).toBe('3300.00');
  });

  it('adds the inpatient extra for inpatient visits only', async () => {
    const { citizenId } = await makeLine(db, { limit: '100.00', inpatientExtra: '50.00' });
    const wish = { amount: yuan('150.00') };
    expect(await place(await makeVisit(db), citizenId, wish)).toHaveProperty('decline');
    const inpatient = await makeVisit(db, { kind: 'inpatient' });
    const placed = await place(inpatient, citizenId, { ...wish, visitKind: 'inpatient' });
    expect(placed).toMatchObject({ hold: { amount: yuan('150.00') } });
    const [kept] = await holdsOf(db, inpatient);
    expect(kept).toMatchObject({ limitThen: 10000n, extraThen: 5000n, heldThen: 0n });
  });

  it('says why it declines', async () => {
    const decline = async (wish: Parameters<typeof makeLine>[1], more: Partial<PlaceHold> = {}) => {
      const { citizenId } = await makeLine(db, wish);
      return place(await makeVisit(db), citizenId, more);
    };
    expect(await place(await makeVisit(db), null)).toEqual({ decline: 'credit/not-enrolled' });
    expect(await place(await makeVisit(db), newId('citizen'))).toEqual({
      decline: 'credit/not-enrolled',
    });
    expect(await decline({ consented: false })).toEqual({ decline: 'credit/consent-withdrawn' });
    expect(await decline({ status: 'suspended' })).toEqual({ decline: 'credit/suspended' });
    expect(await decline({ limit: '99.99' })).toEqual({ decline: 'credit/limit-exceeded' });
    expect(await decline({ status: 'suspended' }, { isEmergency: true })).toHaveProperty('hold');
    expect(await decline({ consented: false }, { isEmergency: true })).toEqual({
      decline: 'credit/consent-withdrawn',
    });
  });

  it('declines while something is overdue, but not while that awaits insurance', async () => {
    const { citizenId, lineId } = await makeLine(db);
    await capture(await makeVisit(db), '10.00', { payerCitizenId: citizenId });
    await moveClock(db, 43 * 24);
    expect(await place(await makeVisit(db), citizenId)).toEqual({ decline: 'credit/overdue' });
    const emergency = await place(await makeVisit(db), citizenId, { isEmergency: true });
    expect(emergency).toHaveProperty('hold');
    await db.update(receivable).set({ awaitsInsurance: true }).where(eq(receivable.lineId, lineId));
    expect(await place(await makeVisit(db), citizenId)).toHaveProperty('hold');
  });

  it('never exceeds the limit when 200 holds race', async () => {
    const { citizenId, lineId } = await makeLine(db, { limit: '1000.00' });
    const visits = await Promise.all(Array.from({ length: 200 }, () => makeVisit(db)));
    const results = await Promise.all(
      visits.map((id) => place(id, citizenId, { amount: yuan('30.00') })),
    );
    expect(results.filter((r) => 'hold' in r)).toHaveLength(33);
    expect(results.filter((r) => 'decline' in r)).toHaveLength(167);
    expect((await amounts(lineId)).held).toBe('990.00');
  });
});

describe('changing a hold', () => {
  it('raises and lowers in place, within the limit to the fen', async () => {
    const { citizenId, lineId } = await makeLine(db, { limit: '200.00' });
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    await expect(set(visitId, '200.01')).rejects.toMatchObject({ code: 'credit/limit-exceeded' });
    expect((await amounts(lineId)).held).toBe('100.00');
    expect(await set(visitId, '200.00')).toMatchObject({
      amount: yuan('200.00'),
      status: 'placed',
    });
    expect(await set(visitId, '0.01')).toMatchObject({ amount: yuan('0.01') });
    expect((await amounts(lineId)).held).toBe('0.01');
    expect(await set(visitId, '300.00', { isPartialAllowed: true })).toMatchObject({
      amount: yuan('200.00'),
    });
    expect(await holdsOf(db, visitId)).toHaveLength(1);
  });

  it('lowers on a suspended line but raises only for emergency', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    await db
      .update(creditLine)
      .set({ status: 'suspended', suspendedFor: 'overdue' })
      .where(eq(creditLine.id, lineId));
    expect(await set(visitId, '50.00')).toMatchObject({ amount: yuan('50.00') });
    await expect(set(visitId, '51.00')).rejects.toMatchObject({ code: 'credit/suspended' });
    expect(await set(visitId, '60.00', { isEmergency: true })).toMatchObject({
      amount: yuan('60.00'),
    });
  });

  it('a lowered limit cancels nothing and gives nothing more', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    await db
      .update(creditLine)
      .set({ limit: yuan('50.00') })
      .where(eq(creditLine.id, lineId));
    await expect(set(visitId, '100.01')).rejects.toMatchObject({ code: 'credit/limit-exceeded' });
    expect(await set(visitId, '90.00')).toMatchObject({ amount: yuan('90.00') });
    expect(await capture(visitId, '95.00')).toMatchObject({ captured: yuan('90.00') });
  });

  it('places a new hold where the visit has none, and refuses without a line', async () => {
    const { citizenId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await expect(set(visitId, '20.00')).rejects.toMatchObject({ code: 'credit/not-enrolled' });
    expect(await set(visitId, '20.00', { payerCitizenId: citizenId })).toMatchObject({
      amount: yuan('20.00'),
    });
  });

  it('moves the expiry on with changes and charges', async () => {
    const { citizenId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    const [before] = await holdsOf(db, visitId);
    await moveClock(db, 10);
    await transact(db, (tx) => extendHold(tx, visitId));
    const [after] = await holdsOf(db, visitId);
    const hours = (after!.expiresAt.getTime() - before!.expiresAt.getTime()) / 3600_000;
    expect(Math.round(hours)).toBe(10);
    await moveClock(db, 20);
    const changed = await set(visitId, '100.00');
    expect(changed.expiresAt.getTime()).toBeGreaterThan(after!.expiresAt.getTime());
  });

  it('voids once and frees all of it', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    expect(await transact(db, (tx) => voidHold(tx, visitId))).toMatchObject({ status: 'voided' });
    expect(await transact(db, (tx) => voidHold(tx, visitId))).toBeNull();
    expect((await amounts(lineId)).held).toBe('0.00');
  });
});

describe('expiry', () => {
  it('expires at the end of its life and not before, never while settling', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    const settling = await makeVisit(db);
    await place(visitId, citizenId);
    await place(settling, citizenId);
    await db.update(visit).set({ status: 'settling' }).where(eq(visit.id, settling));
    await moveClock(db, 23);
    await expireHolds(db, 1000);
    expect((await holdsOf(db, visitId))[0]!.status).toBe('placed');
    await moveClock(db, 25);
    await expireHolds(db, 1000);
    expect((await holdsOf(db, visitId))[0]!.status).toBe('expired');
    expect((await holdsOf(db, settling))[0]!.status).toBe('placed');
    expect((await amounts(lineId)).held).toBe('100.00');
  });

  it('leaves a late capture what is available then, and says so', async () => {
    const { citizenId, lineId } = await makeLine(db, { limit: '100.00' });
    const visitId = await makeVisit(db);
    await place(visitId, citizenId, { amount: yuan('60.00') });
    await moveClock(db, 25);
    await expireHolds(db, 1000);
    await place(await makeVisit(db), citizenId, { amount: yuan('70.00') });
    const late = await capture(visitId, '60.00', { payerCitizenId: citizenId });
    expect(late).toMatchObject({ captured: yuan('30.00'), isLateCapture: true });
    expect(await amounts(lineId)).toEqual({ held: '70.00', outstanding: '30.00' });
  });
});

describe('capturing', () => {
  it('takes what is owed, frees the rest and makes a receivable due by the product', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    const captured = await capture(visitId, '30.00');
    const [hold] = await holdsOf(db, visitId);
    expect(hold).toMatchObject({ status: 'captured', captured: 3000n, amount: 10000n });
    expect(captured).toMatchObject({
      captured: 3000n,
      holdId: hold!.id,
      lineId,
      lender: 'LWB',
      payerCitizenId: citizenId,
      isLateCapture: false,
    });
    expect(await amounts(lineId)).toEqual({ held: '0.00', outstanding: '30.00' });
    const [debt] = await receivablesOf(db, lineId);
    expect(debt).toMatchObject({
      id: captured.receivableId,
      amount: 3000n,
      awaitsInsurance: false,
    });
    expect(debt!.dueAt).toEqual(dueAtOf(standardProduct, debt!.createdAt));
    expect(await capture(visitId, '0.00')).toMatchObject({ captured: 0n, receivableId: null });
  });

  it('takes more than the hold only where it may and as far as there is', async () => {
    const open = async (more: Parameters<typeof makeLine>[1] = {}) => {
      const { citizenId, lineId } = await makeLine(db, { limit: '120.00', ...more });
      const visitId = await makeVisit(db);
      await place(visitId, citizenId);
      return { visitId, lineId };
    };
    const free = await open();
    expect(await capture(free.visitId, '150.00')).toMatchObject({ captured: yuan('120.00') });
    expect((await holdsOf(db, free.visitId))[0]).toMatchObject({ amount: yuan('120.00') });
    const linkEnded = await open();
    const held = await capture(linkEnded.visitId, '150.00', { mayUseMore: false });
    expect(held).toMatchObject({ captured: yuan('100.00') });
    const suspended = await open();
    await db
      .update(creditLine)
      .set({ status: 'suspended', suspendedFor: 'overdue' })
      .where(eq(creditLine.id, suspended.lineId));
    expect(await capture(suspended.visitId, '150.00')).toMatchObject({ captured: yuan('100.00') });
    const withdrawn = await open();
    await db
      .update(creditLine)
      .set({ consented: false })
      .where(eq(creditLine.id, withdrawn.lineId));
    const honoured = await capture(withdrawn.visitId, '150.00', { isEmergency: true });
    expect(honoured).toMatchObject({ captured: yuan('100.00') });
  });

  it('adds the outage extra while insurance is awaited', async () => {
    const { citizenId, lineId } = await makeLine(db, { limit: '100.00', outageExtra: '50.00' });
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    const captured = await capture(visitId, '180.00', { awaitsInsurance: true });
    expect(captured).toMatchObject({ captured: yuan('150.00') });
    expect((await receivablesOf(db, lineId))[0]).toMatchObject({ awaitsInsurance: true });
    expect(await place(await makeVisit(db), citizenId, { amount: 1n })).toHaveProperty('decline');
  });

  it('captures without a hold and records what it saw; nothing for nobody', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    const captured = await capture(visitId, '12.34', { payerCitizenId: citizenId });
    expect(captured).toMatchObject({ captured: 1234n, isLateCapture: false });
    expect(await holdsOf(db, visitId)).toMatchObject([
      { id: captured.holdId, status: 'captured', captured: 1234n, limitThen: yuan('3000.00') },
    ]);
    expect(await amounts(lineId)).toEqual({ held: '0.00', outstanding: '12.34' });
    expect(await capture(await makeVisit(db), '5.00')).toMatchObject({
      captured: 0n,
      lineId: null,
    });
  });

  it('voids the hold when nothing is owed', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const visitId = await makeVisit(db);
    await place(visitId, citizenId);
    expect(await capture(visitId, '0.00')).toMatchObject({ captured: 0n, receivableId: null });
    expect((await holdsOf(db, visitId))[0]!.status).toBe('voided');
    expect((await amounts(lineId)).held).toBe('0.00');
  });

  it('resolves a hold once, however captures, voids and expiry race', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { citizenId, lineId } = await makeLine(db, { limit: '100.00' });
      const visitId = await makeVisit(db);
      await place(visitId, citizenId);
      await moveClock(db, 25);
      const racing = [
        ...Array.from({ length: 8 }, () => capture(visitId, '60.00')),
        ...Array.from({ length: 4 }, () => transact(db, (tx) => voidHold(tx, visitId))),
        expireHolds(db, 100),
        expireHolds(db, 100),
      ];
      const captured = (await Promise.all(racing)).filter(
        (r) => r !== null && typeof r === 'object' && 'captured' in r && r.captured > 0n,
      );
      const [hold, ...others] = await holdsOf(db, visitId);
      expect(others).toHaveLength(0);
      expect(hold!.status).not.toBe('placed');
      expect(captured).toHaveLength(hold!.status === 'captured' ? 1 : 0);
      const outstanding = hold!.status === 'captured' ? '60.00' : '0.00';
      expect(await amounts(lineId)).toEqual({ held: '0.00', outstanding });
      expect(await receivablesOf(db, lineId)).toHaveLength(captured.length);
      await moveClock(db, 0);
    }
  });
});

describe('giving credit back', () => {
  it('lowers what is owed first; what was repaid becomes money to send back', async () => {
    const { citizenId, lineId } = await makeLine(db);
    const settlementId = newId('settlement');
    const visitId = await makeVisit(db);
    await capture(visitId, '180.00', { settlementId, payerCitizenId: citizenId });
    await db
      .update(receivable)
      .set({ paid: yuan('100.00') })
      .where(eq(receivable.lineId, lineId));
    await db
      .update(creditLine)
      .set({ outstanding: yuan('80.00') })
      .where(eq(creditLine.id, lineId));
    const first = await transact(db, (tx) =>
      giveBackCredit(tx, { settlementId, amount: yuan('30.00') }),
    );
    expect(first).toMatchObject({ reduced: yuan('30.00'), repaid: 0n });
    const second = await transact(db, (tx) =>
      giveBackCredit(tx, { settlementId, amount: yuan('150.00') }),
    );
    expect(second).toMatchObject({ reduced: yuan('50.00'), repaid: yuan('100.00') });
    expect(await amounts(lineId)).toEqual({ held: '0.00', outstanding: '0.00' });
    const tooMuch = transact(db, (tx) => giveBackCredit(tx, { settlementId, amount: 20000n }));
    await expect(tooMuch).rejects.toThrow('less to give back');
  });
});

it('business time moves for the tests', async () => {
  await moveClock(db, 5);
  expect((await businessNow(db)).getTime()).toBeGreaterThan(Date.now() + 4 * 3600_000);
});
