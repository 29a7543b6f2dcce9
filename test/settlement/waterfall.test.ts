// Law: the insurer's parts, then the counter tenders that the patient chose, then credit; the rest is
// due. Whatever follows (payments, refunds, new claims), every entry balances within each owner and
// the tender legs less what is refundable, plus arrears, are what is billed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccountCode } from '../../src/ledger/chart.ts';
import { balanced, type Entry } from '../../src/ledger/journal.ts';
import { NothingLeftToUndo, type OpenLeg } from '../../src/ledger/undo.ts';
import {
  collectedEntry,
  type GivenBack,
  refundedEntry,
  settledEntry,
} from '../../src/settlement/entries.ts';
import {
  type CounterKind,
  type CounterTender,
  closeBill,
  counterKinds,
  divideBill,
  type InsurerParts,
  insurerTenders,
  type Tender,
} from '../../src/settlement/waterfall.ts';

type Fen = bigint;
const sum = (parts: readonly { amount: Fen }[]) => parts.reduce((all, p) => all + p.amount, 0n);
const least = (a: Fen, b: Fen) => (a < b ? a : b);

const share = fc.bigInt({ min: 0n, max: 1_000n });

/** A claim of this total, cut at random; familyAccount is a part of account. */
const claimOf = (total: Fen) =>
  fc.tuple(share, share, share, share, share).map(([a, b, c, d, family]): InsurerParts => {
    const weights = a + b + c + d || 1n;
    const fund = (total * a) / weights;
    const account = (total * b) / weights;
    const hospitalBorne = (total * c) / weights;
    const cash = total - fund - account - hospitalBorne;
    return {
      total,
      fund,
      account,
      familyAccount: (account * family) / 1_000n,
      hospitalBorne,
      cash,
    };
  });

const offers = fc
  .array(
    fc.record({
      kind: fc.constantFrom(...counterKinds),
      amount: fc.bigInt({ min: 1n, max: 40_000n }),
    }),
    { maxLength: 5 },
  )
  .map((all): CounterTender[] => all.map((offer, i) => ({ ...offer, reference: `r${i}` })));

const total = fc.oneof(fc.bigInt({ min: 1n, max: 30n }), fc.bigInt({ min: 1n, max: 100_000n }));
const bill = total.chain((whole) =>
  fc.record({
    total: fc.constant(whole),
    split: fc.option(claimOf(whole)),
    offered: offers,
    /** In thousandths of what is owed. */
    captured: share,
  }),
);

const insurerKinds = ['insuranceFund', 'hospitalBorne', 'personalAccount', 'familyAccount'];

describe('dividing a bill', () => {
  it('takes the insurer first, then the counter as offered, then credit, and loses no fen', () => {
    fc.assert(
      fc.property(bill, ({ total: whole, split, offered, captured }) => {
        const divided = divideBill(whole, split, offered);
        const credit = (divided.owed * captured) / 1_000n;
        const { tenders, dueAtCounter } = closeBill(divided, credit);
        expect(sum(tenders) + dueAtCounter).toBe(whole);
        expect(tenders.every((t) => t.amount > 0n)).toBe(true);
        const rank = (t: Tender) =>
          insurerKinds.includes(t.kind)
            ? insurerKinds.indexOf(t.kind)
            : t.kind === 'credit'
              ? 9
              : 5;
        expect(tenders.map(rank)).toEqual(tenders.map(rank).sort());
        expect(sum(tenders.filter((t) => t.kind === 'credit'))).toBe(credit);
        expect(dueAtCounter).toBe(divided.owed - credit);
      }),
      { numRuns: 500 },
    );
  });

  it('lets only psn_cash_pay reach counter, credit and what is due', () => {
    fc.assert(
      fc.property(bill, ({ total: whole, split, offered }) => {
        const divided = divideBill(whole, split, offered);
        const taken = divided.tenders.filter((t) => !insurerKinds.includes(t.kind));
        expect(sum(taken) + divided.owed).toBe(split ? split.cash : whole);
      }),
    );
  });

  it('takes each offered tender whole until nothing is left, and names every fen not taken', () => {
    fc.assert(
      fc.property(bill, ({ total: whole, split, offered }) => {
        const divided = divideBill(whole, split, offered);
        let left = split ? split.cash : whole;
        for (const { kind, amount, reference } of offered) {
          const fits = (t: Tender) => t.kind === kind && t.reference === reference;
          const [taken, unused] = [divided.tenders.filter(fits), divided.unused.filter(fits)];
          expect(sum(taken)).toBe(least(amount, left));
          expect(sum(taken) + sum(unused)).toBe(amount);
          left -= sum(taken);
        }
        expect(divided.owed).toBe(left);
      }),
    );
  });

  it('names account money of the family apart from the own, and leaves out what is nothing', () => {
    fc.assert(
      fc.property(total.chain(claimOf), (split) => {
        const parts = Object.fromEntries(insurerTenders(split).map((t) => [t.kind, t.amount]));
        const all = [split.fund, split.hospitalBorne, split.account - split.familyAccount];
        expect(insurerKinds.map((kind) => parts[kind] ?? 0n)).toEqual([
          ...all,
          split.familyAccount,
        ]);
        expect(Object.values(parts)).not.toContain(0n);
      }),
    );
    expect(insurerTenders(null)).toEqual([]);
  });

  it('refuses a claim that is not of this bill', () => {
    fc.assert(
      fc.property(total.chain(claimOf), fc.bigInt({ min: 1n, max: 50n }), (split, off) => {
        expect(() => divideBill(split.total + off, split, [])).toThrow('split is of this bill');
        const dearer = { ...split, cash: split.cash + off };
        expect(() => divideBill(split.total, dearer, [])).toThrow('split is of this bill');
      }),
    );
  });

  it('never lets credit take more than is owed', () => {
    const divided = divideBill(100n, null, [{ kind: 'cash', amount: 40n, reference: 'r' }]);
    expect(() => closeBill(divided, 61n)).toThrow('no more than is owed');
    expect(() => closeBill(divided, -1n)).toThrow('no more than is owed');
  });
});

