// The day's disbursement file and its answer: each capture in one file, the answer whole or not at all.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { said } from '../visit/support.ts';
import { type Owing, owing } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let operator: string;
let stranger: string;
let debtors: Owing[];
let day: string;
let file: ReplyBody;
const DAY_SECONDS = 86_400;

const read = (businessDate: string, query = '', token = operator, accept = 'application/json') =>
  app.call('GET', `/v1/lender/disbursements/${businessDate}${query}`, {
    token,
    headers: { accept },
  });
const answer = (text: string, token = operator, businessDate = day) =>
  app.call('POST', `/v1/lender/disbursements/${businessDate}/answer`, {
    token,
    body: text,
    headers: { 'content-type': 'text/csv' },
  });
const HEADER = 'holdId,loanNumber,receivableId,amount,status,reason,bookedOn';
const rowOf = (row: ReplyBody, loan: string, more: Record<string, string> = {}) => {
  const cells = {
    ...{ holdId: row.holdId, loanNumber: loan, receivableId: row.receivableId },
    ...{ amount: row.amount, status: 'booked', reason: '', bookedOn: day, ...more },
  };
  return HEADER.split(',')
    .map((name) => (cells as Record<string, string>)[name])
    .join(',');
};
const fileOf = (...lines: string[]) => `\ufeff${[HEADER, ...lines].join('\r\n')}\r\n`;

beforeAll(async () => {
  scene = await sceneOf(app);
  operator = await app.token('lenderOperator', { subject: 'LWB' });
  stranger = await app.token('lenderOperator', { subject: 'YRB' });
  debtors = [await owing(scene, '50.00'), await owing(scene, '20.00'), await owing(scene, '7.00')];
  const [seen] = (await app.call('GET', '/v1/lender/receivables', { token: operator })).body.data;
  day = new Date(Date.parse(seen.capturedAt) + 8 * 3_600_000).toISOString().slice(0, 10);
});
afterAll(() => app.clock(0));

