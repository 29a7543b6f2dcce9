// One movement of money is booked once and its remains go to whoever they are of, however a bank tells it:
// by a debit's answer, by a notice, twice under one serial, or taken back when a part was given back.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { runDueJobs } from '../../src/outbox/jobs.ts';
import { finishRepayment } from '../../src/repayment/finish-repayment.ts';
import { resolveRepayments } from '../../src/repayment/resolve-repayments.ts';
import { sendMoneyBack } from '../../src/settlement/send-money-back.ts';
import { addKin, linkChild } from '../family/support.ts';
import { letTimePass } from '../repayment/support.ts';
import {
  charge,
  expectLaws,
  item,
  lineOf,
  newPatient,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';
import { banksOf } from './banks.ts';
import { notify, owing, told } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let operator: string;
beforeAll(async () => {
  scene = await sceneOf(app);
  operator = await app.token('lenderOperator', { subject: 'LWB' });
});
afterEach(() => banksOf(app).fault({ mode: 'none' }));

const pay = (token: string, amount: string, receivableIds?: string[]) =>
  app.call('POST', '/v1/me/repayments', {
    token,
    body: { amount, ...(receivableIds ? { receivableIds } : {}) },
  });

/** A debit whose answer is lost: the bank has the money, nobody knows yet. */
async function payUnknown(token: string, amount: string, receivableIds?: string[]) {
  await banksOf(app).fault({ mode: 'answerLost', on: ['debit'], lender: 'LWB' });
  const reply = await pay(token, amount, receivableIds);
  expect(reply.body, reply.text).toMatchObject({ status: 'unknown' });
  await banksOf(app).fault({ mode: 'none' });
  return reply.body.id as string;
}

async function resolve() {
  await letTimePass(app.db);
  await resolveRepayments(app.deps);
}

const sendAll = async () => {
  await app.db.execute(sql`update job set next_attempt_at = clock_timestamp()
    where done_at is null and kind = 'sendMoneyBack'`);
  await runDueJobs(app.deps, { sendMoneyBack }, 50);
};

async function statusOf(repaymentId: string) {
  const [row] = await rows<{ status: string }>(
    app.db,
    sql`select status from repayment where id = ${repaymentId}`,
  );
  return row?.status;
}

/** A bill of 30.00 + 20.00 on credit. */
async function twoLines() {
  const patient = await newPatient(app);
  const visit = await openVisit(scene, patient.person);
  await charge(scene, visit.id, [item(1, '30.00'), item(2, '20.00')]);
  const { body } = await settle(scene, visit.id, { insurance: 'skip' });
  return { ...patient, settlementId: body.id as string, receivableId: body.receivableId as string };
}

const refund = async (settlementId: string, lineNumber: number) => {
  const reply = await app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
    token: scene.terminal,
    body: { lines: [{ lineNumber }], reason: '退' },
  });
  expect(reply.status, reply.text).toBeLessThan(300);
};

describe('money that a lender tells of', () => {
  it('while a debit for it is under way waits for that debit, and is not booked beside it', async () => {
    const debtor = await owing(scene);
    const repaymentId = await payUnknown(debtor.token, '50.00');
    const [debit] = (await banksOf(app).books('LWB')).filter((t) => t.serial === repaymentId);
    const { lineId } = debtor;
    const received = {
      ...{ kind: 'received', lineId, amount: '50.00', bankSerial: debit?.bankSerial },
    };
    expect(said(await notify(app, operator, received))).toEqual([409, 'repayment/under-way']);
    await resolve();
    expect(await statusOf(repaymentId)).toBe('paid');
    expect(said(await notify(app, operator, received))).toEqual([409, 'notice/wrong-state']);
    expect((await lineOf(app, debtor.token)).outstanding).toBe('0.00');
    await expectLaws(app);
  });

  it('under a serial of another debit is not believed: a case, and the debit waits', async () => {
    const [first, second] = [await owing(scene), await owing(scene)];
    const one = (await pay(first.token, '50.00')).body.id as string;
    const [debit] = (await banksOf(app).books('LWB')).filter((t) => t.serial === one);
    const other = await payUnknown(second.token, '50.00');
    const lie = { outcome: 'paid' as const, bankSerial: debit?.bankSerial ?? '' };
    await transact(app.db, (tx) => finishRepayment(tx, other, lie));
    expect(await statusOf(other)).toBe('unknown');
    const cases = await rows(
      app.db,
      sql`select 1 from finance_case where kind = 'lender/serial-used' and subject_id = ${other}`,
    );
    expect(cases).toHaveLength(1);
    await resolve();
    expect(await statusOf(other)).toBe('paid');
    await expectLaws(app);
  });
});

describe('a debit taken back', () => {
  it('whose surplus never left does not cost a relative what they pay again', async () => {
    const debtor = await twoLines();
    const child = await addKin(app, debtor.person, 'child', uniquePerson({ age: 9 }));
    const link = await linkChild(app, debtor, child);
    const account = `acc-${child.person.idNumber}`;
    await app.db.execute(sql`
      update citizen set bank_account = ${app.deps.keyring.seal(account)}::bytea where id = (
        select beneficiary_citizen_id from family_link where id = ${link.id})`);
    const repaymentId = await payUnknown(child.token, '50.00', [debtor.receivableId]);
    await refund(debtor.settlementId, 1);
    await resolve();
    await told(app, operator, { kind: 'debitReturned', repaymentId });
    expect((await lineOf(app, debtor.token)).outstanding).toBe('20.00');
    expect((await pay(child.token, '20.00', [debtor.receivableId])).body.status).toBe('paid');
    await refund(debtor.settlementId, 2);
    await sendAll();
    const credits = (await banksOf(app).books('LWB')).filter((t) => t.kind === 'credit');
    expect(credits.filter((t) => t.account === account).map((t) => t.amount)).toEqual(['20.00']);
    expect(credits.filter((t) => t.account === `acc-${debtor.person.idNumber}`)).toEqual([]);
    await expectLaws(app);
  });

  it('whose surplus lies among other money for the same bill leaves the books right', async () => {
    const debtor = await twoLines();
    expect((await pay(debtor.token, '20.00')).body.status).toBe('paid');
    const repaymentId = await payUnknown(debtor.token, '30.00');
    await refund(debtor.settlementId, 1);
    await refund(debtor.settlementId, 2);
    await resolve();
    // What the refunds gave back is sent; the surplus is refused by the bank.
    const [surplus] = await rows<{ id: string }>(
      app.db,
      sql`select id from money_back where cause_id = ${repaymentId}`,
    );
    await app.db.execute(sql`update money_back set status = 'failed' where id = ${surplus?.id}`);
    await sendAll();
    await told(app, operator, { kind: 'debitReturned', repaymentId });
    expect((await lineOf(app, debtor.token)).outstanding).toBe('0.00');
    await expectLaws(app);
  });
});
