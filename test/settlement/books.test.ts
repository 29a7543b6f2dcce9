// The books' worked example, row by row, as it comes out of the real service: what is posted, leg by
// leg, and the columns D citizen's debt, K hospital's claim on the lender, I insurer owes, C cash in
// drawer, P owed to the patient. In every row K + I + C + bank and sponsor − P = what is billed, net.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ReplyBody, useApp } from '../support/app.ts';
import { type Parties, partiesOf, workOnce } from './parties.ts';
import {
  charge,
  type Enrolled,
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
} from './support.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
let scene: Scene;
let auditor: string;
let parties: Parties;

/** What the insurer pays of a line of 60.00 and of one of 240.00: 38.00 and 152.00 (190 of 300). */
const agreed = [
  { code: 'BOOK-60', class: '甲', priceLimit: '38' },
  { code: 'BOOK-240', class: '甲', priceLimit: '152' },
] as const;

beforeAll(async () => {
  scene = await sceneOf(app);
  auditor = await app.token('auditor');
  parties = partiesOf(app);
  await parties.insurer.setCatalogue([...agreed]);
  await parties.insurer.setRules({ ratios: { employee: { 1: '1', 2: '1', 3: '1' } } });
});
beforeEach(async () => {
  await app.fault({ mode: 'none' });
  await parties.bankFault('none');
});

interface Case extends Enrolled {
  visit: ReplyBody;
  settlement: ReplyBody;
}

const cash = (amount: string) => ({ kind: 'cash', amount, reference: nextNumber('C') });
const line60 = { ...item(1, '60.00'), code: 'BOOK-60' };
const line240 = { ...item(2, '240.00'), code: 'BOOK-240' };

/** The visit of the example: 300.00 charged, 30.00 on the personal account, settled as asked. */
async function settled(
  body: Record<string, unknown>,
  patient: Parameters<typeof newPatient>[1] = {},
): Promise<Case> {
  const enrolled = await newPatient(app, { accountBalance: '30.00', ...patient });
  const visit = await openVisit(scene, enrolled.person, { usePersonalAccount: true });
  await charge(scene, visit.id, [line60, line240]);
  const reply = await settle(scene, visit.id, body);
  expect(reply.status, reply.text).toBe(200);
  return { ...enrolled, visit, settlement: reply.body };
}

/** Row 1: fund 190, personal account 30, credit 50, cash 30. */
const rowOne = (patient?: Parameters<typeof newPatient>[1]) =>
  settled({ counterTenders: [cash('30.00')] }, patient);

/** Row 2: an outage; credit 180, cash 120. */
async function rowTwo(patient?: Parameters<typeof newPatient>[1]): Promise<Case> {
  await app.fault({ mode: 'error500', on: ['2203'] });
  const made = await settled({ counterTenders: [cash('120.00')] }, patient);
  await app.fault({ mode: 'none' });
  expect(made.settlement.insurance.status).toBe('awaitingInsurance');
  return made;
}

async function refund(of: Case, body: Record<string, unknown>, status = 201): Promise<ReplyBody> {
  const reply = await app.call('POST', `/v1/settlements/${of.settlement.id}/refunds`, {
    token: scene.terminal,
    body: { reason: '退药', ...body },
  });
  expect(reply.status, reply.text).toBe(status);
  return reply.body;
}

async function repay(of: Case, amount: string, status = 201): Promise<ReplyBody> {
  const reply = await app.call('POST', '/v1/me/repayments', { token: of.token, body: { amount } });
  expect(reply.status, reply.text).toBe(status);
  return reply.body;
}

async function entriesOf(of: Case): Promise<ReplyBody[]> {
  const target = `/v1/ledger/entries?limit=100&settlementId=${of.settlement.id}`;
  const reply = await app.call('GET', target, { token: auditor });
  expect(reply.status, reply.text).toBe(200);
  return [...reply.body.data].reverse();
}

/** "fact: B 1301 50 / 2101 50 · H 1201 190 / 4101~ 190": debits / credits, "~" undoes earlier legs. */
async function posted(of: Case): Promise<string[]> {
  return (await entriesOf(of)).map((entry) => {
    const owners = ['B', 'H'].flatMap((owner) => {
      const legs = entry.legs.filter((leg: ReplyBody) => leg.ownerKind === owner);
      if (legs.length === 0) return [];
      return [`${owner} ${sideOf(legs, 'debit')} / ${sideOf(legs, 'credit')}`];
    });
    return `${entry.fact}: ${owners.join(' · ')}`;
  });
}