/** A ledger in memory: posts entries as the database does, and knows what is left of each leg. */
function memoryLedger() {
  const legs: OpenLeg[] = [];
  let entries = 0;
  const post = (entry: Entry) => {
    if (entry.legs.length === 0) return;
    balanced(entry);
    entries += 1;
    for (const [index, leg] of entry.legs.entries()) {
      const undone = legs.find(
        (l) => l.entryId === leg.undoes?.entryId && l.leg === leg.undoes.leg,
      );
      if (leg.undoes) {
        expect(undone).toMatchObject({ account: leg.account, owner: leg.owner });
        undone!.undone += leg.amount < 0n ? -leg.amount : leg.amount;
        expect(undone!.undone).toBeLessThanOrEqual(
          undone!.amount < 0n ? -undone!.amount : undone!.amount,
        );
      }
      legs.push({
        entryId: `${entries}`,
        leg: index,
        fact: entry.fact,
        ownerKind: leg.ownerKind,
        owner: leg.owner,
        account: leg.account,
        amount: leg.amount,
        undone: leg.undoes ? (leg.amount < 0n ? -leg.amount : leg.amount) : 0n,
        counterparty: leg.counterparty ?? null,
        citizenId: leg.citizenId ?? null,
        settlementId: entry.settlementId ?? null,
        claimId: leg.claimId ?? null,
        reference: leg.reference ?? null,
      });
    }
  };
  const open = () =>
    [...legs].reverse().filter((l) => l.undone < (l.amount < 0n ? -l.amount : l.amount));
  const balance = (...accounts: AccountCode[]) =>
    sum(legs.filter((l) => accounts.includes(l.account)));
  return { post, open, balance };
}

const HOSPITAL = 'H35020000001';
const at = new Date('2026-11-22T02:00:00Z');
const payer = { lender: 'LWB', citizenId: 'cit_1' };
const base = { settlementId: 'set_1', hospitalCode: HOSPITAL, occurredAt: at };

/** What is still with whom; a second telling of the order in which money goes back. */
interface Held {
  billed: Fen;
  part: Fen;
  due: Fen;
  credit: Fen;
  repaid: Fen;
  counter: { kind: CounterKind; amount: Fen }[];
}

function takeBack(held: Held, amount: Fen): GivenBack {
  let rest = amount;
  const take = (of: Fen) => {
    const part = least(rest, of);
    rest -= part;
    return part;
  };
  const due = take(held.due);
  const creditOwed = take(held.credit - held.repaid);
  const creditRepaid = take(held.repaid);
  const counter = [...held.counter].reverse().flatMap((paid) => {
    const part = take(paid.amount);
    paid.amount -= part;
    return part > 0n ? [{ kind: paid.kind, amount: part }] : [];
  });
  held.due -= due;
  held.credit -= creditOwed + creditRepaid;
  held.repaid -= creditRepaid;
  expect(rest).toBe(0n);
  return { due, creditOwed, creditRepaid, counter, arrears: 0n };
}

type Claim = NonNullable<Parameters<typeof refundedEntry>[0]['newClaim']> & { cash: Fen };

const step = fc.oneof(
  fc.record({
    do: fc.constant('pay' as const),
    share,
    kind: fc.constantFrom(...counterKinds),
  }),
  fc.record({ do: fc.constant('repay' as const), share }),
  fc.record({
    do: fc.constant('refund' as const),
    share,
    claim: fc.tuple(share, share, share, share),
    isRefused: fc.boolean(),
  }),
);

