import { eq } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { giveBackCredit } from '../../src/credit/give-back-credit.ts';
import type { LenderBank } from '../../src/credit/lender-bank.ts';
import { transact } from '../../src/db/db.ts';
import { receivable } from '../../src/db/schema.ts';
import { Refusal } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import { formatYuan } from '../../src/money.ts';
import { repay } from '../../src/repayment/repay.ts';
import { resolveRepayments } from '../../src/repayment/resolve-repayments.ts';
import { lineOf, moveClock, receivablesOf, yuan } from '../credit/support.ts';
import { useDatabase } from '../support/database.ts';
import { legsAbout, makeDebtor } from './debtors.ts';
import { depsOf, keyOf, letTimePass, useCounterparties } from './support.ts';

const { db } = useDatabase({ poolSize: 20 });
const parties = useCounterparties();
afterEach(async () => {
  await parties.fault('none');
  await moveClock(db, 0);
});

const debtor = (...amounts: string[]) => makeDebtor(db, amounts);

const pay = (
  citizenId: string,
  amount: string,
  more: { receivableIds?: string[]; key?: string; lenders?: LenderBank } = {},
) => {
  const { key = crypto.randomUUID(), lenders = parties.bank(), receivableIds } = more;
  const body = { amount: yuan(amount), ...(receivableIds ? { receivableIds } : {}) };
  return repay({ deps: depsOf(db, { lenders }), key: keyOf(key), body }, citizenId);
};

async function stateOf(lineId: string) {
  const { outstanding } = await lineOf(db, lineId);
  const debts = await receivablesOf(db, lineId);
  return {
    outstanding: formatYuan(outstanding),
    paid: debts.map((debt) => formatYuan(debt.paid)),
  };
}

const legsOf = (citizenId: string) => legsAbout(db, citizenId);

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no refusal',
    (error) => (error instanceof Refusal ? error.code : error),
  );

describe('repaying', () => {
  it('pays the debt, frees the limit and posts row 8 of the books', async () => {
    const { citizenId, lineId, receivables } = await debtor('50.00');
    const reply = await pay(citizenId, '50.00');
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      amount: '50.00',
      status: 'paid',
      allocations: [{ receivableId: receivables[0], amount: '50.00' }],
    });
    expect(await stateOf(lineId)).toEqual({ outstanding: '0.00', paid: ['50.00'] });
    expect(await legsOf(citizenId)).toEqual(['B 1311 50.00', 'B 1301 -50.00']);
    const debit = (await parties.debits()).find((d) => d.account === `account of ${citizenId}`);
    expect(debit).toMatchObject({ amount: '50.00', status: 'paid' });
  });

  it('pays what is due first, first, and a part of the next', async () => {
    const { citizenId, lineId, receivables } = await debtor('10.00', '20.00', '30.00');
    const reply = await pay(citizenId, '15.00');
    expect(reply.body).toMatchObject({
      allocations: [
        { receivableId: receivables[0], amount: '10.00' },
        { receivableId: receivables[1], amount: '5.00' },
      ],
    });
    expect(await stateOf(lineId)).toEqual({
      outstanding: '45.00',
      paid: ['10.00', '5.00', '0.00'],
    });
    await db
      .update(receivable)
      .set({ awaitsInsurance: true })
      .where(eq(receivable.id, receivables[1]!));
    await pay(citizenId, '31.00');
    expect((await stateOf(lineId)).paid).toEqual(['10.00', '6.00', '30.00']);
  });

  it('pays only the receivables asked for', async () => {
    const { citizenId, lineId, receivables } = await debtor('10.00', '20.00');
    const receivableIds = [receivables[1]!];
    expect(await codeOf(pay(citizenId, '20.01', { receivableIds }))).toBe('repayment/exceeds-debt');
    expect((await pay(citizenId, '20.00', { receivableIds })).status).toBe(201);
    expect((await stateOf(lineId)).paid).toEqual(['0.00', '20.00']);
    const strangers = await debtor('5.00');
    const theirs = { receivableIds: strangers.receivables };
    expect(await codeOf(pay(citizenId, '5.00', theirs))).toBe('resource/not-found');
  });

  it('refuses more than is owed, to the fen, and changes nothing', async () => {
    const { citizenId, lineId } = await debtor('10.00', '20.00');
    expect(await codeOf(pay(citizenId, '30.01'))).toBe('repayment/exceeds-debt');
    expect(await stateOf(lineId)).toEqual({ outstanding: '30.00', paid: ['0.00', '0.00'] });
    expect((await pay(citizenId, '30.00')).status).toBe(201);
    expect(await codeOf(pay(citizenId, '0.01'))).toBe('repayment/exceeds-debt');
    expect(await codeOf(pay(newId('citizen'), '0.01'))).toBe('repayment/exceeds-debt');
  });

  it('replays the stored reply and debits once', async () => {
    const { citizenId } = await debtor('50.00');
    const first = await pay(citizenId, '20.00', { key: 'again' });
    const second = await pay(citizenId, '20.00', { key: 'again' });
    expect(JSON.parse(second.stored?.text ?? '')).toEqual(first.body);
    expect(await stateOf((await lineIdOf(citizenId))!)).toMatchObject({ outstanding: '30.00' });
  });

  it('takes one debit a receivable when requests race', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    const results = await Promise.all(
      Array.from({ length: 10 }, () =>
        pay(citizenId, '50.00').then(
          (reply) => reply.status,
          (error: Refusal) => error.code,
        ),
      ),
    );
    expect(results.filter((result) => result === 201)).toHaveLength(1);
    expect(await stateOf(lineId)).toEqual({ outstanding: '0.00', paid: ['50.00'] });
    const mine = (await parties.debits()).filter((d) => d.account === `account of ${citizenId}`);
    expect(mine).toHaveLength(1);
  });
});