function sideOf(legs: ReplyBody[], side: 'debit' | 'credit'): string {
  const sums = new Map<string, bigint>();
  for (const leg of legs) {
    const amount = fen(leg[side]);
    const key = `${leg.account}${leg.undoes ? '~' : ''}`;
    if (amount > 0n) sums.set(key, (sums.get(key) ?? 0n) + amount);
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, amount]) => `${key} ${shown(amount)}`)
    .join(', ');
}

/** 19000 → "190", 1250 → "12.50". */
const shown = (amount: bigint) =>
  amount % 100n === 0n
    ? `${amount / 100n}`
    : `${amount / 100n}.${`${amount % 100n}`.padStart(2, '0')}`;

type Columns = Record<'D' | 'K' | 'I' | 'C' | 'P', number>;

/** Checks the columns in the books, D on the citizen's line too, and that the row adds up. */
async function expectColumns(of: Case, expected: Columns): Promise<void> {
  const legs = (await entriesOf(of)).flatMap((entry) => entry.legs);
  const sum = (...accounts: string[]) =>
    legs
      .filter((leg: ReplyBody) => accounts.includes(leg.account))
      .reduce((total: bigint, leg: ReplyBody) => total + fen(leg.debit) - fen(leg.credit), 0n);
  const columns = {
    D: sum('1301'),
    K: sum('1203'),
    I: sum('1201', '1202'),
    C: sum('1101'),
    P: -sum('2203'),
  };
  const inYuan = Object.entries(columns).map(([name, amount]) => [name, Number(amount) / 100]);
  expect(Object.fromEntries(inYuan)).toEqual(expected);
  const elsewhere = sum('1102', '1104', '1205', '1207', '4102');
  expect(columns.K + columns.I + columns.C + elsewhere - columns.P).toBe(-sum('4101'));
  const line = await app.call('GET', '/v1/me/credit-line', { token: of.token });
  expect(line.status === 404 ? 0n : fen(line.body.outstanding)).toBe(columns.D);
  await expectLaws(app);
}

describe('row 1, settled with insurance', () => {
  it('books fund, account, credit and cash against the bill', async () => {
    const of = await rowOne();
    expect(of.settlement.tenders.map((t: ReplyBody) => [t.kind, t.amount])).toEqual([
      ['insuranceFund', '190.00'],
      ['personalAccount', '30.00'],
      ['cash', '30.00'],
      ['credit', '50.00'],
    ]);
    expect(await posted(of)).toEqual([
      'settlement.settled: B 1301 50 / 2101 50 · H 1101 30, 1201 190, 1202 30, 1203 50 / 4101 300',
    ]);
    await expectColumns(of, { D: 50, K: 50, I: 220, C: 30, P: 0 });
  });

  it("carries the insurer's number on the legs of its claim and the lender's name on its own", async () => {
    const of = await rowOne();
    const [entry] = await entriesOf(of);
    const [claim] = await app.claims({ visitNumber: of.visit.visitNumber });
    const leg = (account: string) => entry?.legs.find((l: ReplyBody) => l.account === account);
    expect(leg('1201').reference).toBe(claim?.setlId);
    expect(leg('1202').claimId).toBe(leg('1201').claimId);
    expect(leg('1203').counterparty).toBe(leg('1301').owner);
    expect(leg('2101').counterparty).toBe(scene.hospitalCode);
  });
});

describe('row 2, settled in an outage', () => {
  it('books credit and cash for the whole bill, and nothing at the insurer', async () => {
    const of = await rowTwo();
    expect(await posted(of)).toEqual([
      'settlement.settled: B 1301 180 / 2101 180 · H 1101 120, 1203 180 / 4101 300',
    ]);
    await expectColumns(of, { D: 180, K: 180, I: 0, C: 120, P: 0 });
  });
});

