// Properties of the insurer's split: every invariant of nhsa.md §2.9 on every result.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Fen, formatYuan, lineAmount } from '../../../src/money.ts';
import { toYuanRecord } from '../../../src/sandbox/insurer/books.ts';
import { billTermsOf, type CodeTerms, termsOf } from '../../../src/sandbox/insurer/catalogue.ts';
import type { SplitRecord } from '../../../src/sandbox/insurer/events.ts';
import { amountsOf, setldetailOf } from '../../../src/sandbox/insurer/setlinfo.ts';
import {
  type BillInput,
  type BillSplit,
  type LineParts,
  splitBill,
  splitLine,
} from '../../../src/sandbox/insurer/split.ts';
import { toWireNumber } from '../../../src/sandbox/insurer/wire-number.ts';
import { fenOf } from './visits.ts';

const fen = (max: bigint) => fc.bigInt({ min: 0n, max });
const ratio = fc.integer({ min: 0, max: 10_000 }).map((n) => (n / 10_000).toFixed(4));
const properRatio = fc.integer({ min: 1, max: 9_999 }).map((n) => (n / 10_000).toFixed(4));
const price = fc.integer({ min: 0, max: 99_999_999 }).map((n) => (n / 1_000_000).toFixed(6));
const quantity = fc.integer({ min: 1, max: 999_999 }).map((n) => (n / 10_000).toFixed(4));

const terms: fc.Arbitrary<CodeTerms> = fc.record({
  cls: fc.constantFrom('甲', '乙', '丙'),
  selfPayRatio: ratio,
  priceLimit: fc.option(price),
  isLimitedUse: fc.boolean(),
});

const line: fc.Arbitrary<LineParts> = fc
  .record({ quantity, price, approval: fc.constantFrom('0', '1', '2'), terms })
  .map(({ quantity: q, price: p, approval, terms: t }) =>
    splitLine({ amount: lineAmount(q, p), quantity: q, unitPrice: p, approval }, t),
  );

const bill: fc.Arbitrary<BillInput> = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 20 }),
  deductibleLeft: fen(1_000_000n),
  ratio,
  supplementRatio: ratio,
  hospitalBorneRatio: ratio,
  accountUse: fc.constantFrom('0', '1', '2'),
  ownBalance: fen(2_000_000n),
  familyBalance: fen(2_000_000n),
});

function expectInvariants(split: BillSplit): void {
  const { total } = split;
  expect(split.fund + split.personalPart + split.hospitalBorne).toBe(total);
  expect(split.account + split.cash).toBe(split.personalPart);
  expect(split.poolFund + split.supplementFund).toBe(split.fund);
  expect(split.fullyOwn + split.overLimit + split.firstOwn + split.inScope).toBe(total);
  expect(split.familyAccount <= split.account).toBe(true);
  expect(split.deductible <= split.inScope).toBe(true);
  expect(split.fund <= split.inScope).toBe(true);
  for (const amount of Object.values<Fen>({ ...split })) expect(amount >= 0n).toBe(true);
}

describe('splitLine', () => {
  test('gives four non-negative parts that sum to the line', () => {
    fc.assert(
      fc.property(line, (parts) => {
        const sum = parts.fullyOwn + parts.overLimit + parts.firstOwn + parts.inScope;
        expect(sum).toBe(parts.amount);
        for (const part of Object.values<Fen>({ ...parts })) expect(part >= 0n).toBe(true);
      }),
    );
  });

  test('leaves what is 丙 or outside the insurance to the patient', () => {
    fc.assert(
      fc.property(fen(9_999_999n), terms, (amount, t) => {
        const row = { amount, quantity: '1', unitPrice: formatYuan(amount) };
        expect(splitLine({ ...row, approval: '2' }, t).fullyOwn).toBe(amount);
        expect(splitLine({ ...row, approval: '1' }, { ...t, cls: '丙' }).fullyOwn).toBe(amount);
      }),
    );
  });
});

