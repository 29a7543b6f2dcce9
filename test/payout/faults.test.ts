// What goes wrong at the bank, with its own books as the truth: no payout is ordered twice, none is lost.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows, transact } from '../../src/db/db.ts';
import { formatYuan, sumFen } from '../../src/money.ts';
import { confirmPayout } from '../../src/payout/move-payout.ts';
import { parseStatement } from '../../src/reconciliation/files/parse-statement.ts';
import type { StatementRow } from '../../src/reconciliation/statement.ts';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  atBank,
  bankFault,
  bookedAtBank,
  type Desk,
  deskOf,
  onCredit,
  runPayoutJobs,
  toDay,
  today,
} from './support.ts';

const app = useApp({ worker: false });
const LENDER = 'LWB';
let scene: Scene;
let desk: Desk;
let days = 0;

beforeAll(async () => {
  scene = await sceneOf(app);
  desk = await deskOf(app);
});
beforeEach(async () => {
  await toDay(app, ++days);
});
afterEach(async () => {
  await waitFor(() => bankFault(app, 'none').catch(() => null));
});

/** A payout of 300.00 that two people agreed on. */
async function approved(): Promise<ReplyBody> {
  await onCredit(scene);
  const businessDate = await today(app);
  await toDay(app, ++days);
  const [payout] = (await desk.make({ businessDate })).body.data;
  expect((await desk.approve(payout.id)).status).toBe(200);
  return payout;
}

/** What our own reader of bank files makes of a statement; it checks totals and balances. */
async function linesOf(format: string, businessDate: string, text: string) {
  async function* body() {
    yield Buffer.from(text, 'utf8');
  }
  const file = { counterparty: 'bank', format, businessDate, hospitalCode: null } as const;
  const lines: StatementRow[] = [];
  for await (const batch of parseStatement({ ...file, body: body() }).rows) lines.push(...batch);
  return lines;
}

const read = async (id: string): Promise<ReplyBody> => (await desk.read(`/v1/payouts/${id}`)).body;

describe('the file of a payout', () => {
  it('is asked for when its answer is lost, and ordered once', async () => {
    const payout = await approved();
    await bankFault(app, 'answerLost');
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('approved');
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('sent');
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(1);
    await expectLaws(app);
  });

  it.each(['error500', 'refuseConnection'])('is sent again after %s', async (mode) => {
    const payout = await approved();
    await bankFault(app, mode);
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('approved');
    expect(await waitFor(() => bankFault(app, 'none').catch(() => null))).toBeTruthy();
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(0);
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('sent');
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(1);
    await expectLaws(app);
  });

  it('is not sent again while the bank cannot say what became of it', async () => {
    const payout = await approved();
    await bankFault(app, 'answerLost');
    await runPayoutJobs(app);
    await bankFault(app, 'error500', ['payoutQuery']);
    await runPayoutJobs(app);
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('approved');
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(1);
    await bankFault(app, 'none');
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('sent');
  });

  it('hangs no longer than its deadline', async () => {
    const payout = await approved();
    await bankFault(app, 'hang');
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('approved');
    await bankFault(app, 'none');
    await runPayoutJobs(app);
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(1);
  });

  it('is free for another payout when the bank refuses it, and a person is told', async () => {
    const payout = await approved();
    await bankFault(app, 'declined');
    await runPayoutJobs(app);
    expect(await read(payout.id)).toMatchObject({ status: 'returned', sentAt: null });
    const cases = await desk.read('/v1/finance-cases?kind=payout/file-refused');
    expect(cases.body.data).toMatchObject([{ subjectId: payout.id }]);
    await expectLaws(app);
    await bankFault(app, 'none');
    const [again] = (await desk.make({ businessDate: payout.businessDate })).body.data;
    expect(again).toMatchObject({ amount: '300.00', run: 2 });
    expect((await desk.approve(again.id)).status).toBe(200);
    await runPayoutJobs(app);
    expect((await read(again.id)).status).toBe('sent');
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(0);
    expect(await bookedAtBank(app, LENDER, again.endToEndId)).toHaveLength(1);
    await expectLaws(app);
  });

  it('is ordered once by two workers, and by one that was killed before it could book', async () => {
    const payout = await approved();
    await Promise.all([runPayoutJobs(app), runPayoutJobs(app)]);
    expect(await bookedAtBank(app, LENDER, payout.endToEndId)).toHaveLength(1);
    const crashed = await approved();
    const before = app.deps.payoutBank.sendFile;
    app.deps.payoutBank.sendFile = async (...args) => {
      await before(...args);
      throw new Error('killed');
    };
    await runPayoutJobs(app);
    app.deps.payoutBank.sendFile = before;
    expect((await read(crashed.id)).status).toBe('approved');
    await runPayoutJobs(app);
    expect((await read(crashed.id)).status).toBe('sent');
    expect(await bookedAtBank(app, LENDER, crashed.endToEndId)).toHaveLength(1);
    const [entries] = await rows<{ n: number }>(
      app.db,
      sql`select count(*)::int as n from journal_entry
      where fact = 'payout.sent' and subject_id in (${payout.id}, ${crashed.id})`,
    );
    expect(entries?.n).toBe(2);
    await expectLaws(app);
  });

  it('is told by the statement although its answer never came: sent and paid', async () => {
    const payout = await approved();
    await bankFault(app, 'answerLost');
    await runPayoutJobs(app);
    const [booking] = await bookedAtBank(app, LENDER, payout.endToEndId);
    const confirmed = await transact(app.db, (tx) =>
      confirmPayout(tx, {
        endToEndId: payout.endToEndId,
        bankReference: booking?.reference,
        amount: 30_000n,
        bookedOn: new Date(),
      }),
    );
    expect(confirmed).toMatchObject({ outcome: 'paid' });
    await runPayoutJobs(app);
    expect((await read(payout.id)).status).toBe('paid');
    await expectLaws(app);
  });

  it('cannot be proven before it was ordered', async () => {
    const payout = await approved();
    const proof = { bankReference: 'x', amount: 30_000n, bookedOn: new Date() };
    const seen = await transact(app.db, (tx) =>
      confirmPayout(tx, { endToEndId: payout.endToEndId, ...proof }),
    );
    expect(seen).toMatchObject({ outcome: 'notSent', status: 'approved' });
  });
});