describe('the file of a day', () => {
  it('is not made before the day is over', async () => {
    expect(said(await read(day))).toEqual([409, 'disbursement/day-not-over']);
  });

  it('lists each capture once; what comes later is in the next file', async () => {
    await app.clock(DAY_SECONDS);
    const late = await owing(scene, '5.00');
    file = (await read(day)).body;
    expect(file).toMatchObject({ lender: 'LWB', count: 3, total: '77.00', answeredAt: null });
    const ids = file.data.map((row: ReplyBody) => row.receivableId);
    expect(new Set(ids)).toEqual(new Set(debtors.map((d) => d.receivableId)));
    expect((await read(day)).body).toEqual(file);
    await app.clock(2 * DAY_SECONDS);
    const next = new Date(Date.parse(day) + DAY_SECONDS * 1000).toISOString().slice(0, 10);
    const later = (await read(next)).body;
    expect(later.data.map((row: ReplyBody) => row.receivableId)).toEqual([late.receivableId]);
    expect((await read(day, '', stranger)).body).toMatchObject({ count: 0, total: '0.00' });
  });

  it('is read page by page, and as CSV whole', async () => {
    const first = (await read(day, '?limit=2')).body;
    const rest = (await read(day, `?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.data, ...rest.data]).toEqual(file.data);
    const csv = (await read(day, '?limit=1', operator, 'text/csv')).text;
    expect(csv.trim().split('\r\n')).toHaveLength(4);
    expect(csv).toContain('holdId,receivableId,lineId,amount,fixmedinsCode');
  });
});

describe('an answer', () => {
  const rows = () => file.data as [ReplyBody, ReplyBody, ReplyBody];

  it.each([
    [
      'a missing column',
      () => 'holdId,loanNumber\r\nx,y\r\n',
      'file/wrong-header',
      1,
      'receivableId',
    ],
    [
      'a stranger’s capture',
      () => fileOf(rowOf({ ...rows()[0], receivableId: 'rcv_x' }, 'L1')),
      'file/bad-value',
      2,
      'receivableId',
    ],
    [
      'another amount',
      () => fileOf(rowOf(rows()[0], 'L1'), rowOf(rows()[1], 'L2', { amount: '1.00' })),
      'file/bad-value',
      3,
      'amount',
    ],
    [
      'another hold',
      () => fileOf(rowOf(rows()[0], 'L1', { holdId: 'hld_x' })),
      'file/bad-value',
      2,
      'holdId',
    ],
    ['no loan number', () => fileOf(rowOf(rows()[0], '')), 'file/bad-value', 2, 'loanNumber'],
    [
      'an unknown status',
      () => fileOf(rowOf(rows()[0], 'L1', { status: 'ok' })),
      'file/bad-value',
      2,
      'status',
    ],
    [
      'no day',
      () => fileOf(rowOf(rows()[0], 'L1', { bookedOn: '2026-02-30' })),
      'file/bad-value',
      2,
      'bookedOn',
    ],
    [
      'a row twice',
      () => fileOf(rowOf(rows()[0], 'L1'), rowOf(rows()[0], 'L2')),
      'file/duplicate-row',
      3,
      'receivableId',
    ],
    [
      'a loan number twice',
      () => fileOf(rowOf(rows()[0], 'L1'), rowOf(rows()[1], 'L1')),
      'file/duplicate-row',
      3,
      'loanNumber',
    ],
    ['a formula', () => fileOf(rowOf(rows()[0], '=1+1')), 'file/formula', 2, 'loanNumber'],
    [
      'a cut-off row',
      () => `${fileOf(rowOf(rows()[0], 'L1'))}hld_1,L2`,
      'file/truncated',
      3,
      undefined,
    ],
    [
      'an open quote',
      () => `${fileOf(rowOf(rows()[0], 'L1'))}"hld`,
      'file/truncated',
      undefined,
      undefined,
    ],
  ])(
    'with %s is refused with row and column, and nothing is taken',
    async (_what, text, code, row, column) => {
      const reply = await answer(text());
      expect(said(reply)).toEqual([422, code]);
      if (row !== undefined)
        expect(reply.body).toMatchObject({ row, ...(column ? { column } : {}) });
      expect((await read(day)).body).toEqual(file);
    },
  );

  it('of another lender or of a day without a file is 404', async () => {
    const text = fileOf(rowOf(rows()[0], 'L1'));
    expect((await answer(text, operator, '2026-01-01')).status).toBe(404);
    expect(said(await answer(text, stranger))).toEqual([422, 'file/bad-value']);
  });

  it('books loans, opens a case of a refused one, and is taken once by its bytes', async () => {
    const [one, two] = rows();
    const refused = { status: 'refused', reason: '额度冻结', loanNumber: '' };
    const text = fileOf(rowOf(one, 'LN-1'), rowOf(two, '', refused));
    const taken = await answer(text);
    expect(taken.body).toMatchObject({ booked: 1, refused: 1, missing: 1 });
    expect((await answer(text)).body).toEqual(taken.body);
    const otherwise = fileOf(rowOf(one, 'LN-9'));
    expect(said(await answer(otherwise))).toEqual([409, 'disbursement/answered']);
    const takenBack = fileOf(rowOf(one, '', refused));
    expect(said(await answer(takenBack))).toEqual([409, 'disbursement/answered']);
    const loans = await app.call('GET', '/v1/lender/receivables?limit=100', { token: operator });
    const numbers = Object.fromEntries(
      loans.body.data.map((loan: ReplyBody) => [loan.id, loan.loanNumber]),
    );
    expect([numbers[one.receivableId], numbers[two.receivableId]]).toEqual(['LN-1', null]);
    const auditor = await app.token('auditor');
    const cases = await app.call('GET', '/v1/finance-cases?kind=lender/loan-refused', {
      token: auditor,
    });
    expect(cases.body.data).toMatchObject([{ subjectId: two.receivableId, reason: '额度冻结' }]);
    const rest = await answer(fileOf(rowOf(two, 'LN-2')));
    expect(rest.body).toMatchObject({ booked: 1, refused: 0, missing: 1 });
    const after = await app.call('GET', '/v1/finance-cases?kind=lender/loan-refused&status=open', {
      token: auditor,
    });
    expect(after.body.data).toEqual([]);
    await expectLaws(app);
  });
});

describe('the evidence of a loan', () => {
  it('names agreement, consents, hold and hospital, and nothing medical', async () => {
    const [debtor] = debtors as [Owing];
    const path = `/v1/lender/receivables/${debtor.receivableId}/evidence`;
    const reply = await app.call('GET', path, { token: operator });
    expect(reply.body).toMatchObject({
      amount: '50.00',
      agreementVersion: '1',
      hold: { amount: '300.00' },
      hospital: { code: scene.hospitalCode },
    });
    expect(reply.body.consents.map((c: { kind: string }) => c.kind)).toEqual([
      'autoDebit',
      'creditEnquiry',
      'healthPayment',
    ]);
    expect(reply.text).not.toMatch(/department|diagnos|item|X1|项目|visit/i);
    expect((await app.call('GET', path, { token: stranger })).status).toBe(404);
    const log = await app.call('GET', '/v1/me/access-log', { token: debtor.token });
    expect(log.text).toContain('贷款银行查看您的借款凭证');
  });

  it('and lines and receivables are seen by their own lender only', async () => {
    const [debtor] = debtors as [Owing];
    const ask = (path: string, token: string) => app.call('GET', path, { token });
    expect((await ask('/v1/lender/lines', stranger)).body.data).toEqual([]);
    expect((await ask('/v1/lender/receivables', stranger)).body.data).toEqual([]);
    const path = `/v1/lender/lines/${debtor.lineId}`;
    expect((await ask(path, stranger)).status).toBe(404);
    const mine = await ask(path, operator);
    expect(mine.body).toMatchObject({ outstanding: '50.00', status: 'active' });
    expect(mine.text).not.toContain(debtor.person.idNumber);
    const csv = await app.call('GET', '/v1/lender/receivables', {
      token: operator,
      headers: { accept: 'text/csv' },
    });
    expect(csv.text).toContain('LN-1');
  });
});
