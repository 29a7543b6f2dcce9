// Role: a working day of the city's outpatients: who comes when to which institution. Pure; the same for
// the same seed.
import { institutions } from '../../src/sandbox/city/hospitals.ts';

export interface Arrival {
  /** Seconds after midnight. */
  at: number;
  /** Index into the institutions. */
  institution: number;
  /** Index into the people. */
  person: number;
}

/**
 * Visits that begin in each hour, of 1,000: the morning's peak between eight and eleven, a dip at
 * noon, a lower one in the afternoon, emergencies at night.
 */
const BY_HOUR: Record<number, number> = {
  ...{ 0: 4, 1: 3, 2: 3, 3: 2, 4: 2, 5: 4, 6: 15, 7: 75, 8: 165, 9: 150, 10: 118, 11: 62 },
  ...{
    12: 28,
    13: 48,
    14: 92,
    15: 84,
    16: 62,
    17: 32,
    18: 16,
    19: 12,
    20: 10,
    21: 6,
    22: 4,
    23: 3,
  },
};

/** Visits of an institution by its level: a large hospital sees twenty times a centre's. */
const BY_LEVEL = { 1: 1, 2: 7, 3: 20 };

/** `count` arrivals in their order; each of `people` comes equally often. */
export function planDay(count: number, people: number, random: () => number): Arrival[] {
  const hours = sumsOf(Object.values(BY_HOUR));
  const shares = sumsOf(institutions.map(({ level }) => BY_LEVEL[level]));
  return Array.from({ length: count }, (_, index) => ({
    at: Math.floor((pick(hours, random()) + random()) * 3600),
    institution: pick(shares, random()),
    person: index % people,
  })).sort((a, b) => a.at - b.at);
}

function sumsOf(weights: readonly number[]): number[] {
  let sum = 0;
  return weights.map((weight) => {
    sum += weight;
    return sum;
  });
}

/** The index whose share of the whole holds `of` (0 to 1). */
function pick(sums: readonly number[], of: number): number {
  const wanted = of * (sums.at(-1) ?? 0);
  return sums.findIndex((sum) => wanted < sum);
}
