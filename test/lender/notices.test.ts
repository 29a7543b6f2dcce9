// What a lender tells us and what it does: rows 8, 10 and 11 of books.md over the API, each by its notice.
import { beforeAll, describe, expect, it } from 'vitest';
import { expectLaws, lineOf, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { said } from '../visit/support.ts';
import { banksOf } from './banks.ts';
import { debtOf, legsOf, nextNotice, notify, type Owing, owing, told } from './support.ts';

const app = useApp();
let scene: Scene;
let operator: string;
let colleague: string;
let stranger: string;
beforeAll(async () => {
  scene = await sceneOf(app);
  operator = await app.token('lenderOperator', { subject: 'LWB' });
  colleague = await app.token('lenderOperator', { subject: 'zhao' });
  stranger = await app.token('lenderOperator', { subject: 'YRB' });
});
const approve = (id: string, token: string, verb = 'approve') =>
  app.call('POST', `/v1/lender/notices/${id}/${verb}`, { token });
const repayAll = async ({ token }: Owing, amount = '50.00') => {
  const reply = await app.call('POST', '/v1/me/repayments', { token, body: { amount } });
  expect(reply.body, reply.text).toMatchObject({ status: 'paid' });
  return reply.body.id as string;
};

describe('a notice', () => {
  it('of another lender’s line is 404, whatever it is about', async () => {
    const { lineId, receivableId, token } = await owing(scene);
    for (const notice of [
      { kind: 'freeze', lineId },
      { kind: 'writeOff', receivableId },
      { kind: 'received', lineId, amount: '1.00', bankSerial: 'x' },
    ]) {
      expect(said(await notify(app, stranger, notice))).toEqual([404, 'resource/not-found']);
    }
    expect((await lineOf(app, token)).status).toBe('active');
  });

  it('is taken once by its number, and another of that number is refused', async () => {
    const { lineId } = await owing(scene);
    const first = { number: nextNotice(), kind: 'limit', lineId, amount: '900.00' };
    const taken = await told(app, operator, first);
    expect((await told(app, operator, first)).id).toBe(taken.id);
    const other = { ...first, amount: '800.00' };
    expect(said(await notify(app, operator, other))).toEqual([409, 'notice/number-taken']);
  });
});

describe('the line', () => {
  it('is frozen and opened again by the lender; repaying does not lift a freeze', async () => {
    const debtor = await owing(scene);
    const { lineId, token } = debtor;
    await told(app, operator, { kind: 'freeze', lineId });
    expect((await lineOf(app, token)).status).toBe('suspended');
    await repayAll(debtor);
    expect((await lineOf(app, token)).status).toBe('suspended');
    await told(app, operator, { kind: 'unfreeze', lineId });
    expect((await lineOf(app, token)).status).toBe('active');
    expect(said(await notify(app, operator, { kind: 'unfreeze', lineId }))).toEqual([
      409,
      'notice/wrong-state',
    ]);
  });

  it('has the lender’s limit; a lower one cancels nothing', async () => {
    const { lineId, token } = await owing(scene);
    await told(app, operator, { kind: 'limit', lineId, amount: '20.00' });
    expect(await lineOf(app, token)).toMatchObject({
      limit: '20.00',
      outstanding: '50.00',
      available: '0.00',
    });
  });

  it('of a dead person lends nothing and is a case for finance', async () => {
    const { lineId, token } = await owing(scene);
    await told(app, operator, { kind: 'death', lineId });
    expect((await lineOf(app, token)).status).toBe('suspended');
    const auditor = await app.token('auditor');
    const cases = await app.call('GET', '/v1/finance-cases?kind=lender/death&limit=100', {
      token: auditor,
    });
    expect(cases.body.data.map((each: { subjectId: string }) => each.subjectId)).toContain(lineId);
    const lines = await app.call('GET', `/v1/lender/lines/${lineId}`, { token: operator });
    expect(lines.body).toMatchObject({ frozenFor: 'death', outstanding: '50.00' });
  });
});

describe('a receivable', () => {
  it('shows late charges of the lender, which nobody books', async () => {
    const { receivableId, token } = await owing(scene);
    await told(app, operator, { kind: 'lateCharge', receivableId, amount: '1.25' });
    await told(app, operator, { kind: 'lateCharge', receivableId, amount: '0.75' });
    expect(await debtOf(app, token, receivableId)).toMatchObject({
      lateCharges: '2.00',
      outstanding: '50.00',
    });
  });

  it('is spread over instalments when two people of the lender say so', async () => {
    const debtor = await owing(scene);
    const { receivableId, token } = debtor;
    const part = (amount: string, dueOn: string) => ({ amount, dueOn });
    const plan = (first: string) => ({
      kind: 'hardship',
      receivableId,
      instalments: [part(first, '2099-02-01'), part('30.00', '2099-01-01')],
    });
    const wrong = await told(app, operator, plan('20.01'));
    expect(said(await approve(wrong.id, colleague))).toEqual([422, 'notice/plan-mismatch']);
    const proposed = await notify(app, operator, plan('20.00'));
    expect(proposed).toMatchObject({ status: 202, body: { status: 'proposed', checker: null } });
    expect(said(await approve(proposed.body.id, operator))).toEqual([403, 'finance/same-person']);
    expect((await approve(proposed.body.id, stranger)).status).toBe(404);
    expect((await debtOf(app, token, receivableId)).instalments).toBeUndefined();
    expect((await approve(proposed.body.id, colleague)).body.status).toBe('applied');
    expect((await debtOf(app, token, receivableId)).instalments).toEqual([
      part30('2099-01-01'),
      { amount: '20.00', dueAt: '2099-02-01T15:00:00.000Z' },
    ]);
    await repayAll(debtor, '35.00');
    expect(await debtOf(app, token, receivableId)).toMatchObject({
      outstanding: '15.00',
      dueAt: '2099-02-01T15:00:00.000Z',
      instalments: [{ amount: '15.00' }],
    });
    await expectLaws(app);
  });
  const part30 = (day: string) => ({ amount: '30.00', dueAt: `${day}T15:00:00.000Z` });

  it('is written off by two people, claimed on, and recovered: row 11', async () => {
    const { receivableId, token, lineId } = await owing(scene);
    const { id } = await told(app, operator, { kind: 'writeOff', receivableId });
    expect(await debtOf(app, token, receivableId)).toMatchObject({ status: 'open' });
    expect((await approve(id, colleague, 'approve')).body.status).toBe('applied');
    expect(await debtOf(app, token, receivableId)).toMatchObject({ status: 'writtenOff' });
    expect(await lineOf(app, token)).toMatchObject({ outstanding: '0.00', status: 'suspended' });
    expect(await legsOf(app, 'debt.writtenOff', token)).toEqual([
      '5101 50.00',
      '1301 -50.00',
      '9301 50.00',
      '9302 -50.00',
    ]);
    await expectLaws(app);
    const leave = await app.call('DELETE', '/v1/me/credit-line', { token });
    expect(said(leave)).toEqual([409, 'credit/debt-open']);
    const recovered = { kind: 'recovered', receivableId, bankSerial: nextNotice() };
    const tooMuch = await notify(app, operator, { ...recovered, amount: '50.01' });
    expect(said(tooMuch)).toEqual([422, 'repayment/exceeds-debt']);
    await told(app, operator, { ...recovered, amount: '50.00' });
    expect(await legsOf(app, 'debt.recovered', token)).toEqual([
      '1311 50.00',
      '5102 -50.00',
      '9302 50.00',
      '9301 -50.00',
    ]);
    expect(await debtOf(app, token, receivableId)).toMatchObject({ status: 'paid' });
    expect(lineId).toMatch(/^lin_/);
    await expectLaws(app);
  });

  it('that was written off comes back through 5102 when the bill is refunded', async () => {
    const { receivableId, settlementId, token } = await owing(scene);
    const { id } = await told(app, operator, {
      kind: 'writeOff',
      receivableId,
      amount: '20.00',
    });
    await approve(id, colleague);
    const refund = await app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退' },
    });
    expect(refund.body, refund.text).toMatchObject({ status: 'completed', amount: '50.00' });
    expect((await legsOf(app, 'refund.completed', token)).sort()).toEqual([
      '1301 -30.00',
      '5102 -20.00',
      '9301 -20.00',
      '9302 20.00',
    ]);
    await expectLaws(app);
  });

  it('is paid by money that the lender has got itself: row 8', async () => {
    const { lineId, token, receivableId } = await owing(scene);
    const bankSerial = nextNotice();
    const received = { kind: 'received', lineId, receivableId, amount: '50.00', bankSerial };
    await told(app, operator, received);
    expect(said(await notify(app, operator, { ...received, amount: '1.00' }))).toEqual([
      409,
      'notice/wrong-state',
    ]);
    expect(await legsOf(app, 'repayment.paid', token)).toEqual(['1311 50.00', '1301 -50.00']);
    expect(await debtOf(app, token, receivableId)).toMatchObject({ status: 'paid' });
    await expectLaws(app);
  });
});

