// No dunning while insurance is awaited; a new due date, by the lender's product, once it is not.
import { eq, sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { setAwaitsInsurance } from '../../src/credit/await-insurance.ts';
import { pilotProduct } from '../../src/credit/default-policy.ts';
import { writePlan } from '../../src/credit/instalments.ts';
import { dueAtOf, readLenderProduct } from '../../src/credit/policy.ts';
import { businessNow, transact } from '../../src/db/db.ts';
import { creditLine, instalment, policy, receivable } from '../../src/db/schema.ts';
import { newId } from '../../src/ids.ts';
import { useDatabase } from '../support/database.ts';
import { makeLine, moveClock, receivablesOf, yuan } from './support.ts';

const { db } = useDatabase();
afterEach(() => moveClock(db, 0));

const HOURS = 24;

/** A line that owes 100.00 of one settlement, due by its product from now. */
async function owing(wish: { awaits?: boolean } = {}) {
  const { citizenId, lineId } = await makeLine(db);
  const settlementId = newId('settlement');
  const now = await businessNow(db);
  await db.insert(receivable).values({
    id: newId('receivable'),
    lineId,
    citizenId,
    lender: 'LWB',
    settlementId,
    amount: yuan('100.00'),
    dueAt: dueAtOf(await readLenderProduct(db, 'LWB'), now),
    awaitsInsurance: wish.awaits ?? false,
    createdAt: now,
  });
  const read = async () => (await receivablesOf(db, lineId))[0]!;
  return { lineId, settlementId, read };
}

const setAwaits = (settlementId: string, awaits: boolean) =>
  transact(db, (tx) => setAwaitsInsurance(tx, settlementId, awaits));

describe('a receivable whose settlement awaits insurance', () => {
  it('waits with its old due date, and is due anew from the day it is resolved', async () => {
    const { settlementId, read } = await owing();
    const before = await read();
    await setAwaits(settlementId, true);
    expect(await read()).toEqual({ ...before, awaitsInsurance: true });
    await moveClock(db, 50 * HOURS);
    await setAwaits(settlementId, false);
    const expected = dueAtOf(await readLenderProduct(db, 'LWB'), await businessNow(db));
    expect(await read()).toEqual({ ...before, dueAt: expected });
  });

  it('takes the instalments of its plan along, so that none is due before it', async () => {
    const { settlementId, read } = await owing();
    const day = 86_400_000;
    const start = Date.now();
    const plan = [10, 20, 200].map((days) => ({
      amount: yuan(days === 200 ? '40.00' : '30.00'),
      dueAt: new Date(start + days * day),
    }));
    const { id } = await read();
    await transact(db, (tx) => writePlan(tx, id, plan));
    await setAwaits(settlementId, true);
    await moveClock(db, 15 * HOURS);
    await setAwaits(settlementId, false);
    const { dueAt } = await read();
    const dues = await db.select().from(instalment).where(eq(instalment.receivableId, id));
    expect(dues.sort((a, b) => a.number - b.number).map((part) => part.dueAt)).toEqual([
      ...[dueAt, dueAt],
      plan[2]?.dueAt,
    ]);
    expect(dueAt).toEqual(dueAtOf(await readLenderProduct(db, 'LWB'), await businessNow(db)));
  });

  it('is not moved by saying the same again', async () => {
    const { settlementId, read } = await owing();
    const before = await read();
    await moveClock(db, 10 * HOURS);
    await setAwaits(settlementId, false);
    expect(await read()).toEqual(before);
  });

  it('is no longer overdue once it is due anew', async () => {
    const { settlementId, read } = await owing({ awaits: true });
    await db.execute(sql`update receivable set overdue_at = now()
      where settlement_id = ${settlementId}`);
    await setAwaits(settlementId, false);
    expect((await read()).overdueAt).toBeNull();
  });

  it('follows the line’s own product, and never falls due earlier than it would have', async () => {
    const { lineId, settlementId, read } = await owing({ awaits: true });
    const before = await read();
    await db.update(creditLine).set({ product: 'pilot' }).where(sql`id = ${lineId}`);
    await setAwaits(settlementId, false);
    expect((await read()).dueAt).toEqual(before.dueAt);
    await setAwaits(settlementId, true);
    const validFrom = new Date('2001-01-01T00:00:00Z');
    const row = { kind: 'lenderProduct', name: 'LWB', version: 2, validFrom, data: pilotProduct };
    await db.insert(policy).values(row);
    await moveClock(db, 60 * HOURS);
    await setAwaits(settlementId, false);
    expect((await read()).dueAt).toEqual(dueAtOf(pilotProduct, await businessNow(db)));
  });
});
