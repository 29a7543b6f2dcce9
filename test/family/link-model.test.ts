// Two links on one line against their model, step by step: counters by month, both caps, the limit.
import { and, eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { captureCredit } from '../../src/credit/capture-hold.ts';
import { decideHold } from '../../src/credit/credit-line.ts';
import { expireHolds } from '../../src/credit/expire-holds.ts';
import { giveBackCredit } from '../../src/credit/give-back-credit.ts';
import { placeHold } from '../../src/credit/place-hold.ts';
import { setHold, voidHold } from '../../src/credit/set-hold.ts';
import { transact } from '../../src/db/db.ts';
import { familyLink, tender } from '../../src/db/schema.ts';
import { Refusal } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import { checkLaws } from '../../src/ledger/verify.ts';
import { type Fen, minFen } from '../../src/money.ts';
import { lineOf, moveClock } from '../credit/support.ts';
import { useDatabase } from '../support/database.ts';
import {
  capsOf,
  carried,
  heldIn,
  LIMIT,
  linkAt,
  makeWorld,
  monthNow,
  more,
  owedIn,
  saveTender,
  VISITS,
  type World,
} from './link-world.ts';

const { db } = useDatabase();
afterAll(() => moveClock(db, 0));

const fen = fc.bigInt({ min: 1n, max: 6_000n });
const at = fc.nat(VISITS - 1);
const link = fc.nat(1);
const step = fc.oneof(
  fc.record({ do: fc.constant('place' as const), at, fen, isPartial: fc.boolean() }),
  fc.record({ do: fc.constant('set' as const), at, fen, isPartial: fc.boolean() }),
  fc.record({ do: fc.constant('void' as const), at }),
  fc.record({ do: fc.constant('expire' as const), at }),
  fc.record({ do: fc.constant('capture' as const), at, fen: fc.bigInt({ min: 0n, max: 6_000n }) }),
  fc.record({ do: fc.constant('giveBack' as const), at, fen }),
  fc.record({ do: fc.constant('caps' as const), link, visitCap: fen, monthlyCap: fen }),
  fc.record({ do: fc.constant('end' as const), link }),
  fc.record({ do: fc.constant('month' as const), isNext: fc.boolean() }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

it('two links on one line do what their model does, step by step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      await moveClock(db, 0);
      const world = await makeWorld(db);
      for (const next of steps) {
        await play(next, world);
        await expectSame(world);
      }
    }),
    { numRuns: 60 },
  );
  const { laws } = await transact(db, checkLaws);
  // Settlements of this test have no books beside them; the laws of holds and links are complete.
  const ours = laws.filter(({ law }) => /link|hold/.test(law));
  expect(ours.length).toBeGreaterThan(5);
  expect(ours.filter(({ holds }) => !holds)).toEqual([]);
}, 120_000);

async function expectSame({ model, lineId }: World): Promise<void> {
  const line = await lineOf(db, lineId);
  expect(line).toMatchObject({ held: heldIn(model), outstanding: owedIn(model) });
  for (const [n, { id }] of model.links.entries()) {
    const [row] = await db.select().from(familyLink).where(eq(familyLink.id, id));
    for (const [month, used] of Object.entries(row!.usedByMonth)) {
      expect([n, month, BigInt(used)]).toEqual([n, month, carried(model, n, month)]);
    }
    const known = Object.keys(row!.usedByMonth);
    const months = [...model.holds, ...model.debts].map((each) => each?.month ?? model.month);
    for (const month of months.filter((m) => !known.includes(m))) {
      expect(carried(model, n, month)).toBe(0n);
    }
  }
}

async function play(next: Step, world: World): Promise<void> {
  const { model } = world;
  switch (next.do) {
    case 'caps': {
      const { visitCap, monthlyCap } = next;
      Object.assign(model.links[next.link]!, { visitCap, monthlyCap });
      const { id } = model.links[next.link]!;
      await db.update(familyLink).set({ visitCap, monthlyCap }).where(eq(familyLink.id, id));
      return;
    }
    case 'end': {
      const ended = model.links[next.link]!;
      ended.isEnded = true;
      const change = { status: 'ended', endedAt: new Date(), endReason: 'endedByPayer' };
      await db.update(familyLink).set(change).where(eq(familyLink.id, ended.id));
      return;
    }
    case 'month':
      // Nothing is overdue within the 42 days of the standard product.
      await moveClock(db, next.isNext ? 31 * 24 : 0);
      model.month = await monthNow(db);
      return;
    case 'place':
    case 'set':
      return hold(next, world);
    default:
      return resolve(next, world);
  }
}

