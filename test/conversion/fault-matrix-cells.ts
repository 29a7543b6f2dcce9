// The cells of the fault matrix: each fault × each trade × each use case, what arrives while a
// conversion waits or is under way included, and which of them mean nothing.
import { type Fault, faults, type Strike, trades } from './fault-matrix-insurer.ts';

export const uses = ['settlement', 'oneScan', 'conversion', 'refund'] as const;
export const arrivals = [
  'refundWhileQueued',
  'secondWhileQueued',
  'refundWhileClaiming',
  'secondWhileClaiming',
] as const;

export interface Cell extends Strike {
  use: (typeof uses)[number] | (typeof arrivals)[number];
}

/** Faults that are over at once, and those that somebody waits for. */
export const quick: readonly Fault[] = ['refused', 'lost', 'error500', 'garbage', 'rejected'];
export const slow: readonly Fault[] = faults.filter((fault) => !quick.includes(fault));

/** All cells of these faults and use cases. */
export function cellsOf(wanted: readonly Fault[], of: readonly Cell['use'][]): Cell[] {
  return of
    .flatMap((use) => wanted.flatMap((fault) => trades.map((trade) => ({ fault, trade, use }))))
    .filter((cell) => !isLeftOut(cell));
}

/**
 * Only a refund cancels a claim (2208): a settlement, a one-scan or a conversion never sends it. Such a
 * cell is played all the same and must find that nothing was sent and nothing was disturbed.
 */
export const isIdle = ({ trade, use }: Cell) => trade === '2208' && use !== 'refund';

/**
 * Cells that would be another one again: nobody cancels a claim where a refund or a second bill
 * arrives at a self-paid one, and a bill that was refused at the counter leaves nothing queued (a
 * 2601 that is refused does).
 */
function isLeftOut({ fault, trade, use }: Cell): boolean {
  const isArrival = arrivals.some((arrival) => arrival === use);
  if (isArrival && trade === '2208') return true;
  return use.endsWith('WhileQueued') && fault === 'rejected' && trade !== '2601';
}