describe('splitBill', () => {
  test('keeps every money invariant', () => {
    fc.assert(
      fc.property(bill, (input) => expectInvariants(splitBill(input))),
      { numRuns: 500 },
    );
  });

  test('spends accounts only as the flag allows, the own one first and no further than it goes', () => {
    fc.assert(
      fc.property(bill, (input) => {
        const split = splitBill(input);
        const own = split.account - split.familyAccount;
        expect(own <= input.ownBalance).toBe(true);
        expect(split.familyAccount <= input.familyBalance).toBe(true);
        expect(split.balanceAfter).toBe(input.ownBalance - own);
        if (input.accountUse === '0') expect(split.account).toBe(0n);
        if (input.accountUse === '1') expect(split.familyAccount).toBe(0n);
        if (split.familyAccount > 0n) expect(own).toBe(input.ownBalance);
      }),
    );
  });

  test('pays never nothing and never all of an in-scope bill from 0.02 up', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n, max: 9_999_999n }), properRatio, (amount, share) => {
        const parts = { amount, fullyOwn: 0n, overLimit: 0n, firstOwn: 0n, inScope: amount };
        const { fund } = splitBill({ ...nothingElse, lines: [parts], ratio: share });
        expect(fund > 0n && fund < amount).toBe(true);
      }),
    );
  });

  test('by default pays some and not all of any code, known or not', () => {
    const levels = fc.constantFrom(1, 2, 3);
    const types = fc.constantFrom('employee', 'resident');
    const amounts = fc.array(fc.bigInt({ min: 1n, max: 1_000_000n }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        amounts,
        types,
        levels,
        (code, each, type, level) => {
          const lines = each.map((amount) =>
            splitLine(
              { amount, quantity: '1', unitPrice: formatYuan(amount), approval: '0' },
              termsOf(code, new Map()),
            ),
          );
          const total = each.reduce((a, b) => a + b, 0n);
          fc.pre(total >= 2n);
          const hospital = { code: 'H', level, region: '350200' } as const;
          const billTerms = billTermsOf({}, type, hospital);
          const { fund } = splitBill({
            ...nothingElse,
            ...billTerms,
            deductibleLeft: billTerms.yearlyDeductible,
            lines,
          });
          expect(fund > 0n && fund < total).toBe(true);
        },
      ),
    );
  });
});

const nothingElse = {
  deductibleLeft: 0n,
  supplementRatio: '0',
  hospitalBorneRatio: '0',
  accountUse: '0',
  ownBalance: 0n,
  familyBalance: 0n,
} as const;

describe('the wire', () => {
  test('carries fen as JSON numbers without loss', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -9_999_999_999n, max: 9_999_999_999n }), (amount) => {
        expect(fenOf(JSON.parse(JSON.stringify(toWireNumber(amount))))).toBe(amount);
      }),
    );
  });

  test('keeps the invariants in setlinfo, and negated in a reversal', () => {
    fc.assert(
      fc.property(bill, fc.constantFrom(1n, -1n), (input, sign) => {
        const record: SplitRecord = toYuanRecord({ ...splitBill(input) });
        const amounts = amountsOf(record, sign as 1n | -1n);
        const sum = (...fields: (keyof typeof amounts)[]) =>
          fields.reduce((total, field) => total + fenOf(amounts[field]), 0n);
        const total = fenOf(amounts.medfee_sumamt);
        expect(sum('fund_pay_sumamt', 'psn_part_amt', 'hosp_part_amt')).toBe(total);
        expect(sum('acct_pay', 'psn_cash_pay')).toBe(fenOf(amounts.psn_part_amt));
        const scope = ['fulamt_ownpay_amt', 'overlmt_selfpay', 'preselfpay_amt', 'inscp_scp_amt'];
        expect(sum(...(scope as (keyof typeof amounts)[]))).toBe(total);
        const rows = setldetailOf(record, '310', sign as 1n | -1n);
        const listed = rows.reduce((all, row) => all + fenOf(row.fund_payamt), 0n);
        expect(listed).toBe(sum('fund_pay_sumamt', 'acct_pay', 'hosp_part_amt'));
      }),
    );
  });
});