describe('the statement of the sandbox lender', () => {
  it.each([
    ['paidTwice', 2, '-600.00'],
    ['returned', 2, '0.00'],
  ])('shows what the bank did: %s', async (mode, lines, moved) => {
    const payout = await approved();
    await bankFault(app, mode);
    await runPayoutJobs(app);
    const date = await today(app);
    const csv = await atBank(app, 'GET', `/lenders/${LENDER}/statements/${date}?format=csv`);
    const read = await linesOf('csv', date, csv.text);
    const ours = read.filter((line) => line.key === payout.endToEndId);
    expect(ours).toHaveLength(lines);
    expect(formatYuan(sumFen(ours.map((line) => line.amount)))).toBe(moved);
    const xml = await atBank(app, 'GET', `/lenders/${LENDER}/statements/${date}`);
    const keyed = (found: StatementRow[]) => found.map(({ key, amount }) => ({ key, amount }));
    expect(keyed(await linesOf('camt053', date, xml.text))).toEqual(keyed(read));
  });

  it('is a camt.053 whose opening and entries make its closing', async () => {
    const { token } = await onCredit(scene);
    const repaid = await app.call('POST', '/v1/me/repayments', {
      token,
      body: { amount: '12.30' },
    });
    expect(repaid.status, repaid.text).toBeLessThan(300);
    await toDay(app, 0);
    const date = await today(app);
    const { text } = await atBank(app, 'GET', `/lenders/${LENDER}/statements/${date}`);
    expect(text).toContain('camt.053.001.02');
    expect(text).toContain(`<EndToEndId>${repaid.body.id}</EndToEndId>`);
    const fen = (yuan: string) => BigInt(yuan.replace('.', ''));
    const [opening, closing] = [...text.matchAll(/<Bal>.*?<Amt Ccy="CNY">([\d.]+)</g)].map((m) =>
      fen(m[1] ?? ''),
    );
    const entries = [...text.matchAll(/<Ntry>.*?<Amt Ccy="CNY">([\d.]+)<\/Amt><CdtDbtInd>(\w+)</g)];
    expect(entries.length).toBeGreaterThan(0);
    const moved = entries.reduce(
      (sum, [, amount = '', sign]) => sum + (sign === 'CRDT' ? fen(amount) : -fen(amount)),
      0n,
    );
    expect((opening ?? 0n) + moved).toBe(closing);
  });
});
