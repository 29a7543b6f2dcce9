// Reminders, overdue, suspension, report, restoration: each once, in order, and back again.
import { eq, sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { setAwaitsInsurance } from '../../src/credit/await-insurance.ts';
import { giveBackCredit } from '../../src/credit/give-back-credit.ts';
import { writePlan } from '../../src/credit/instalments.ts';
import { placeHold } from '../../src/credit/place-hold.ts';
import { rows, transact } from '../../src/db/db.ts';
import { creditLine, receivable, scoreReport } from '../../src/db/schema.ts';
import { findLine } from '../../src/lender/loan-store.ts';
import { runDueJobs } from '../../src/outbox/jobs.ts';
import { lookAfterOverdue } from '../../src/repayment/overdue.ts';
import { remindOfDebt } from '../../src/repayment/remind.ts';
import { repay } from '../../src/repayment/repay.ts';
import { reportScore, sendReportsDue } from '../../src/repayment/report-score.ts';
import { makeVisit, moveClock, yuan } from '../credit/support.ts';
import { useDatabase } from '../support/database.ts';
import { at, type Debtor, makeDebtor, setClock, stateOf, toldTo } from './debtors.ts';
import { depsOf, keyOf, useCounterparties } from './support.ts';

const { db } = useDatabase({ poolSize: 20 });
const parties = useCounterparties();
afterEach(async () => {
  await parties.fault('none');
  await moveClock(db, 0);
  await db.update(receivable).set({ dueAt: at('2040-01-01T08:00') });
});

const DUES = ['2027-03-01T23:00', '2027-03-02T23:00', '2027-03-03T23:00'];
const owing = (count = 1) =>
  makeDebtor(db, Array(count).fill('50.00'), { dueAt: DUES.slice(0, count).map(at) });
const deps = () => depsOf(db, { lenders: parties.bank(), scores: parties.scores() });
/** Everything that looks after debt, twice, as two workers would. */
async function look() {
  for (const _twice of [1, 2]) {
    await Promise.all([remindOfDebt(deps()), remindOfDebt(deps())]);
    await Promise.all([lookAfterOverdue(deps()), lookAfterOverdue(deps())]);
    await sendReportsDue(deps());
    await db.execute(sql`update job set next_attempt_at = clock_timestamp() where done_at is null`);
    await runDueJobs(deps(), { reportScore }, 20);
  }
}
const pay = ({ citizenId }: Debtor, amount: string) =>
  repay(
    { deps: deps(), key: keyOf(crypto.randomUUID()), body: { amount: yuan(amount) } },
    citizenId,
  );
const reportOf = async (lineId: string) => {
  const found = await db.select().from(scoreReport).where(eq(scoreReport.lineId, lineId));
  return found.map(({ status, reason }) => `${status} ${reason ?? ''}`.trim());
};
const reportsAtProvider = async () =>
  (await parties.call('GET', '/score-reports')).body.data as { serial: string; status: string }[];
const atProvider = async (lineId: string) => {
  const mine = await db.select().from(scoreReport).where(eq(scoreReport.lineId, lineId));
  const ids = new Set(mine.map((row) => row.id));
  return (await reportsAtProvider()).filter((r) => ids.has(r.serial)).map((r) => r.status);
};

describe('a receivable that falls due', () => {
  it('is told of once a step: 3 days and 1 day before, due, overdue, last day, suspended', async () => {
    const { citizenId, lineId } = await owing();
    for (const time of [
      '2027-02-26T22:00',
      '2027-02-26T23:30',
      '2027-02-28T12:00',
      '2027-02-28T23:30',
      '2027-03-01T23:01',
      '2027-03-01T23:30',
      '2027-03-03T23:30',
    ]) {
      await setClock(db, time);
      await look();
    }
    expect(await toldTo(db, citizenId)).toEqual([
      'receivable.reminded',
      'receivable.reminded',
      'receivable.due',
      'receivable.overdue',
      'receivable.overdueReminded',
    ]);
    expect(await stateOf(db, lineId)).toMatchObject({ status: 'active' });
    await setClock(db, '2027-03-04T23:01');
    await look();
    expect((await toldTo(db, citizenId)).slice(5)).toEqual(['line.suspended']);
    expect(await stateOf(db, lineId)).toMatchObject({ status: 'suspended' });
  });

  it('is reminded of at eight in the evening, not at night', async () => {
    const { citizenId } = await owing();
    await setClock(db, '2027-02-26T19:59');
    await look();
    expect(await toldTo(db, citizenId)).toEqual([]);
    await setClock(db, '2027-02-26T20:01');
    await look();
    expect(await toldTo(db, citizenId)).toEqual(['receivable.reminded']);
  });

  it('is told only of what is true now when nobody looked for a week', async () => {
    const { citizenId } = await owing();
    await setClock(db, '2027-03-09T12:00');
    await look();
    expect(await toldTo(db, citizenId)).toEqual(['receivable.overdue', 'line.suspended']);
  });

  it('is told of one step, not of those before it, when nobody looked for two days', async () => {
    const { citizenId } = await owing();
    await setClock(db, '2027-03-04T12:00');
    await look();
    expect((await toldTo(db, citizenId)).sort()).toEqual([
      'receivable.overdue',
      'receivable.overdueReminded',
    ]);
  });

  it('by its plan is overdue for the instalments that are due, not for all that is owed', async () => {
    const { citizenId, lineId, receivables } = await owing();
    const part = (amount: string, dueAt: string) => ({ amount: yuan(amount), dueAt: at(dueAt) });
    const plan = [part('20.00', DUES[0] as string), part('30.00', '2027-04-01T23:00')];
    await transact(db, (tx) => writePlan(tx, receivables[0] as string, plan));
    await setClock(db, '2027-03-02T08:00');
    await look();
    const told = await rows<{ amount: string }>(
      db,
      sql`select data ->> 'amount' as amount from event
        where citizen_id = ${citizenId} and type = 'receivable.overdue'`,
    );
    expect(told).toEqual([{ amount: '20.00' }]);
    expect((await findLine(db, 'LWB', lineId)).overdue).toBe(yuan('20.00'));
  });

  it('is neither reminded, overdue nor suspended while it awaits insurance', async () => {
    const debtor = await owing(3);
    const { citizenId, lineId } = debtor;
    await db.update(receivable).set({ awaitsInsurance: true }).where(eq(receivable.lineId, lineId));
    for (const time of ['2027-02-28T23:30', '2027-03-20T12:00']) {
      await setClock(db, time);
      await look();
    }
    expect(await toldTo(db, citizenId)).toEqual([]);
    expect(await stateOf(db, lineId)).toMatchObject({ status: 'active' });
    expect(await reportOf(lineId)).toEqual([]);
  });
});

describe('a line suspended for overdue debt', () => {
  const overdue = async (count = 1) => {
    const debtor = await owing(count);
    await setClock(db, '2027-03-07T12:00');
    await look();
    expect(await stateOf(db, debtor.lineId)).toMatchObject({ status: 'suspended' });
    return debtor;
  };
  const hold = async (citizenId: string, visitKind: 'outpatient' | 'emergency') =>
    transact(db, async (tx) =>
      placeHold(tx, {
        visitId: await makeVisit(db, { kind: visitKind }),
        payerCitizenId: citizenId,
        visitKind,
        amount: yuan('10.00'),
        isPartialAllowed: false,
        isEmergency: visitKind === 'emergency',
      }),
    );

  it('lends nothing more but for an emergency', async () => {
    const { citizenId } = await overdue();
    expect(await hold(citizenId, 'outpatient')).toMatchObject({ decline: 'credit/suspended' });
    expect(await hold(citizenId, 'emergency')).toMatchObject({ hold: { status: 'placed' } });
  });

  it('is restored when all that is overdue is repaid, not before', async () => {
    const debtor = await overdue(2);
    await pay(debtor, '50.00');
    expect(await stateOf(db, debtor.lineId)).toMatchObject({ status: 'suspended' });
    await pay(debtor, '50.00');
    expect(await stateOf(db, debtor.lineId)).toMatchObject({ status: 'active' });
    expect((await toldTo(db, debtor.citizenId)).slice(-1)).toEqual(['line.restored']);
    expect(await hold(debtor.citizenId, 'outpatient')).toMatchObject({
      hold: { status: 'placed' },
    });
  });

  it('is restored by a refund or conversion that erases the debt', async () => {
    const { lineId, settlements } = await overdue();
    const gone = { settlementId: settlements[0]!, amount: yuan('50.00') };
    await transact(db, (tx) => giveBackCredit(tx, gone));
    expect(await stateOf(db, lineId)).toMatchObject({ status: 'active', outstanding: '0.00' });
  });

  it('is restored when what is left falls due anew', async () => {
    const { lineId, settlements } = await overdue();
    await transact(db, (tx) => setAwaitsInsurance(tx, settlements[0]!, true));
    expect(await stateOf(db, lineId)).toMatchObject({ status: 'active' });
    await transact(db, (tx) => setAwaitsInsurance(tx, settlements[0]!, false));
    await look();
    expect(await stateOf(db, lineId)).toMatchObject({ status: 'active' });
  });
});

describe('three receivables overdue one after another', () => {
  const told = async () => {
    const debtor = await owing(3);
    for (const time of ['2027-03-02T08:00', '2027-03-03T08:00', '2027-03-04T08:00']) {
      await setClock(db, time);
      expect(await reportOf(debtor.lineId)).toEqual([]);
      await look();
    }
    expect(await reportOf(debtor.lineId)).toEqual(['told']);
    expect(await toldTo(db, debtor.citizenId)).toContain('scoreReport.told');
    return debtor;
  };
  const reported = async () => {
    const debtor = await told();
    await setClock(db, '2027-03-09T08:01');
    await look();
    expect(await reportOf(debtor.lineId)).toEqual(['reported']);
    return debtor;
  };

  it('are told of first, reported after the time to object, once', async () => {
    const { lineId } = await told();
    await setClock(db, '2027-03-09T07:59');
    await look();
    expect(await atProvider(lineId)).toEqual([]);
    await setClock(db, '2027-03-09T08:01');
    await look();
    expect(await atProvider(lineId)).toEqual(['reported']);
    expect(await reportOf(lineId)).toEqual(['reported']);
  });

  it('but one paid in time between them are not reported', async () => {
    const debtor = await owing(3);
    await setClock(db, '2027-03-02T08:00');
    await look();
    await db
      .update(receivable)
      .set({ paid: sql`amount` })
      .where(eq(receivable.id, debtor.receivables[1]!));
    await setClock(db, '2027-03-04T08:00');
    await look();
    expect(await reportOf(debtor.lineId)).toEqual([]);
  });

  it('are not reported when they are repaid in time', async () => {
    const debtor = await told();
    await pay(debtor, '150.00');
    expect(await reportOf(debtor.lineId)).toEqual(['dropped repaid']);
    await setClock(db, '2027-03-20T08:01');
    await look();
    expect(await atProvider(debtor.lineId)).toEqual([]);
  });

  it('of somebody who has died since are not reported', async () => {
    const { lineId } = await told();
    await db
      .update(creditLine)
      .set({ frozenFor: 'death', status: 'suspended' })
      .where(eq(creditLine.id, lineId));
    await setClock(db, '2027-03-09T08:01');
    await look();
    expect(await atProvider(lineId)).toEqual([]);
  });

  it('are cleared at the provider when they are repaid later', async () => {
    const debtor = await reported();
    await pay(debtor, '150.00');
    await look();
    expect(await reportOf(debtor.lineId)).toEqual(['withdrawn repaid']);
    expect(await atProvider(debtor.lineId)).toEqual(['repaid']);
  });

  it('are taken back when a conversion erases one of them', async () => {
    const { lineId, settlements } = await reported();
    const gone = { settlementId: settlements[1]!, amount: yuan('50.00') };
    await transact(db, (tx) => giveBackCredit(tx, gone));
    await look();
    expect(await reportOf(lineId)).toEqual(['withdrawn erased']);
    expect(await atProvider(lineId)).toEqual(['erased']);
  });

  it.each(['answerLost', 'error500'])(
    'reach the provider once, with %s on the way',
    async (mode) => {
      const { lineId } = await told();
      await setClock(db, '2027-03-09T08:01');
      await parties.fault(mode, ['report']);
      await look();
      expect(await reportOf(lineId)).toEqual(['reporting']);
      await parties.fault('none');
      await look();
      expect(await reportOf(lineId)).toEqual(['reported']);
      expect(await atProvider(lineId)).toEqual(['reported']);
    },
  );

  it('repaid while the report is being sent are cleared once it has arrived', async () => {
    const debtor = await told();
    await setClock(db, '2027-03-09T08:01');
    await parties.fault('answerLost', ['report']);
    await look();
    await pay(debtor, '150.00');
    await parties.fault('none');
    await look();
    await look();
    expect(await reportOf(debtor.lineId)).toEqual(['withdrawn repaid']);
    expect(await atProvider(debtor.lineId)).toEqual(['repaid']);
  });
});