const outpatient = { visitKind: 'outpatient', isEmergency: false } as const;

async function hold(next: Extract<Step, { do: 'place' | 'set' }>, world: World): Promise<void> {
  const { model, payer, visits } = world;
  const before = model.holds[next.at] ?? null;
  const wish = { amount: next.fen, isPartialAllowed: next.isPartial };
  const asked = { ...outpatient, ...wish, visitId: visits[next.at]!, payerCitizenId: payer };
  const place = (amount: Fen) => {
    model.holds[next.at] = { amount, month: before?.month ?? model.month };
  };
  if (next.do === 'place') {
    if (before) return;
    const { isEnded } = model.links[linkAt(next.at)]!;
    const amounts = { limit: LIMIT, held: heldIn(model), outstanding: owedIn(model) };
    const refusal = isEnded ? ('family/not-linked' as const) : null;
    const decided = decideHold(
      { ...amounts, state: { status: 'active' }, isConsented: true, isOverdue: false },
      {
        ...wish,
        defaultAmount: 1n,
        isEmergency: false,
        extra: 0n,
        family: { refusal, caps: capsOf(model, next.at) },
      },
    );
    const placed = await transact(db, (tx) => placeHold(tx, asked));
    expect('hold' in placed ? { amount: placed.hold.amount } : placed).toEqual(decided);
    if ('amount' in decided) place(decided.amount);
    return;
  }
  const base = before?.amount ?? 0n;
  const room = more(model, next.at);
  const isEnded = model.links[linkAt(next.at)]!.isEnded && next.fen > base;
  const part = next.isPartial && !isEnded && base + room > 0n ? base + room : null;
  const target = next.fen - base <= room ? next.fen : part;
  const set = await transact(db, (tx) => setHold(tx, asked)).then(
    (held) => held.amount,
    (error) => (error instanceof Refusal ? null : Promise.reject(error)),
  );
  expect(set).toBe(target);
  if (target !== null) place(target);
}

async function resolve(
  next: Extract<Step, { do: 'void' | 'expire' | 'capture' | 'giveBack' }>,
  world: World,
): Promise<void> {
  const { model, payer, visits } = world;
  const visitId = visits[next.at]!;
  const before = model.holds[next.at] ?? null;
  switch (next.do) {
    case 'void': {
      const voided = await transact(db, (tx) => voidHold(tx, visitId));
      expect(voided?.amount ?? null).toBe(before?.amount ?? null);
      model.holds[next.at] = null;
      return;
    }
    case 'expire': {
      await db.execute(sql`
        update hold set expires_at = case when visit_id = ${visitId} then 'epoch'::timestamptz
          else '2100-01-01'::timestamptz end where status = 'placed'`);
      expect(await expireHolds(db, 100)).toBe(before ? 1 : 0);
      model.holds[next.at] = null;
      return;
    }
    case 'capture': {
      const taken = minFen(next.fen, (before?.amount ?? 0n) + more(model, next.at));
      const settlementId = newId('settlement');
      const { captured } = await transact(db, (tx) =>
        captureCredit(tx, {
          ...outpatient,
          visitId,
          settlementId,
          payerCitizenId: payer,
          owed: next.fen,
          awaitsInsurance: false,
          mayUseMore: true,
        }),
      );
      expect(captured).toBe(taken);
      model.holds[next.at] = null;
      if (taken === 0n) return;
      await saveTender(db, visitId, settlementId, taken);
      const month = before?.month ?? model.month;
      model.debts.push({ settlementId, at: next.at, amount: taken, month });
      return;
    }
    case 'giveBack': {
      const debt = model.debts.find((d) => d.at === next.at && d.amount > 0n);
      if (!debt) return;
      const amount = minFen(debt.amount, next.fen);
      const { settlementId } = debt;
      await transact(db, async (tx) => {
        await giveBackCredit(tx, { settlementId, amount });
        await tx
          .update(tender)
          .set({ givenBack: sql`${tender.givenBack} + ${amount.toString()}::bigint` })
          .where(and(eq(tender.settlementId, settlementId), eq(tender.kind, 'credit')));
      });
      debt.amount -= amount;
      return;
    }
  }
}
