// Role: amounts and hours of the demo month drawn from EGRET_REAL_DATA: what encounters cost, scaled to the
// published mean of an outpatient visit, and the hours at which they began.
import type { Fen } from '../../money.ts';
import type { Shapes } from './month-plan.ts';
import { readRealData } from './real-files.ts';

/** A bill of at least 5.00 and at most 3,000.00: what an outpatient counter sees. */
const LEAST: Fen = 500n;
const MOST: Fen = 300_000n;
const DAY_SECONDS = 86_400;

export async function realShapes(folder: string): Promise<Shapes> {
  const { charges, encounters, meanOutpatient } = await readRealData(folder);
  const cost = new Map<string, Fen>();
  for (const { encounter, amount } of charges) {
    cost.set(encounter, (cost.get(encounter) ?? 0n) + amount);
  }
  const costs = [...cost.values()].filter((amount) => amount > 0n);
  const sum = costs.reduce((a, b) => a + b, 0n);
  const scaled = costs.map((amount) => {
    const fen = (amount * meanOutpatient * BigInt(costs.length)) / sum;
    return fen < LEAST ? LEAST : fen > MOST ? MOST : fen;
  });
  // Encounters before 1970 have negative times.
  const seconds = encounters.map(({ startedAt }) => {
    const second = Math.floor(startedAt.getTime() / 1000) % DAY_SECONDS;
    return second < 0 ? second + DAY_SECONDS : second;
  });
  const draw = <T>(from: readonly T[], random: () => number): T => {
    const found = from[Math.floor(random() * from.length)];
    if (found === undefined) throw new RangeError('the real data has no encounters');
    return found;
  };
  return {
    amount: (random) => draw(scaled, random),
    arrival: (random) => draw(seconds, random),
  };
}