describe('the entries of a settlement', () => {
  it('balance within each owner over any life of it, and always prove what is billed', () => {
    fc.assert(
      fc.property(bill, fc.array(step, { maxLength: 8 }), (opening, steps) => {
        const books = memoryLedger();
        const { total: whole, split, offered } = opening;
        const divided = divideBill(whole, split, offered);
        const captured = (divided.owed * opening.captured) / 1_000n;
        const { tenders, dueAtCounter } = closeBill(divided, captured);
        let claim: Claim | null = split && { ...split, claimId: 'clm_0', setlId: 's0' };
        books.post(
          settledEntry({ ...base, total: whole, dueAtCounter, tenders, claim, credit: payer }),
        );
        const held: Held = {
          billed: whole,
          part: split ? split.cash : whole,
          due: dueAtCounter,
          credit: captured,
          repaid: 0n,
          counter: tenders
            .filter((t) => (counterKinds as readonly string[]).includes(t.kind))
            .map((t) => ({ kind: t.kind as CounterKind, amount: t.amount })),
        };
        const prove = () => {
          const tenderLegs = books.balance(
            ...(['1101', '1104', '1201', '1202', '1203', '1205', '2305', '4102', '2203'] as const),
            '1207',
          );
          expect(tenderLegs).toBe(held.billed);
          expect(-books.balance('4101')).toBe(held.billed);
          expect(books.balance('1203')).toBe(held.credit);
          expect(books.balance('1207')).toBe(held.due);
          expect(books.balance('1201', '1202', '4102')).toBe(
            claim ? claim.fund + claim.account + claim.hospitalBorne : 0n,
          );
        };
        prove();
        for (const [index, next] of steps.entries()) {
          if (next.do === 'pay') {
            const amount = (held.due * next.share) / 1_000n;
            if (amount === 0n) continue;
            const subjectId = `set_1/${index}`;
            const { kind } = next;
            books.post(
              collectedEntry({ ...base, subjectId, kind, amount, openLegs: books.open() }),
            );
            held.due -= amount;
            held.counter.push({ kind, amount });
          } else if (next.do === 'repay') {
            held.repaid += ((held.credit - held.repaid) * next.share) / 1_000n;
          } else {
            const charges = (held.billed * next.share) / 1_000n;
            const left = held.billed - charges;
            const isClaimed = claim !== null && !next.isRefused && left > 0n;
            const newClaim = isClaimed ? reclaimed(left, held.part, next.claim, index) : null;
            const part = newClaim ? newClaim.cash : left;
            // A part that rises is arrears; only one that falls is given back.
            const back = takeBack(held, part < held.part ? held.part - part : 0n);
            const arrears = part > held.part ? part - held.part : 0n;
            books.post(
              refundedEntry({
                ...base,
                fact: 'refund.completed',
                causeId: `rfd_${index}`,
                charges,
                oldClaim: claim,
                newClaim,
                givenBack: { ...back, arrears },
                credit: payer,
                openLegs: books.open(),
              }),
            );
            held.billed = left;
            held.part = part;
            held.due += arrears;
            claim = newClaim;
          }
          prove();
        }
      }),
      { numRuns: 400 },
    );
  });

  it('never take more off a leg than is on it', () => {
    const books = memoryLedger();
    const tenders: Tender[] = [{ kind: 'cash', amount: 30n, reference: 'r' }];
    books.post(
      settledEntry({ ...base, total: 30n, dueAtCounter: 0n, tenders, claim: null, credit: null }),
    );
    const tooMuch: Parameters<typeof refundedEntry>[0] = {
      ...base,
      fact: 'refund.completed',
      causeId: 'rfd_1',
      charges: 31n,
      oldClaim: null,
      newClaim: null,
      givenBack: { due: 0n, creditOwed: 0n, creditRepaid: 0n, counter: [], arrears: 0n },
      credit: null,
      openLegs: books.open(),
    };
    expect(() => refundedEntry(tooMuch)).toThrow(NothingLeftToUndo);
    const due = { ...base, subjectId: 'set_1/2', kind: 'cash', amount: 1n } as const;
    expect(() => collectedEntry({ ...due, openLegs: books.open() })).toThrow(NothingLeftToUndo);
  });
});

/** What the insurer says of the rest; its citizen's part may fall or, rarely, rise. */
function reclaimed(left: Fen, oldPart: Fen, weights: [Fen, Fen, Fen, Fen], index: number): Claim {
  const [a, b, c, d] = weights;
  const all = a + b + c + d || 1n;
  const cash = least(left, (oldPart * d) / 900n);
  const insured = left - cash;
  const account = (insured * b) / all;
  const hospitalBorne = (insured * c) / all;
  const fund = insured - account - hospitalBorne;
  return {
    claimId: `clm_${index + 1}`,
    setlId: `s${index + 1}`,
    fund,
    account,
    hospitalBorne,
    cash,
  };
}