describe('row 3b, credit given back after 100 was repaid', () => {
  it('takes off what is owed first and makes the repaid rest refundable, then pays it back', async () => {
    const of = await rowTwo();
    await repay(of, '100.00');
    await expectColumns(of, { D: 80, K: 180, I: 0, C: 120, P: 0 });
    const { tenders } = await refund(of, { all: true });
    expect(tenders.map((t: ReplyBody) => [t.kind, t.amount])).toEqual([
      ['credit', '80.00'],
      ['credit', '100.00'],
      ['cash', '120.00'],
    ]);
    await workOnce(app);
    const [, repaid, refunded, ...paid] = await posted(of);
    expect(repaid).toBe('repayment.paid: B 1311 100 / 1301 100');
    expect(refunded).toBe(
      'refund.completed: B 2101~ 180 / 1301~ 80, 2201 100 · H 4101~ 300 / 1203~ 180, 2203 120',
    );
    expect(paid.sort()).toEqual([
      'moneyBack.paid: B 2201~ 100 / 1311 100',
      'moneyBack.paid: H 2203~ 120 / 1102 120',
    ]);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 120, P: 0 });
  });
});

describe('row 4, cash goes back', () => {
  it("to the patient's own account", async () => {
    const of = await rowTwo();
    await refund(of, { lines: [{ lineNumber: 2 }] });
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 120, P: 60 });
    await workOnce(app);
    expect((await posted(of)).at(-1)).toBe('moneyBack.paid: H 2203~ 60 / 1102 60');
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 120, P: 0 });
  });

  it('as a voucher that the counter pays out where there is no account', async () => {
    const of = await settled(
      { counterTenders: [cash('300.00')], insurance: 'skip' },
      { isEnrolled: false },
    );
    const back = await refund(of, { lines: [{ lineNumber: 1 }] });
    const [part] = back.tenders;
    expect(part).toMatchObject({ kind: 'cash', amount: '60.00', status: 'voucher' });
    await workOnce(app);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 300, P: 60 });
    const paid = await app.call('POST', `/v1/refund-vouchers/${part.voucherCode}/payout`, {
      token: scene.terminal,
      body: {},
    });
    expect(paid.status, paid.text).toBe(200);
    expect((await posted(of)).at(-1)).toBe('voucher.paid: H 2203~ 60 / 1101 60');
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 240, P: 0 });
  });

  it('as a voucher when the account refuses it for good', async () => {
    const of = await rowTwo();
    await parties.bankFault('declined', ['channel']);
    const back = await refund(of, { all: true });
    await workOnce(app);
    const seen = await app.call('GET', `/v1/refunds/${back.id}`, { token: scene.terminal });
    const part = seen.body.tenders.find((t: ReplyBody) => t.kind === 'cash');
    expect(part).toMatchObject({ amount: '120.00', status: 'voucher' });
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 120, P: 120 });
    const paid = await app.call('POST', `/v1/refund-vouchers/${part.voucherCode}/payout`, {
      token: scene.terminal,
      body: {},
    });
    expect(paid.status, paid.text).toBe(200);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 0, P: 0 });
  });
});

describe('row 4, several parts on their way back at once', () => {
  it('are each paid once and none is refused: vouchers at two windows, and the worker beside them', async () => {
    const of = await settled(
      { counterTenders: [cash('300.00')], insurance: 'skip' },
      { isEnrolled: false },
    );
    const codes: string[] = [];
    for (const quantity of ['0.1', '0.2', '0.3', '0.15', '0.25']) {
      const back = await refund(of, { lines: [{ lineNumber: 2, quantity }] });
      codes.push(back.tenders[0].voucherCode);
    }
    const answers = await Promise.all(
      codes.map((code) =>
        app.call('POST', `/v1/refund-vouchers/${code}/payout`, { token: scene.terminal, body: {} }),
      ),
    );
    expect(answers.map((answer) => answer.status)).toEqual(codes.map(() => 200));
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 60, P: 0 });
  });

  it('are each sent back by the first run of the worker', async () => {
    const of = await rowTwo();
    for (const quantity of ['0.9', '0.03', '0.05']) {
      await refund(of, { lines: [{ lineNumber: 2, quantity }] });
    }
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 120, P: 55.2 });
    await workOnce(app);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 120, P: 0 });
  });
});

describe('row 5, refund of repaid credit', () => {
  it('goes to the repaying account, and the bank says so in its own books', async () => {
    const of = await rowOne();
    await repay(of, '50.00');
    await refund(of, { all: true });
    expect((await posted(of)).at(-1)).toBe(
      'refund.completed: B 2101~ 50 / 2201 50 · H 4101~ 300 / 1201~ 190, 1202~ 30, 1203~ 50, 2203 30',
    );
    const { lender } = await lineOf(app, of.token);
    const before = await parties.transfers(lender);
    await workOnce(app);
    expect(await posted(of)).toContain('moneyBack.paid: B 2201~ 50 / 1311 50');
    const made = (await parties.transfers(lender)).slice(before.length);
    expect(made).toMatchObject([{ kind: 'credit', amount: '50.00', status: 'paid' }]);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 30, P: 0 });
  });
});

