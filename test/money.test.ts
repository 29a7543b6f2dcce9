// Law: integer fen everywhere, half-up in one place, and no fen is ever lost or made by a split.
import { Decimal } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareDecimals,
  type Fen,
  fenFromWire,
  formatYuan,
  isYuan,
  lineAmount,
  parseYuan,
  ratioOf,
  refundOfLine,
  splitByWeights,
  subtractDecimals,
  sumFen,
} from '../src/money.ts';
import { atMost, decimal, halfUp, type Ratio, rational } from './support/rational.ts';

/** The most that the wire can say of one amount: 99,999,999.99 yuan. */
const MAX_FEN = 9_999_999_999n;
const amount = fc.bigInt({ min: 0n, max: MAX_FEN });
const quantity = decimal({ wholeDigits: 8, places: 4 }).filter((text) => rational(text).n > 0n);
const price = decimal({ wholeDigits: 8, places: 6 });

describe('yuan on the wire', () => {
  it('is parsed and formatted without loss, both ways', () => {
    fc.assert(
      fc.property(amount, (fen) => {
        expect(isYuan(formatYuan(fen))).toBe(true);
        expect(parseYuan(formatYuan(fen))).toBe(fen);
      }),
    );
    fc.assert(
      fc.property(decimal({ wholeDigits: 8, places: 2 }), (text) => {
        if (!isYuan(text)) expect(() => parseYuan(text)).toThrow(RangeError);
        else expect(formatYuan(parseYuan(text))).toBe(text);
      }),
    );
  });

  it('keeps the sign of a negative sum and never prints minus nothing', () => {
    expect([formatYuan(-5n), formatYuan(-1230n), formatYuan(0n)]).toEqual([
      '-0.05',
      '-12.30',
      '0.00',
    ]);
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 18n }), (fen) => {
        expect(formatYuan(-fen)).toBe(`-${formatYuan(fen)}`);
      }),
    );
  });

  it.each([
    '',
    '1',
    '1.2',
    '1.234',
    '01.00',
    '.50',
    '1.',
    '-1.00',
    '+1.00',
    '1,00',
    ' 1.00',
    '1.00\n',
    '1e2',
    '１.００',
    '100000000.00',
  ])('is not %j', (text) => {
    expect(isYuan(text)).toBe(false);
    expect(() => parseYuan(text)).toThrow(RangeError);
  });
});

