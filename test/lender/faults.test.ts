// Every road of money to or from a bank × every fault of the bank: afterwards the bank's own books and
// ours agree on what was taken and paid back, to the fen, and every law holds.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { formatYuan, parseYuan } from '../../src/money.ts';
import { debitDue } from '../../src/repayment/auto-debit.ts';
import { addKin, linkChild } from '../family/support.ts';
import { workOnce } from '../settlement/parties.ts';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { banksOf } from './banks.ts';
import { type Owing, owing, told } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let operator: string;
beforeAll(async () => {
  scene = await sceneOf(app);
  operator = await app.token('lenderOperator', { subject: 'LWB' });
});

const faults = [
  'none',
  'declined',
  'answerLost',
  'error500',
  'hang',
  'refuseConnection',
  'paidTwice',
  'returned',
] as const;
type Fault = (typeof faults)[number];

interface Road {
  name: string;
  /** Whose account is debited or credited, and who owes. */
  make(): Promise<{ debtor: Owing; payer: string; act(): Promise<unknown> }>;
}

const pay = (token: string, amount: string, receivableIds?: string[]) =>
  app.call('POST', '/v1/me/repayments', {
    token,
    body: { amount, ...(receivableIds ? { receivableIds } : {}) },
  });

const roads: Road[] = [
  {
    name: 'a citizen’s repayment',
    async make() {
      const debtor = await owing(scene);
      return { debtor, payer: accountOf(debtor), act: () => pay(debtor.token, '50.00') };
    },
  },
  {
    name: 'a relative’s repayment',
    async make() {
      const debtor = await owing(scene);
      const grown = uniquePerson({ age: 9 });
      const child = await addKin(app, debtor.person, 'child', grown);
      await linkChild(app, debtor, child);
      const account = `acc-${grown.idNumber}`;
      await app.db.execute(sql`update citizen set bank_account =
        ${app.deps.keyring.seal(account)}::bytea where id = (
          select beneficiary_citizen_id from family_link where payer_citizen_id =
            (select citizen_id from credit_line where id = ${debtor.lineId}))`);
      const act = () => pay(child.token, '50.00', [debtor.receivableId]);
      return { debtor, payer: account, act };
    },
  },
  {
    name: 'an auto-debit',
    async make() {
      const debtor = await owing(scene);
      const payer = accountOf(debtor);
      await app.db.execute(sql`update receivable set due_at = business_now() - interval '1 minute'
        where id = ${debtor.receivableId}`);
      return { debtor, payer, act: () => debitDue(app.deps) };
    },
  },
  {
    name: 'a refund of repaid credit',
    async make() {
      const debtor = await owing(scene);
      expect((await pay(debtor.token, '50.00')).body).toMatchObject({ status: 'paid' });
      const act = () =>
        app.call('POST', `/v1/settlements/${debtor.settlementId}/refunds`, {
          token: scene.terminal,
          body: { all: true, reason: '退' },
        });
      return { debtor, payer: accountOf(debtor), act };
    },
  },
];

const accountOf = ({ person }: Owing) => `acc-${person.idNumber}`;

/** What the bank's own books say of an account: paid debits less paid credits and debits taken back. */
async function takenByBank(account: string): Promise<string> {
  const mine = (await banksOf(app).books('LWB')).filter(
    (t) => t.account === account && t.status === 'paid' && !t.returnedAt,
  );
  const sum = mine.reduce(
    (all, t) => all + (t.kind === 'debit' ? 1n : -1n) * parseYuan(t.amount),
    0n,
  );
  return formatYuan(sum);
}

/** The same by our journal: money in of the debtor's repayments, less what went back. */
async function takenByUs(debtor: Owing): Promise<string> {
  const [row] = await rows<{ sum: bigint }>(
    app.db,
    sql`
    select coalesce(sum(p.amount), 0)::bigint as sum from posting p
    where p.account = '1311' and p.citizen_id =
      (select citizen_id from credit_line where id = ${debtor.lineId})`,
  );
  return formatYuan(row?.sum ?? 0n);
}

/** The bank says what it did wrong, as a real one does the next morning. */
async function bankTells(account: string): Promise<void> {
  for (const t of await banksOf(app).books('LWB')) {
    if (t.account !== account || t.kind !== 'debit') continue;
    const about = { repaymentId: t.serial };
    if (t.copy)
      await told(app, operator, { kind: 'debitPaidTwice', bankSerial: t.bankSerial, ...about });
    if (t.returnedAt) await told(app, operator, { kind: 'debitReturned', ...about });
  }
}

/** What is left with the bank in the end. */
function expected(road: string, mode: Fault): string {
  if (road === 'a refund of repaid credit') return mode === 'declined' ? '50.00' : '0.00';
  return mode === 'none' || mode === 'answerLost' || mode === 'paidTwice' ? '50.00' : '0.00';
}

/** A closed port opens again by itself. */
const untilBack = () =>
  expect
    .poll(() =>
      banksOf(app)
        .fault({ mode: 'none' })
        .catch(() => null),
    )
    .not.toBeNull();

describe.each(roads)('$name', ({ name, make }) => {
  it.each(faults)('with %s leaves both books agreed', async (mode: Fault) => {
    const { debtor, payer, act } = await make();
    if (mode !== 'none') {
      const on = mode === 'refuseConnection' ? {} : { on: ['debit', 'credit'], lender: 'LWB' };
      await banksOf(app).fault({ mode, forMs: 300, ...on });
    }
    await act();
    await workOnce(app);
    await untilBack();
    await workOnce(app);
    await bankTells(payer);
    await workOnce(app);
    const left = expected(name, mode);
    expect([await takenByUs(debtor), await takenByBank(payer)]).toEqual([left, left]);
    const [owed] = await rows<{ outstanding: bigint; under_way: bigint }>(
      app.db,
      sql`
      select outstanding, (select count(*) from repayment r where r.line_id = l.id
        and r.status in ('processing', 'unknown')) as under_way
      from credit_line l where id = ${debtor.lineId}`,
    );
    expect(owed?.under_way).toBe(0n);
    await expectLaws(app);
  });
});