describe('row 6, a line of 60 refunded after row 1', () => {
  it('cancels the claim gross, books the new one and takes the difference off the credit', async () => {
    const of = await rowOne();
    await refund(of, { lines: [{ lineNumber: 1 }] });
    const claims = await app.claims({ visitNumber: of.visit.visitNumber });
    const live = claims.find((c) => c.status === 'settled');
    // The account has its 30 back from the cancelled claim and pays it again.
    expect(live).toMatchObject({ fundPaySumamt: '152.00', acctPay: '30.00', psnCashPay: '58.00' });
    expect((await posted(of)).at(-1)).toBe(
      'refund.completed: B 2101~ 22 / 1301~ 22 · ' +
        'H 1201 152, 1202 30, 4101~ 60 / 1201~ 190, 1202~ 30, 1203~ 22',
    );
    await expectColumns(of, { D: 28, K: 28, I: 182, C: 30, P: 0 });
  });

  it('does so for a bill without account money too', async () => {
    const of = await settled({ counterTenders: [cash('30.00')] }, { accountBalance: '0.00' });
    await refund(of, { lines: [{ lineNumber: 1 }] });
    expect((await posted(of)).at(-1)).toBe(
      'refund.completed: B 2101~ 22 / 1301~ 22 · H 1201 152, 4101~ 60 / 1201~ 190, 1203~ 22',
    );
    await expectColumns(of, { D: 58, K: 58, I: 152, C: 30, P: 0 });
  });
});

describe('row 7, all refunded after row 1', () => {
  it('leaves nothing, once the cash is back', async () => {
    const of = await rowOne();
    await refund(of, { all: true });
    expect((await posted(of)).at(-1)).toBe(
      'refund.completed: B 2101~ 50 / 1301~ 50 · ' +
        'H 4101~ 300 / 1201~ 190, 1202~ 30, 1203~ 50, 2203 30',
    );
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 30, P: 30 });
    await workOnce(app);
    expect((await posted(of)).at(-1)).toBe('moneyBack.paid: H 2203~ 30 / 1102 30');
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 30, P: 0 });
  });

  it('line by line comes to the same', async () => {
    const of = await rowOne({ accountBalance: '0.00' });
    await refund(of, { lines: [{ lineNumber: 1, quantity: '0.5' }] });
    await refund(of, { lines: [{ lineNumber: 2 }] });
    await refund(of, { all: true });
    await workOnce(app);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 30, P: 0 });
  });
});

describe('row 8, repayment', () => {
  it('moves the debt only: the hospital is still owed by the lender', async () => {
    const of = await rowOne();
    await repay(of, '20.00');
    await repay(of, '30.00');
    expect((await posted(of)).slice(1)).toEqual([
      'repayment.paid: B 1311 20 / 1301 20',
      'repayment.paid: B 1311 30 / 1301 30',
    ]);
    await expectColumns(of, { D: 0, K: 50, I: 220, C: 30, P: 0 });
  });
});

describe('row 10, money that meets no debt any more', () => {
  it('is refundable to the citizen and goes back where it came from', async () => {
    const of = await rowOne();
    await parties.bankFault('answerLost', ['debit']);
    const underWay = await repay(of, '50.00', 202);
    await parties.bankFault('none');
    await expectColumns(of, { D: 50, K: 50, I: 220, C: 30, P: 0 });
    await refund(of, { all: true });
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 30, P: 30 });
    await workOnce(app);
    await workOnce(app);
    const list = await app.call('GET', '/v1/me/repayments', { token: of.token });
    expect(list.body.data).toMatchObject([{ id: underWay.id, status: 'paid', amount: '50.00' }]);
    const late = (await posted(of)).filter((text) => text.includes('1311'));
    expect(late).toEqual([
      'repayment.paid: B 1311 50 / 2201 50',
      'moneyBack.paid: B 2201~ 50 / 1311 50',
    ]);
    await expectColumns(of, { D: 0, K: 0, I: 0, C: 30, P: 0 });
  });

  it('is split when only a part of it does', async () => {
    const of = await rowOne({ accountBalance: '0.00' });
    await parties.bankFault('answerLost', ['debit']);
    await repay(of, '80.00', 202);
    await parties.bankFault('none');
    await refund(of, { lines: [{ lineNumber: 1 }] });
    await expectColumns(of, { D: 58, K: 58, I: 152, C: 30, P: 0 });
    await workOnce(app);
    await workOnce(app);
    expect((await posted(of)).slice(2)).toEqual([
      'repayment.paid: B 1311 80 / 1301 58, 2201 22',
      'moneyBack.paid: B 2201~ 22 / 1311 22',
    ]);
    await expectColumns(of, { D: 0, K: 58, I: 152, C: 30, P: 0 });
  });

  it('never arose where the bank refused the debit', async () => {
    const of = await rowOne();
    await parties.bankFault('declined', ['debit']);
    expect(await repay(of, '50.00')).toMatchObject({ status: 'failed' });
    expect(await posted(of)).toHaveLength(1);
    await expectColumns(of, { D: 50, K: 50, I: 220, C: 30, P: 0 });
  });
});