describe('the amount of a line', () => {
  it('is quantity × price, half-up to the fen, as exact fractions say', () => {
    fc.assert(
      fc.property(quantity, price, (q, p) => {
        const [a, b] = [rational(q), rational(p)];
        expect(lineAmount(q, p)).toBe(halfUp({ n: a.n * b.n * 100n, d: a.d * b.d }));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['1', '0.005', 1n],
    ['1', '0.004999', 0n],
    ['3', '0.005', 2n],
    ['0.5', '0.01', 1n],
    ['0.0001', '49.999999', 0n],
    ['0.0001', '50', 1n],
    ['2.5', '0.33', 83n],
    ['99999999.9999', '0.000001', 10_000n],
  ])('rounds %s × %s at the border to %s fen', (q, p, fen) => {
    expect(lineAmount(q, p)).toBe(fen);
  });
});

describe('a ratio of an amount', () => {
  it('is half-up as exact fractions say, and never more than the whole', () => {
    const ratio = decimal({ wholeDigits: 1, places: 4 }).filter((text) =>
      atMost(rational(text), 1n),
    );
    fc.assert(
      fc.property(amount, ratio, (fen, text) => {
        const { n, d } = rational(text);
        expect(ratioOf(fen, text)).toBe(halfUp({ n: fen * n, d }));
        expect(ratioOf(fen, text)).toBeLessThanOrEqual(fen);
      }),
    );
  });
});

/** A line with amount as charged, and the shares in which it is refunded one after another. */
const refundedLine = fc
  .record({
    quantity: decimal({ wholeDigits: 4, places: 4 }).filter((text) => rational(text).n > 0n),
    unitPrice: decimal({ wholeDigits: 4, places: 6 }),
    cuts: fc.array(fc.bigInt({ min: 1n, max: 1_000n }), { minLength: 1, maxLength: 8 }),
  })
  .map(({ quantity: q, unitPrice, cuts }) => ({
    quantity: q,
    amount: lineAmount(q, unitPrice),
    parts: cutUp(q, cuts),
  }));

/** Splits a quantity into positive parts of four places at most, in about these proportions. */
function cutUp(whole: string, cuts: readonly bigint[]): string[] {
  const { n, d } = rational(whole);
  const units = (n * 10_000n) / d;
  const sum = sumFen(cuts);
  const parts = cuts.map((cut) => (units * cut) / sum);
  const rest = units - sumFen(parts);
  return [...parts.slice(0, -1), (parts.at(-1) ?? 0n) + rest]
    .filter((part) => part > 0n)
    .map((part) => `${part / 10_000n}.${String(part % 10_000n).padStart(4, '0')}`);
}

describe('refunds of a line', () => {
  it('sum to the line over any sequence of parts, each as the law says and none negative', () => {
    fc.assert(
      fc.property(refundedLine, (line) => {
        let leftAmount: Fen = line.amount;
        let leftQuantity = line.quantity;
        let given = 0n;
        for (const refundQuantity of line.parts) {
          const part = refundOfLine({ ...line, leftAmount, leftQuantity, refundQuantity });
          const after = subtractDecimals(leftQuantity, refundQuantity);
          const [q, left] = [rational(line.quantity), rational(after)];
          const keep: Ratio = { n: line.amount * left.n * q.d, d: left.d * q.n };
          expect(part).toBe(leftAmount - halfUp(keep));
          expect(part).toBeGreaterThanOrEqual(0n);
          [leftAmount, leftQuantity, given] = [leftAmount - part, after, given + part];
        }
        expect(compareDecimals(leftQuantity, '0')).toBe(0);
        expect([given, leftAmount]).toEqual([line.amount, 0n]);
      }),
      { numRuns: 500 },
    );
  });

  it('may come in any order: the same quantity refunded gives the same money back', () => {
    fc.assert(
      fc.property(refundedLine, (line) => {
        const backAfter = (parts: readonly string[]) => {
          let [leftAmount, leftQuantity] = [line.amount, line.quantity];
          for (const refundQuantity of parts) {
            leftAmount -= refundOfLine({ ...line, leftAmount, leftQuantity, refundQuantity });
            leftQuantity = subtractDecimals(leftQuantity, refundQuantity);
          }
          return line.amount - leftAmount;
        };
        const some = line.parts.slice(0, Math.ceil(line.parts.length / 2));
        expect(backAfter([...some].reverse())).toBe(backAfter(some));
      }),
    );
  });

  it('of more than is left are refused', () => {
    const line = { amount: 100n, quantity: '3', leftAmount: 67n, leftQuantity: '2' };
    expect(() => refundOfLine({ ...line, refundQuantity: '2.0001' })).toThrow(RangeError);
    expect(refundOfLine({ ...line, refundQuantity: '2.0000' })).toBe(67n);
  });
});

describe('a split by weights', () => {
  const weights = fc
    .array(fc.bigInt({ min: 0n, max: 10n ** 10n }), { minLength: 1, maxLength: 12 })
    .filter((all) => sumFen(all) > 0n);

  it('sums to the amount, floors each part and hands the remainder out in order', () => {
    fc.assert(
      fc.property(amount, weights, (whole, all) => {
        const parts = splitByWeights(whole, all);
        const sum = sumFen(all);
        expect(sumFen(parts)).toBe(whole);
        const extras = parts.map((part, i) => part - (whole * all[i]!) / sum);
        expect(extras.every((extra) => extra === 0n || extra === 1n)).toBe(true);
        expect(parts.every((part, i) => all[i] !== 0n || part === 0n)).toBe(true);
        // In order: once a weight got no extra fen, no later one did.
        const weighty = extras.filter((_, i) => all[i] !== 0n);
        expect(weighty).toEqual([...weighty].sort((a, b) => Number(b - a)));
      }),
    );
  });

  it.each([
    [-1n, [1n]],
    [1n, []],
    [1n, [0n, 0n]],
    [1n, [2n, -1n]],
  ] as [Fen, Fen[]][])('of %s by %s is refused', (whole, all) => {
    expect(() => splitByWeights(whole, all)).toThrow(RangeError);
  });
});

describe("an insurer's amount", () => {
  it('is read without loss however it is written: number text, string, spaces, exponent, sign', () => {
    const wire = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n });
    fc.assert(
      fc.property(wire, fc.nat(8), fc.boolean(), (fen, zeros, isExponent) => {
        const plain = formatYuan(fen) + '0'.repeat(zeros);
        const sign = fen < 0n ? '-' : '';
        const text = isExponent ? `${sign}${fen < 0n ? -fen : fen}e-2` : plain;
        expect(fenFromWire(text)).toBe(fen);
        expect(fenFromWire(` ${text} `)).toBe(fen);
        expect(fenFromWire({ toString: () => text })).toBe(fen);
      }),
    );
  });

  it('is null when it is absent, not a number, or finer than a fen at any depth', () => {
    for (const value of [
      null,
      undefined,
      '',
      '  ',
      'abc',
      '1,00',
      '0x10',
      'NaN',
      'Infinity',
      '--1',
      true,
      {},
    ]) {
      expect(fenFromWire(value)).toBeNull();
    }
    fc.assert(
      fc.property(
        amount,
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (fen, depth, digit) => {
          expect(fenFromWire(`${formatYuan(fen)}${'0'.repeat(depth)}${digit}`)).toBeNull();
        },
      ),
    );
    expect(fenFromWire('0.30000000000000004')).toBeNull();
  });

  it('says of every number text what decimal.js says', () => {
    const text = fc.stringMatching(/^-?\d{1,17}(\.\d{0,4})?([eE][+-]?\d{1,2})?$/);
    const Exact = Decimal.clone({ precision: 200 });
    fc.assert(
      fc.property(text, (number) => {
        const isNumber = /^-?\d{1,16}(\.\d+)?([eE].*)?$/.test(number);
        const fen = isNumber ? new Exact(number).times(100) : null;
        expect(fenFromWire(number)).toBe(fen?.isInteger() ? BigInt(fen.toFixed(0)) : null);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('decimal strings', () => {
  it('are compared and subtracted exactly', () => {
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const [x, y] = [rational(a), rational(b)];
        const difference = x.n * y.d - y.n * x.d;
        expect(compareDecimals(a, b)).toBe(difference === 0n ? 0 : difference > 0n ? 1 : -1);
        const left = subtractDecimals(a, b);
        expect(left).toMatch(/^-?\d+(\.\d+)?$/);
        const z = rational(left);
        expect(z.n * x.d * y.d).toBe(difference * z.d);
      }),
    );
  });
});
