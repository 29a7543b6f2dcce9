// Law: money leaves the insurer as a JSON number, made of exact fen at the last step.
import { type Fen, formatYuan } from '../../money.ts';

/**
 * Fen as the JSON number the platform sends, e.g. 4.52. Lossless: amounts have at most ten digits
 * and a double prints back every decimal of up to fifteen.
 */
export function toWireNumber(fen: Fen): number {
  return Number(formatYuan(fen));
}