describe('row 14, due at the counter', () => {
  it('is arrears until it is collected, in parts and by any instrument', async () => {
    const of = await settled({ counterTenders: [cash('50.00')] }, { isEnrolled: false });
    expect(of.settlement).toMatchObject({ status: 'awaitingPayment', dueAtCounter: '30.00' });
    expect(await posted(of)).toEqual([
      'settlement.settled: H 1101 50, 1201 190, 1202 30, 1207 30 / 4101 300',
    ]);
    await expectColumns(of, { D: 0, K: 0, I: 220, C: 50, P: 0 });
    for (const tender of [cash('10.00'), { ...cash('20.00'), kind: 'alipay' }]) {
      const paid = await app.call('POST', `/v1/settlements/${of.settlement.id}/payments`, {
        token: scene.terminal,
        body: tender,
      });
      expect(paid.status, paid.text).toBe(200);
    }
    expect((await posted(of)).slice(1)).toEqual([
      'settlement.paymentCollected: H 1101 10 / 1207~ 10',
      'settlement.paymentCollected: H 1104 20 / 1207~ 20',
    ]);
    await expectColumns(of, { D: 0, K: 0, I: 220, C: 60, P: 0 });
  });
});

describe('row 16, a part that a sponsor or the hospital carries', () => {
  it('is owed by the sponsor, and taken back itself when the bill is refunded', async () => {
    const of = await newPatient(app, { insurance: 'none' });
    const visit = await openVisit(scene, of.person);
    await charge(scene, visit.id, [item(1, '8000.00')]);
    const reply = await settle(scene, visit.id, {
      counterTenders: [{ kind: 'subsidy', amount: '6000.00', reference: nextNumber('S') }],
    });
    const made: Case = { ...of, visit, settlement: reply.body };
    expect(await posted(made)).toEqual([
      'settlement.settled: B 1301 2000 / 2101 2000 · H 1203 2000, 1205 6000 / 4101 8000',
    ]);
    await expectColumns(made, { D: 2000, K: 2000, I: 0, C: 0, P: 0 });
    const back = await refund(made, { all: true });
    expect(back.tenders).toMatchObject([
      { kind: 'credit', amount: '2000.00', status: 'done' },
      { kind: 'subsidy', amount: '6000.00', status: 'done' },
    ]);
    expect((await posted(made)).at(-1)).toBe(
      'refund.completed: B 2101~ 2000 / 1301~ 2000 · H 4101~ 8000 / 1203~ 2000, 1205~ 6000',
    );
    await expectColumns(made, { D: 0, K: 0, I: 0, C: 0, P: 0 });
  });

  it('is taken off the deposit of an inpatient, and put back when the bill is refunded', async () => {
    const of = await newPatient(app, { insurance: 'none', isEnrolled: false });
    const visit = await openVisit(scene, of.person, { kind: 'inpatient' });
    await charge(scene, visit.id, [item(1, '500.00')]);
    const reply = await settle(scene, visit.id, {
      counterTenders: [{ kind: 'deposit', amount: '500.00', reference: nextNumber('D') }],
    });
    const made: Case = { ...of, visit, settlement: reply.body };
    expect(await posted(made)).toEqual(['settlement.settled: H 2305 500 / 4101 500']);
    await refund(made, { all: true });
    expect((await posted(made)).at(-1)).toBe('refund.completed: H 4101~ 500 / 2305~ 500');
    await expectLaws(app);
  });
});
