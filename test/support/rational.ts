// Exact fractions of whole numbers: a second, simpler arithmetic to hold money.ts against.
import fc from 'fast-check';

/** n ÷ d with d > 0. */
export interface Ratio {
  n: bigint;
  d: bigint;
}

/** "12.30" as 1230 ÷ 100. */
export function rational(text: string): Ratio {
  const [whole = '0', fraction = ''] = text.split('.');
  return { n: BigInt(whole + fraction), d: 10n ** BigInt(fraction.length) };
}

/** Half-up of a fraction that is not negative. */
export function halfUp({ n, d }: Ratio): bigint {
  return (2n * n + d) / (2n * d);
}

export const atMost = ({ n, d }: Ratio, whole: bigint): boolean => n <= whole * d;

/** Decimal texts with so many digits at most, borders included, no leading zeros. */
export function decimal(size: { wholeDigits: number; places: number }): fc.Arbitrary<string> {
  const whole = fc
    .integer({ min: 1, max: size.wholeDigits })
    .chain((digits) => fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n }));
  const fraction = fc.stringMatching(/^\d*$/).map((text) => text.slice(0, size.places));
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: size.places });
  return fc
    .tuple(
      whole,
      fc.oneof(
        fraction,
        digits.map((all) => all.join('')),
      ),
    )
    .map(([w, f]) => (f === '' ? w.toString() : `${w}.${f}`));
}
