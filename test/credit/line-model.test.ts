import { and, eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { captureCredit } from '../../src/credit/capture-hold.ts';
import { decideHold } from '../../src/credit/credit-line.ts';
import { expireHolds } from '../../src/credit/expire-holds.ts';
import { giveBackCredit } from '../../src/credit/give-back-credit.ts';
import { placeHold } from '../../src/credit/place-hold.ts';
import { setHold, voidHold } from '../../src/credit/set-hold.ts';
import { rows, transact } from '../../src/db/db.ts';
import { hold } from '../../src/db/schema.ts';
import { Refusal } from '../../src/errors.ts';
import { newId } from '../../src/ids.ts';
import { type Fen, maxFen, minFen, sumFen } from '../../src/money.ts';
import { useDatabase } from '../support/database.ts';
import { lineOf, makeLine, makeVisit } from './support.ts';

const { db } = useDatabase();

const LIMIT = 10_000n;
const OUTAGE_EXTRA = 2_000n;
const VISITS = 3;

const fen = fc.bigInt({ min: 1n, max: 8_000n });
const at = fc.nat(VISITS - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant('place' as const), at, fen, isPartial: fc.boolean() }),
  fc.record({ do: fc.constant('set' as const), at, fen, isPartial: fc.boolean() }),
  fc.record({ do: fc.constant('void' as const), at }),
  fc.record({ do: fc.constant('expire' as const), at }),
  fc.record({
    do: fc.constant('capture' as const),
    at,
    fen: fc.bigInt({ min: 0n, max: 8_000n }),
    mayUseMore: fc.boolean(),
    awaitsInsurance: fc.boolean(),
  }),
  fc.record({ do: fc.constant('giveBack' as const), at, fen }),
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The line as the laws of domain.md say it is: what each visit holds, what each settlement owes. */
interface Model {
  holds: Fen[];
  debts: { settlementId: string; owed: Fen }[];
}

const heldIn = (model: Model) => sumFen(model.holds);
const owedIn = (model: Model) => sumFen(model.debts.map((debt) => debt.owed));
const freeIn = (model: Model, extra: Fen) =>
  maxFen(0n, LIMIT + extra - heldIn(model) - owedIn(model));

it('a line does what its model does, step by step', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
      const { citizenId, lineId } = await makeLine(db, { limit: '100.00', outageExtra: '20.00' });
      const visits = await Promise.all(Array.from({ length: VISITS }, () => makeVisit(db)));
      const model: Model = { holds: visits.map(() => 0n), debts: [] };
      for (const next of steps) {
        await play(next, { visitId: visits[next.at] ?? '', citizenId }, model);
        const line = await lineOf(db, lineId);
        expect(line).toMatchObject({ held: heldIn(model), outstanding: owedIn(model) });
        const [sums] = await rows<{ held: Fen; owed: Fen }>(
          db,
          sql`
          select (select coalesce(sum(amount), 0)::bigint from hold
              where line_id = ${lineId} and status = 'placed') as held,
            (select coalesce(sum(amount - paid - reduced - written_off), 0)::bigint
              from receivable where line_id = ${lineId}) as owed`,
        );
        expect(sums).toEqual({ held: line.held, owed: line.outstanding });
      }
    }),
    { numRuns: 40 },
  );
});

async function play(
  next: Step,
  of: { visitId: string; citizenId: string },
  model: Model,
): Promise<void> {
  const before = model.holds[next.at] ?? 0n;
  const outpatient = { visitKind: 'outpatient', isEmergency: false } as const;
  switch (next.do) {
    case 'place': {
      if (before > 0n) return;
      const wish = { amount: next.fen, isPartialAllowed: next.isPartial };
      const state = { status: 'active' } as const;
      const amounts = { limit: LIMIT, held: heldIn(model), outstanding: owedIn(model) };
      const decided = decideHold(
        { ...amounts, state, isConsented: true, isOverdue: false },
        { ...wish, defaultAmount: 1n, isEmergency: false, extra: 0n },
      );
      const placed = await transact(db, (tx) =>
        placeHold(tx, {
          ...outpatient,
          ...wish,
          visitId: of.visitId,
          payerCitizenId: of.citizenId,
        }),
      );
      const answer = 'hold' in placed ? { amount: placed.hold.amount } : placed;
      expect(answer).toEqual(decided);
      if ('amount' in decided) model.holds[next.at] = decided.amount;
      return;
    }
    case 'set': {
      const more = next.fen - before;
      const free = freeIn(model, 0n);
      const part = before + minFen(more, free);
      const target = more <= free ? next.fen : next.isPartial && part > 0n ? part : null;
      const set = transact(db, (tx) =>
        setHold(tx, {
          ...outpatient,
          visitId: of.visitId,
          payerCitizenId: of.citizenId,
          amount: next.fen,
          isPartialAllowed: next.isPartial,
        }),
      ).then(
        (held) => held.amount,
        (error) => (error instanceof Refusal ? null : Promise.reject(error)),
      );
      expect(await set).toBe(target);
      model.holds[next.at] = target ?? before;
      return;
    }
    case 'void': {
      const voided = await transact(db, (tx) => voidHold(tx, of.visitId));
      expect(voided?.amount ?? 0n).toBe(before);
      model.holds[next.at] = 0n;
      return;
    }
    case 'expire': {
      await db
        .update(hold)
        .set({ expiresAt: new Date(0) })
        .where(and(eq(hold.visitId, of.visitId), eq(hold.status, 'placed')));
      expect(await expireHolds(db, 100)).toBe(before > 0n ? 1 : 0);
      model.holds[next.at] = 0n;
      return;
    }
    case 'capture': {
      const settlementId = newId('settlement');
      const more = next.mayUseMore ? freeIn(model, next.awaitsInsurance ? OUTAGE_EXTRA : 0n) : 0n;
      const taken = minFen(next.fen, before + more);
      const { captured } = await transact(db, (tx) =>
        captureCredit(tx, {
          ...outpatient,
          visitId: of.visitId,
          settlementId,
          payerCitizenId: of.citizenId,
          owed: next.fen,
          awaitsInsurance: next.awaitsInsurance,
          mayUseMore: next.mayUseMore,
        }),
      );
      expect(captured).toBe(taken);
      model.holds[next.at] = 0n;
      if (taken > 0n) model.debts.push({ settlementId, owed: taken });
      return;
    }
    case 'giveBack': {
      const debt = model.debts.find((d) => d.owed > 0n);
      if (!debt) return;
      const amount = minFen(debt.owed, next.fen);
      const { settlementId } = debt;
      const given = await transact(db, (tx) => giveBackCredit(tx, { settlementId, amount }));
      expect(given).toMatchObject({ reduced: amount, repaid: 0n });
      debt.owed -= amount;
      return;
    }
    default:
      next satisfies never;
  }
}
