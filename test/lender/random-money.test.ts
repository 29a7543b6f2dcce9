// Whatever a payer, a relative, a refund and a lender do to one bill's debt, in any order and with banks
// that lose answers or refuse: every law of the books holds after each step, and no call ends in an error of ours.
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import { type Fen, formatYuan } from '../../src/money.ts';
import { runDueJobs } from '../../src/outbox/jobs.ts';
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
import { type TestReply, useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { banksOf } from './banks.ts';
import { nextNotice, notify } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let operator: string;
let colleague: string;
beforeAll(async () => {
  scene = await sceneOf(app);
  operator = await app.token('lenderOperator', { subject: 'LWB' });
  colleague = await app.token('lenderOperator', { subject: 'zhao' });
});

const LINES = 5;

/** A bill of 100.00 on credit in five lines, and a child with an account of their own. */
async function owingFamily() {
  const payer = await newPatient(app);
  const visit = await openVisit(scene, payer.person);
  const items = Array.from({ length: LINES }, (_, index) => item(index + 1, '20.00'));
  await charge(scene, visit.id, items);
  const { body } = await settle(scene, visit.id, { insurance: 'skip' });
  const child = await addKin(app, payer.person, 'child', uniquePerson({ age: 9 }));
  const link = await linkChild(app, payer, child);
  const account = app.deps.keyring.seal(`acc-${child.person.idNumber}`);
  await app.db.execute(sql`update citizen set bank_account = ${account}::bytea
    where id = (select beneficiary_citizen_id from family_link where id = ${link.id})`);
  const { id: lineId } = await lineOf(app, payer.token);
  const repayments: string[] = [];
  return {
    ...payer,
    child,
    lineId,
    settlementId: body.id,
    receivableId: body.receivableId,
    repayments,
  };
}
type Family = Awaited<ReturnType<typeof owingFamily>>;

interface Step {
  op: keyof typeof acts;
  /** Fen, and whatever else is chosen. */
  n: number;
  mode: 'none' | 'answerLost' | 'declined';
}

async function withFault<T>(mode: string, on: string, act: () => Promise<T>): Promise<T> {
  if (mode !== 'none') await banksOf(app).fault({ mode, on: [on] });
  const done = await act();
  if (mode !== 'none') await banksOf(app).fault({ mode: 'none' });
  return done;
}

const amountOf = ({ n }: Step) => formatYuan(BigInt(n) as Fen);
const oneOf = (from: readonly string[], n: number) => from[n % from.length];

async function approved(proposed: TestReply): Promise<TestReply> {
  if (proposed.status !== 202) return proposed;
  const path = `/v1/lender/notices/${proposed.body.id}/approve`;
  return app.call('POST', path, { token: colleague });
}

const acts = {
  async pay(of: Family, step: Step) {
    const token = step.n % 2 === 0 ? of.token : of.child.token;
    const body = { amount: amountOf(step), receivableIds: [of.receivableId] };
    const reply = await withFault(step.mode, 'debit', () =>
      app.call('POST', '/v1/me/repayments', { token, body }),
    );
    if (reply.body.id) of.repayments.push(reply.body.id);
    return reply;
  },
  async resolve() {
    await letTimePass(app.db);
    await resolveRepayments(app.deps);
    return null;
  },
  refund: (of: Family, { n }: Step) =>
    app.call('POST', `/v1/settlements/${of.settlementId}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: (n % LINES) + 1 }], reason: '退' },
    }),
  async send(_: Family, { mode }: Step) {
    await app.db.execute(sql`update job set next_attempt_at = clock_timestamp()
      where done_at is null and kind = 'sendMoneyBack'`);
    await withFault(mode, 'credit', () => runDueJobs(app.deps, { sendMoneyBack }, 50));
    return null;
  },
  received: ({ lineId }: Family, step: Step) =>
    notify(app, operator, {
      ...{ kind: 'received', lineId, amount: amountOf(step), bankSerial: nextNotice() },
    }),
  returned: async ({ repayments }: Family, { n }: Step) => {
    const repaymentId = oneOf(repayments, n);
    return repaymentId ? notify(app, operator, { kind: 'debitReturned', repaymentId }) : null;
  },
  twice: async ({ repayments }: Family, { n }: Step) => {
    const repaymentId = oneOf(repayments, n);
    const notice = { kind: 'debitPaidTwice', repaymentId, bankSerial: nextNotice() };
    return repaymentId ? notify(app, operator, notice) : null;
  },
  writeOff: async ({ receivableId }: Family, step: Step) =>
    approved(
      await notify(app, operator, { kind: 'writeOff', receivableId, amount: amountOf(step) }),
    ),
  recovered: ({ receivableId }: Family, step: Step) =>
    notify(app, operator, {
      ...{ kind: 'recovered', receivableId, amount: amountOf(step), bankSerial: nextNotice() },
    }),
  async plan({ receivableId, token }: Family, { n }: Step) {
    const owed = BigInt((await lineOf(app, token)).outstanding.replace('.', ''));
    if (owed < 2n) return null;
    const first = 1n + (BigInt(n) % (owed - 1n));
    const instalments = [first, owed - first].map((amount, index) => ({
      amount: formatYuan(amount as Fen),
      dueOn: `209${index}-01-01`,
    }));
    return approved(await notify(app, operator, { kind: 'hardship', receivableId, instalments }));
  },
};

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom(
    ...(['pay', 'pay', 'pay', 'resolve', 'refund', 'send', 'received', 'returned'] as const),
    ...(['returned', 'twice', 'writeOff', 'recovered', 'plan'] as const),
  ),
  n: fc.integer({ min: 1, max: 6_000 }),
  mode: fc.constantFrom('none', 'none', 'answerLost', 'declined'),
});

it('moves one debt’s money in any order and every law holds after each step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 14 }), async (steps) => {
      const family = await owingFamily();
      for (const each of steps) {
        const reply = await acts[each.op](family, each);
        expect(reply?.status ?? 200, reply?.text).toBeLessThan(500);
        await expectLaws(app);
      }
    }),
    { numRuns: 6, endOnFailure: true },
  );
}, 120_000);