describe('a confirmed debit', () => {
  it('that the bank takes back is owed again, once: row 10', async () => {
    const debtor = await owing(scene);
    const repaymentId = await repayAll(debtor);
    const bank = banksOf(app);
    await bank.takeBack('LWB', repaymentId);
    await told(app, operator, { kind: 'debitReturned', repaymentId });
    expect(await legsOf(app, 'repayment.returned', debtor.token)).toEqual([
      '1301 50.00',
      '1311 -50.00',
    ]);
    expect(await lineOf(app, debtor.token)).toMatchObject({ outstanding: '50.00' });
    expect(said(await notify(app, operator, { kind: 'debitReturned', repaymentId }))).toEqual([
      409,
      'notice/wrong-state',
    ]);
    await repayAll(debtor);
    await expectLaws(app);
  });

  it('that the bank made twice goes back to whoever paid: row 10', async () => {
    const debtor = await owing(scene);
    const bank = banksOf(app);
    await bank.fault({ mode: 'paidTwice', on: ['debit'], lender: 'LWB' });
    const repaymentId = await repayAll(debtor);
    await bank.fault({ mode: 'none' });
    const both = (await bank.books('LWB')).filter((t) => t.serial === repaymentId);
    expect(both.map((t) => t.kind)).toEqual(['debit', 'debit']);
    const bankSerial = both[1]?.bankSerial;
    await told(app, operator, { kind: 'debitPaidTwice', repaymentId, bankSerial });
    const again = { kind: 'debitPaidTwice', repaymentId, bankSerial };
    expect(said(await notify(app, operator, again))).toEqual([409, 'notice/wrong-state']);
    expect(await legsOf(app, 'repayment.received', debtor.token)).toEqual([
      '1311 50.00',
      '2201 -50.00',
    ]);
    await waitFor(async () => (await legsOf(app, 'moneyBack.paid', debtor.token)).length === 2);
    expect(await legsOf(app, 'moneyBack.paid', debtor.token)).toEqual([
      '2201 50.00',
      '1311 -50.00',
    ]);
    const sums = (await bank.books('LWB'))
      .filter((t) => t.account === both[0]?.account && t.status === 'paid')
      .map((t) => `${t.kind} ${t.amount}`);
    expect(sums).toEqual(['debit 50.00', 'debit 50.00', 'credit 50.00']);
    await expectLaws(app);
  });

  it('that closed the line opens it again when it is taken back', async () => {
    const debtor = await owing(scene);
    const repaymentId = await repayAll(debtor);
    const closed = await app.call('DELETE', '/v1/me/credit-line', { token: debtor.token });
    expect(closed.status).toBe(204);
    await told(app, operator, { kind: 'debitReturned', repaymentId });
    expect(await lineOf(app, debtor.token)).toMatchObject({
      status: 'suspended',
      outstanding: '50.00',
    });
    await repayAll(debtor);
    await expectLaws(app);
  });
});
