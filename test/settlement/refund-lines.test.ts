// Law: the parts of a line always sum to the line, nothing is refunded twice, and a refusal names its
// line. Over any sequence of refund requests, against exact fractions.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/errors.ts';
import { lineAmount } from '../../src/money.ts';
import {
  decideRefund,
  type LineLeft,
  type RefundedLine,
  refundTotal,
} from '../../src/settlement/refund-lines.ts';
import type { RefundRequest } from '../../src/settlement/schemas.ts';
import { halfUp, rational } from '../support/rational.ts';

const UNITS = 10_000n;
/** Ten-thousandths as a decimal text, e.g. 12500n → "1.25". */
const decimalText = (units: bigint) => {
  const fraction = `${units % UNITS}`.padStart(4, '0').replace(/0+$/, '');
  return fraction === '' ? `${units / UNITS}` : `${units / UNITS}.${fraction}`;
};
const unitsOf = (text: string) => {
  const { n, d } = rational(text);
  return (n * UNITS) / d;
};

const quantity = fc.oneof(
  fc.bigInt({ min: 1n, max: 20n }).map((whole) => whole * UNITS),
  fc.bigInt({ min: 1n, max: 200_000n }),
);
const price = fc.oneof(
  fc
    .bigInt({ min: 0n, max: 99_999n })
    .map((fen) => `${fen / 100n}.${`${fen % 100n}`.padStart(2, '0')}`),
  fc
    .bigInt({ min: 0n, max: 9_999_999n })
    .map((micro) => `0.${`${micro}`.padStart(6, '0').slice(-6)}`),
);
const bill = fc.array(fc.tuple(quantity, price), { minLength: 1, maxLength: 5 }).map((lines) =>
  lines.map(([units, unitPrice], i): LineLeft => {
    const text = decimalText(units);
    const amount = lineAmount(text, unitPrice);
    return { lineNumber: i + 1, quantity: text, leftQuantity: text, amount, leftAmount: amount };
  }),
);

/** A request by shares: which lines, and which thousandths of what is left of each (null: all of it). */
const wish = fc.oneof(
  { weight: 1, arbitrary: fc.constant('all' as const) },
  {
    weight: 5,
    arbitrary: fc.uniqueArray(
      fc.record({ line: fc.nat(4), share: fc.option(fc.bigInt({ min: 1n, max: 1_100n })) }),
      { minLength: 1, maxLength: 4, selector: (part) => part.line },
    ),
  },
);

function requestOf(
  lines: readonly LineLeft[],
  asked: readonly { line: number; share: bigint | null }[],
) {
  return asked.flatMap(({ line: index, share }) => {
    const line = lines[index];
    if (!line) return [];
    const units = share === null ? 0n : (unitsOf(line.leftQuantity) * share) / 1_000n;
    return [
      { lineNumber: line.lineNumber, ...(units > 0n ? { quantity: decimalText(units) } : {}) },
    ];
  });
}

/** The lines as the database has them after the refund. */
function after(lines: readonly LineLeft[], refunded: readonly RefundedLine[]): LineLeft[] {
  return lines.map((line) => {
    const part = refunded.find((r) => r.lineNumber === line.lineNumber);
    if (!part) return line;
    return { ...line, leftQuantity: part.leftQuantity, leftAmount: BigInt(part.leftAmount) };
  });
}

const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
  return null;
};

describe('refunds of a bill', () => {
  it('over any sequence give each line back once, to the fen and by the law of parts', () => {
    fc.assert(
      fc.property(bill, fc.array(wish, { maxLength: 6 }), (lines, wishes) => {
        let now: LineLeft[] = lines;
        let given = 0n;
        for (const asked of [...wishes, 'all' as const]) {
          const request: RefundRequest =
            asked === 'all'
              ? { all: true, reason: 'r' }
              : { lines: requestOf(now, asked), reason: 'r' };
          if ('lines' in request && request.lines.length === 0) continue;
          const leftUnits = (n: number) =>
            unitsOf(now.find((l) => l.lineNumber === n)!.leftQuantity);
          const isTooMuch =
            'lines' in request
              ? request.lines.some(({ lineNumber, quantity: q }) => {
                  const left = leftUnits(lineNumber);
                  return left === 0n || (q !== undefined && unitsOf(q) > left);
                })
              : now.every((line) => unitsOf(line.leftQuantity) === 0n);
          if (isTooMuch) {
            expect(codeOf(() => decideRefund(now, request))).toBe('refund/exceeds-leg');
            continue;
          }
          const refunded = decideRefund(now, request);
          for (const part of refunded) {
            const line = now.find((l) => l.lineNumber === part.lineNumber)!;
            const [whole, left] = [rational(line.quantity), rational(part.leftQuantity)];
            const keep = halfUp({ n: line.amount * left.n * whole.d, d: left.d * whole.n });
            expect(BigInt(part.leftAmount)).toBe(keep);
            expect(BigInt(part.amount)).toBe(line.leftAmount - keep);
            expect(unitsOf(part.quantity) + unitsOf(part.leftQuantity)).toBe(
              unitsOf(line.leftQuantity),
            );
          }
          given += refundTotal(refunded);
          now = after(now, refunded);
          const left = now.reduce((all, line) => all + line.leftAmount, 0n);
          expect(given + left).toBe(lines.reduce((all, line) => all + line.amount, 0n));
        }
        expect(now.map((line) => [unitsOf(line.leftQuantity), line.leftAmount])).toEqual(
          now.map(() => [0n, 0n]),
        );
      }),
      { numRuns: 400 },
    );
  });

  it('of "all" take every line that is left and no other', () => {
    fc.assert(
      fc.property(bill, fc.nat(4), (lines, gone) => {
        const left = lines.map((line, i) =>
          i === gone ? { ...line, leftQuantity: '0', leftAmount: 0n } : line,
        );
        const expected = left.filter((line) => line.leftQuantity !== '0').map((l) => l.lineNumber);
        const request = { all: true, reason: 'r' } as const;
        if (expected.length === 0) {
          expect(codeOf(() => decideRefund(left, request))).toBe('refund/exceeds-leg');
        } else {
          expect(decideRefund(left, request).map((r) => r.lineNumber)).toEqual(expected);
        }
      }),
    );
  });

  it('refuse a line that the settlement does not have, with its pointer', () => {
    const lines = [{ lineNumber: 1, quantity: '1', leftQuantity: '1', amount: 5n, leftAmount: 5n }];
    const request = { lines: [{ lineNumber: 1 }, { lineNumber: 2 }], reason: 'r' };
    try {
      decideRefund(lines, request);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(Refusal);
      expect((error as Refusal).code).toBe('refund/line-unknown');
      expect((error as Refusal).options.errors).toMatchObject([{ pointer: '/lines/1' }]);
    }
  });
});
