// Auto-debit: at the due time and by the policy's slots, once a line and slot, never at night otherwise.
import { eq, sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { transact } from '../../src/db/db.ts';
import { consent, creditLine, receivable } from '../../src/db/schema.ts';
import { checkLaws } from '../../src/ledger/verify.ts';
import { debitDue } from '../../src/repayment/auto-debit.ts';
import { resolveRepayments } from '../../src/repayment/resolve-repayments.ts';
import { moveClock } from '../credit/support.ts';
import { useDatabase } from '../support/database.ts';
import { at, legsAbout, makeDebtor, setClock, stateOf, toldTo } from './debtors.ts';
import { depsOf, letTimePass, useCounterparties } from './support.ts';

const { db } = useDatabase({ poolSize: 20 });
const parties = useCounterparties();
afterEach(async () => {
  await parties.fault('none');
  await moveClock(db, 0);
  // What one test leaves owed is not due in the next.
  await db.update(receivable).set({ dueAt: at('2040-01-01T08:00') });
});

const DUE = '2027-03-01T23:00';
const owing = (amounts = ['50.00'], due = DUE) =>
  makeDebtor(db, amounts, { dueAt: amounts.map(() => at(due)) });
const run = () => debitDue(depsOf(db, { lenders: parties.bank() }));
const slotsOf = async (lineId: string) => {
  const found = await db.query.repayment.findMany({
    where: (r, { eq: is }) => is(r.lineId, lineId),
    orderBy: (r, { asc }) => asc(r.id),
  });
  return found.map((row) => `${row.slot} ${row.status}`);
};
const debitsOf = async (citizenId: string) =>
  (await parties.debits()).filter((d) => d.account === `account of ${citizenId}`);
const expectLaws = async () => {
  const verdict = await transact(db, checkLaws);
  const credit = verdict.laws.filter(({ law, holds }) => !holds && !law.includes('settlement'));
  expect(credit).toEqual([]);
};

describe('what is due', () => {
  it('is debited at its due time, in one debit, and posted as row 9 has it', async () => {
    const { citizenId, lineId } = await owing(['50.00', '20.00']);
    await setClock(db, '2027-03-01T22:59');
    expect(await run()).toBe(0);
    await setClock(db, '2027-03-01T23:01');
    expect(await run()).toBe(1);
    expect(await run()).toBe(0);
    expect(await stateOf(db, lineId)).toMatchObject({
      outstanding: '0.00',
      paid: ['50.00', '20.00'],
    });
    expect(await debitsOf(citizenId)).toMatchObject([{ amount: '70.00' }]);
    const legs = await db.execute(sql`
      select e.fact, p.account, p.amount::int / 100 as amount from posting p
      join journal_entry e on e.id = p.entry_id
      where e.subject_id in (select id from repayment where line_id = ${lineId})
        and p.account like '92%' order by e.recorded_at, p.entry_id, p.leg`);
    expect(legs.map((leg) => Object.values(leg).join(' '))).toEqual([
      'debit.sent 9201 70',
      'debit.sent 9202 -70',
      'debit.resolved 9202 70',
      'debit.resolved 9201 -70',
    ]);
    expect(await legsAbout(db, citizenId, 'repayment.paid')).toEqual([
      'B 1311 70.00',
      'B 1301 -50.00',
      'B 1301 -20.00',
    ]);
    await expectLaws();
  });

  it('is tried again at 08:00 and 20:00, not at night, and once a slot', async () => {
    const { lineId } = await owing();
    await parties.fault('declined');
    const tries = [
      ['2027-03-01T23:05', 1],
      ['2027-03-01T23:30', 0],
      ['2027-03-02T03:00', 0],
      ['2027-03-02T07:59', 0],
      ['2027-03-02T08:00', 1],
      ['2027-03-02T12:00', 0],
      ['2027-03-02T20:10', 1],
      ['2027-03-02T22:10', 0],
    ] as const;
    for (const [time, sent] of tries) {
      await setClock(db, time);
      expect([time, await run()]).toEqual([time, sent]);
    }
    expect(await slotsOf(lineId)).toEqual([
      '2027-03-01T23:00 failed',
      '2027-03-02T08:00 failed',
      '2027-03-02T20:00 failed',
    ]);
    await expectLaws();
  });

  it('is tried once a day after the dense days, and left to the lender after the last', async () => {
    const { lineId } = await owing();
    await parties.fault('declined');
    for (const time of ['2027-03-06T20:10', '2027-03-10T21:00', '2027-06-20T09:00']) {
      await setClock(db, time);
      expect([time, await run()]).toEqual([time, 0]);
    }
    await setClock(db, '2027-03-10T08:30');
    expect(await run()).toBe(1);
    expect(await slotsOf(lineId)).toEqual(['2027-03-10T08:00 failed']);
  });

  it('by a worker that comes at night after the due time waits for the morning', async () => {
    const { lineId } = await owing();
    await setClock(db, '2027-03-02T01:30');
    expect(await run()).toBe(0);
    await setClock(db, '2027-03-02T09:30');
    expect(await run()).toBe(1);
    expect(await slotsOf(lineId)).toEqual(['2027-03-02T08:00 paid']);
  });

  it('is debited once when many workers look', async () => {
    const { citizenId, lineId } = await owing();
    await setClock(db, '2027-03-01T23:01');
    await Promise.all(Array.from({ length: 8 }, run));
    expect(await debitsOf(citizenId)).toHaveLength(1);
    expect(await stateOf(db, lineId)).toMatchObject({ outstanding: '0.00' });
  });

  it.each([
    [
      'awaits insurance',
      async (id: string) => {
        await db
          .update(receivable)
          .set({ awaitsInsurance: true })
          .where(eq(receivable.citizenId, id));
      },
    ],
    [
      'has no consent to it',
      async (id: string) => {
        await db
          .update(consent)
          .set({ withdrawnAt: new Date() })
          .where(sql`citizen_id = ${id} and kind = 'autoDebit'`);
      },
    ],
    [
      'is a dead person’s',
      async (id: string) => {
        await db
          .update(creditLine)
          .set({ status: 'suspended', frozenFor: 'death' })
          .where(eq(creditLine.citizenId, id));
      },
    ],
  ])('but %s is left alone', async (_why, make) => {
    const { citizenId, lineId } = await owing();
    await make(citizenId);
    await setClock(db, '2027-03-01T23:01');
    await run();
    expect(await slotsOf(lineId)).toEqual([]);
  });
});

describe('a bank that fails', () => {
  it.each(['answerLost', 'error500'] as const)(
    'with %s is asked before anything is repeated',
    async (mode) => {
      const { citizenId, lineId } = await owing();
      await setClock(db, '2027-03-01T23:01');
      await parties.fault(mode, ['debit']);
      await run();
      expect(await slotsOf(lineId)).toEqual(['2027-03-01T23:00 unknown']);
      await parties.fault('none');
      await setClock(db, '2027-03-02T08:01');
      expect(await run()).toBe(0);
      await letTimePass(db);
      await resolveRepayments(depsOf(db, { lenders: parties.bank() }));
      await run();
      expect(await stateOf(db, lineId)).toMatchObject({ outstanding: '0.00' });
      const paid = (await debitsOf(citizenId)).filter((d) => d.status === 'paid');
      expect(paid).toHaveLength(1);
      await expectLaws();
    },
  );

  it('and a worker that is killed before it books leave one debit, found and booked', async () => {
    const { citizenId, lineId } = await owing();
    await setClock(db, '2027-03-01T23:01');
    const bank = parties.bank();
    const killed: typeof bank = {
      ...bank,
      debit: async (...args) => {
        await bank.debit(...args);
        throw new Error('killed');
      },
    };
    await expect(debitDue(depsOf(db, { lenders: killed }))).rejects.toThrow('killed');
    await setClock(db, '2027-03-02T08:01');
    expect(await run()).toBe(0);
    await letTimePass(db);
    await resolveRepayments(depsOf(db, { lenders: bank }));
    expect(await stateOf(db, lineId)).toMatchObject({ outstanding: '0.00' });
    expect(await debitsOf(citizenId)).toHaveLength(1);
    await expectLaws();
  });

  it('tells the person of a failed one', async () => {
    const { citizenId } = await owing();
    await parties.fault('declined');
    await setClock(db, '2027-03-01T23:01');
    await run();
    expect(await toldTo(db, citizenId)).toEqual(['repayment.failed']);
  });
});