describe('a bank that fails', () => {
  it('declines: nothing is paid and the debt may be tried again', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    await parties.fault('declined');
    const reply = await pay(citizenId, '50.00');
    expect(reply).toMatchObject({ status: 201, body: { status: 'failed' } });
    expect(await stateOf(lineId)).toEqual({ outstanding: '50.00', paid: ['0.00'] });
    await parties.fault('none');
    expect((await pay(citizenId, '50.00')).body).toMatchObject({ status: 'paid' });
  });

  it('is not reached: the debit has failed', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    await parties.call('PUT', '/faults', { mode: 'refuseConnection', forMs: 300 });
    const reply = await pay(citizenId, '50.00');
    expect(reply).toMatchObject({ status: 201, body: { status: 'failed' } });
    expect((await stateOf(lineId)).outstanding).toBe('50.00');
    await expect.poll(() => parties.fault('none').catch(() => null)).not.toBeNull();
  });

  it('loses its answer: unknown, then found paid, once in the bank’s own books', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    await parties.fault('answerLost', ['debit']);
    const reply = await pay(citizenId, '50.00', { key: 'lost' });
    expect(reply).toMatchObject({ status: 202, body: { status: 'unknown' } });
    expect(await codeOf(pay(citizenId, '1.00'))).toBe('repayment/under-way');
    await letTimePass(db);
    await Promise.all([resolveRepayments(depsOf(db, { lenders: parties.bank() })), resolve()]);
    expect(await stateOf(lineId)).toEqual({ outstanding: '0.00', paid: ['50.00'] });
    const mine = (await parties.debits()).filter((d) => d.account === `account of ${citizenId}`);
    expect(mine).toHaveLength(1);
    expect(await legsOf(citizenId)).toEqual(['B 1311 50.00', 'B 1301 -50.00']);
    const replay = await pay(citizenId, '50.00', { key: 'lost' });
    expect(replay.stored?.text).toContain('unknown');
  });

  it('answers 500 and never saw it: failed once the time for doubt is over', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    await parties.fault('error500', ['debit']);
    expect(await pay(citizenId, '50.00')).toMatchObject({ body: { status: 'unknown' } });
    expect(await resolve()).toBe(0);
    await letTimePass(db);
    expect(await resolve()).toBe(1);
    expect((await stateOf(lineId)).outstanding).toBe('50.00');
    await parties.fault('none');
    expect((await pay(citizenId, '50.00')).body).toMatchObject({ status: 'paid' });
  });
});

describe('a crash between the debit and its booking', () => {
  /** The process dies when the bank has answered. */
  const crashing = (): LenderBank => {
    const bank = parties.bank();
    return {
      ...bank,
      debit: async (...args) => {
        await bank.debit(...args);
        throw new Error('killed');
      },
    };
  };

  it('is resumed by the same key with the debit that was made', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    await expect(pay(citizenId, '50.00', { key: 'c1', lenders: crashing() })).rejects.toThrow(
      'killed',
    );
    expect(await codeOf(pay(citizenId, '50.00', { key: 'c1' }))).toBe('idempotency/in-flight');
    await letTimePass(db);
    const reply = await pay(citizenId, '50.00', { key: 'c1' });
    expect(reply).toMatchObject({ status: 201, body: { status: 'paid' } });
    expect(await stateOf(lineId)).toEqual({ outstanding: '0.00', paid: ['50.00'] });
    const mine = (await parties.debits()).filter((d) => d.account === `account of ${citizenId}`);
    expect(mine).toHaveLength(1);
  });

  it('is resolved by the worker, and the same key then tells the outcome', async () => {
    const { citizenId, lineId } = await debtor('50.00');
    await pay(citizenId, '50.00', { key: 'c2', lenders: crashing() }).catch(() => {});
    await letTimePass(db);
    await resolve();
    expect((await stateOf(lineId)).outstanding).toBe('0.00');
    const reply = await pay(citizenId, '50.00', { key: 'c2' });
    expect(reply).toMatchObject({ status: 201, body: { status: 'paid' } });
  });
});

describe('money that meets nothing owed any more', () => {
  it('becomes refundable when a refund came first (books.md row 10)', async () => {
    const { citizenId, lineId, settlements } = await debtor('50.00');
    await parties.fault('answerLost', ['debit']);
    await pay(citizenId, '50.00');
    const settlementId = settlements[0]!;
    await transact(db, (tx) => giveBackCredit(tx, { settlementId, amount: yuan('30.00') }));
    await letTimePass(db);
    await resolve();
    expect(await stateOf(lineId)).toEqual({ outstanding: '0.00', paid: ['20.00'] });
    expect(await legsOf(citizenId)).toEqual(['B 1311 50.00', 'B 1301 -20.00', 'B 2201 -30.00']);
    const back = await db.query.moneyBack.findMany({
      where: (m, { eq: is }) => is(m.settlementId, settlementId),
    });
    expect(back).toMatchObject([
      { kind: 'credit', amount: yuan('30.00'), status: 'pending', citizenId, isReduction: false },
    ]);
  });
});

const resolve = () => resolveRepayments(depsOf(db, { lenders: parties.bank() }));

async function lineIdOf(citizenId: string) {
  const line = await db.query.creditLine.findFirst({
    where: (l, { eq: is }) => is(l.citizenId, citizenId),
  });
  return line?.id;
}
