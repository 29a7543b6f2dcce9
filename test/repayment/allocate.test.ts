import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sumFen } from '../../src/money.ts';
import { allocate } from '../../src/repayment/allocate.ts';

const debts = fc
  .array(
    fc.record({
      owed: fc.bigInt({ min: 1n, max: 100_000n }),
      day: fc.integer({ min: 0, max: 100 }),
      awaitsInsurance: fc.boolean(),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((all) =>
    all.map(({ day, ...debt }, i) => ({
      ...debt,
      id: `rcv_${i}`,
      dueAt: new Date(day * 86_400_000),
    })),
  );

it('spreads the whole amount and no receivable gets more than it is owed', () => {
  fc.assert(
    fc.property(debts, fc.bigInt({ min: 1n, max: 1_000_000n }), (all, amount) => {
      const spread = allocate(all, amount);
      const owed = sumFen(all.map((debt) => debt.owed));
      expect(spread === null).toBe(amount > owed);
      if (!spread) return;
      expect(sumFen(spread.map((part) => part.amount))).toBe(amount);
      for (const part of spread) {
        const debt = all.find((d) => d.id === part.receivableId);
        expect(part.amount).toBeGreaterThan(0n);
        expect(part.amount).toBeLessThanOrEqual(debt?.owed ?? 0n);
      }
    }),
  );
});

it('begins a later debt only when every earlier one is paid whole', () => {
  fc.assert(
    fc.property(debts, fc.bigInt({ min: 1n, max: 100_000n }), (all, amount) => {
      const spread = allocate(all, amount);
      if (!spread) return;
      const rank = (id: string) => {
        const debt = all.find((d) => d.id === id);
        return (debt?.awaitsInsurance ? 1e12 : 0) + (debt?.dueAt.getTime() ?? 0);
      };
      const paid = new Map(spread.map((part) => [part.receivableId, part.amount]));
      const last = Math.max(...[...paid.keys()].map(rank));
      for (const debt of all.filter((d) => rank(d.id) < last)) {
        expect(paid.get(debt.id)).toBe(debt.owed);
      }
    }),
  );
});
