// Law: money is integer fen (bigint) in code and at rest, and a two-decimal yuan string on the wire.
// Rounding is half-up to the fen and happens only in this file.
import { Decimal as DecimalJs } from 'decimal.js';

const Decimal = DecimalJs.clone({ precision: 40, rounding: DecimalJs.ROUND_HALF_UP });

/** Integer fen: 1 yuan = 100 fen. */
export type Fen = bigint;

/** The largest amount anywhere: 99,999,999.99 yuan. No hospital stay comes near it. */
export const MAX_FEN: Fen = 9_999_999_999n;

const YUAN = /^(0|[1-9]\d{0,7})\.\d{2}$/;
/** What nearly all of them are: no exponent, nothing finer than a fen. */
const PLAIN_WIRE_NUMBER = /^(-?\d{1,16})(?:\.(\d{1,2}))?$/;
const WIRE_NUMBER = /^-?\d{1,16}(\.\d{1,20})?([eE][+-]?\d{1,2})?$/;

/** True for a yuan string with exactly two decimals, e.g. "12.30". */
export function isYuan(text: string): boolean {
  return YUAN.test(text);
}

/** Parses "12.30" to 1230n. Throws RangeError on anything but exactly two decimals. */
export function parseYuan(text: string): Fen {
  if (!YUAN.test(text)) throw new RangeError(`not an amount in yuan with two decimals: ${text}`);
  return BigInt(text.replace('.', ''));
}

/** Formats fen as yuan with exactly two decimals; negative amounts keep their sign. */
export function formatYuan(fen: Fen): string {
  const digits = (fen < 0n ? -fen : fen).toString().padStart(3, '0');
  return `${fen < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** Amount of a charge line: quantity × unit price (decimal strings), half-up to the fen. */
export function lineAmount(quantity: string, unitPrice: string): Fen {
  return toFen(new Decimal(quantity).times(unitPrice));
}

/** amount × ratio (a decimal string such as "0.85"), half-up to the fen. */
export function ratioOf(amount: Fen, ratio: string): Fen {
  return toFen(new Decimal(amount.toString()).times(ratio).div(100));
}

/** amount × percent (a decimal string such as "0.60"), half-up to the fen. */
export function percentOf(amount: Fen, percent: string): Fen {
  return toFen(new Decimal(amount.toString()).times(percent).div(10_000));
}

/**
 * What a refund of `quantity` gives back of a line (domain.md, Money and books): what was left of
 * the line − half-up(amount × quantity left after ÷ whole quantity), so parts always sum to the line.
 */
export function refundOfLine(line: {
  amount: Fen;
  quantity: string;
  leftAmount: Fen;
  leftQuantity: string;
  refundQuantity: string;
}): Fen {
  const leftAfter = new Decimal(line.leftQuantity).minus(line.refundQuantity);
  if (leftAfter.isNegative()) throw new RangeError('refund of more than what is left of the line');
  const keep = new Decimal(line.amount.toString()).times(leftAfter).div(line.quantity).div(100);
  return line.leftAmount - toFen(keep);
}

/** Splits an amount by weights: floors each part and hands the remainder out in order. */
export function splitByWeights(amount: Fen, weights: readonly Fen[]): Fen[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  if (amount < 0n || sum <= 0n || weights.some((w) => w < 0n)) {
    throw new RangeError('split needs a non-negative amount and weights with a positive sum');
  }
  const parts = weights.map((w) => (amount * w) / sum);
  let rest = amount - parts.reduce((a, b) => a + b, 0n);
  for (let i = 0; rest > 0n; i = (i + 1) % parts.length) {
    if (weights[i] === 0n) continue;
    parts[i] = (parts[i] ?? 0n) + 1n;
    rest -= 1n;
  }
  return parts;
}

/**
 * Reads an insurer's amount (number text, string, null or "") without floating point arithmetic.
 * Returns null for an absent amount and for anything finer than a fen or not a number.
 */
export function fenFromWire(value: unknown): Fen | null {
  const text = value === null || value === undefined ? '' : String(value).trim();
  const plain = PLAIN_WIRE_NUMBER.exec(text);
  if (plain) return BigInt(plain[1] + (plain[2] ?? '').padEnd(2, '0'));
  if (!WIRE_NUMBER.test(text)) return null;
  const fen = new Decimal(text).times(100);
  return fen.isInteger() ? BigInt(fen.toFixed(0)) : null;
}

/** Compares two decimal strings (quantities): −1, 0 or 1. */
export function compareDecimals(a: string, b: string): number {
  return new Decimal(a).comparedTo(b);
}

/** a − b of two decimal strings, in plain notation. */
export function subtractDecimals(a: string, b: string): string {
  return new Decimal(a).minus(b).toFixed();
}

export const minFen = (a: Fen, b: Fen): Fen => (a < b ? a : b);
export const maxFen = (a: Fen, b: Fen): Fen => (a > b ? a : b);
export const sumFen = (parts: Iterable<Fen>): Fen => {
  let sum = 0n;
  for (const part of parts) sum += part;
  return sum;
};

function toFen(yuan: DecimalJs): Fen {
  return BigInt(yuan.times(100).toFixed(0, DecimalJs.ROUND_HALF_UP));
}
