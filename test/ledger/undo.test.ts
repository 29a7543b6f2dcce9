import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leftToUndo, NothingLeftToUndo, type OpenLeg, undoLegs } from '../../src/ledger/undo.ts';

function legOf(changes: Partial<OpenLeg> = {}): OpenLeg {
  return {
    entryId: 'ent_1',
    leg: 1,
    fact: 'settlement.settled',
    ownerKind: 'H',
    owner: 'hospital',
    account: '1203',
    amount: 5000n,
    undone: 0n,
    counterparty: 'bank',
    citizenId: null,
    settlementId: 'set_1',
    claimId: null,
    reference: null,
    ...changes,
  };
}

const H1203 = { ownerKind: 'H', owner: 'hospital', account: '1203' } as const;

describe('undoing', () => {
  it('posts the other side of the same account about the same things, and names the leg', () => {
    const open = [
      legOf({ account: '1201', claimId: 'clm_1', reference: 'setl', counterparty: null }),
    ];
    expect(undoLegs(open, { ...H1203, account: '1201', amount: 1600n })).toEqual([
      {
        ownerKind: 'H',
        owner: 'hospital',
        account: '1201',
        amount: -1600n,
        counterparty: undefined,
        citizenId: undefined,
        settlementId: 'set_1',
        claimId: 'clm_1',
        reference: 'setl',
        undoes: { entryId: 'ent_1', leg: 1 },
      },
    ]);
  });

  it('takes from the newest leg first', () => {
    const open = [legOf({ entryId: 'ent_2', amount: 1000n }), legOf()];
    const legs = undoLegs(open, { ...H1203, amount: 1500n });
    expect(legs.map((leg) => [leg.undoes?.entryId, leg.amount])).toEqual([
      ['ent_2', -1000n],
      ['ent_1', -500n],
    ]);
  });

  it('undoes the side on which the account grows, unless told otherwise', () => {
    const open = [legOf({ entryId: 'ent_2', amount: -5000n }), legOf()];
    const [natural] = undoLegs(open, { ...H1203, amount: 5000n });
    expect(natural).toMatchObject({ amount: -5000n, undoes: { entryId: 'ent_1' } });
    const [other] = undoLegs(open, { ...H1203, side: 'credit', amount: 5000n });
    expect(other).toMatchObject({ amount: 5000n, undoes: { entryId: 'ent_2' } });
  });

  it.each<[string, Partial<OpenLeg>]>([
    ['owner', { owner: 'other' }],
    ['account', { account: '1201' }],
    ['counterparty', { counterparty: 'other bank' }],
    ['claim', { claimId: 'clm_2' }],
    ['citizen', { citizenId: 'cit_2' }],
    ['reference', { reference: 'other' }],
    ['fact', { fact: 'payout.sent' }],
  ])('leaves legs of another %s alone', (_what, change) => {
    const wanted = {
      ...H1203,
      counterparty: 'bank',
      claimId: 'clm_1',
      citizenId: 'cit_1',
      reference: 'ref',
      fact: 'settlement.settled',
    } as const;
    const mine = legOf({ claimId: 'clm_1', citizenId: 'cit_1', reference: 'ref' });
    expect(leftToUndo([mine], wanted)).toBe(5000n);
    expect(leftToUndo([{ ...mine, ...change }], wanted)).toBe(0n);
  });

  it('undoes nothing with no legs, and never a negative amount', () => {
    expect(undoLegs([legOf()], { ...H1203, amount: 0n })).toEqual([]);
    expect(() => undoLegs([legOf()], { ...H1203, amount: -1n })).toThrow(RangeError);
  });

  it('never takes more off legs than is left, in whatever parts, and sums to what was asked', () => {
    const openLegs = fc.array(
      fc
        .tuple(fc.bigInt({ min: 1n, max: 500n }), fc.bigInt({ min: 0n, max: 500n }), fc.boolean())
        .map(([amount, undone, isCredit]) => ({
          amount: isCredit ? -amount : amount,
          undone: undone < amount ? undone : amount,
        })),
      { maxLength: 5 },
    );
    const parts = fc.array(fc.bigInt({ min: 0n, max: 600n }), { maxLength: 8 });
    fc.assert(
      fc.property(openLegs, parts, (shapes, amounts) => {
        const open = shapes.map((shape, index) => legOf({ entryId: `ent_${index}`, ...shape }));
        for (const amount of amounts) {
          const left = leftToUndo(open, H1203);
          if (amount > left) {
            expect(() => undoLegs(open, { ...H1203, amount })).toThrow(NothingLeftToUndo);
            continue;
          }
          const legs = undoLegs(open, { ...H1203, amount });
          expect(legs.reduce((sum, leg) => sum - leg.amount, 0n)).toBe(amount);
          for (const leg of legs) {
            const undone = open.find((one) => one.entryId === leg.undoes?.entryId)!;
            expect(undone.amount).toBeGreaterThan(0n);
            undone.undone -= leg.amount;
            expect(undone.undone).toBeLessThanOrEqual(undone.amount);
          }
          expect(leftToUndo(open, H1203)).toBe(left - amount);
        }
      }),
    );
  });
});
