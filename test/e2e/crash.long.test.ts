// Law: killed with SIGKILL at any moment and started again, the service comes to the same end as one
// that was not: every bill is claimed, converted, refused in words or given up, at most one live claim
// in the insurer's own books, every fen where the channels' books say, every law held. So it is when
// its database is killed. CRASH_RUNS and CRASH_DATABASE_RUNS: how many; SEED=<n> plays one again.
import { afterAll, describe, expect, it } from 'vitest';
import { seedsFrom } from '../settlement/random-run.ts';
import { CrashCity } from './crash-city.ts';
import { figures, playCrash, type Victim } from './crash-run.ts';

const RUNS = Number(process.env.CRASH_RUNS ?? 200);
const DATABASE_RUNS = Number(process.env.CRASH_DATABASE_RUNS ?? 12);
/** From here on a seed is about the database. */
const FIRST_DATABASE_SEED = 100_001;

let city: CrashCity | null = null;

/** A run that failed may leave broken books: the next one gets a new city. */
async function play(seed: number, victim: Victim): Promise<void> {
  city ??= await CrashCity.found();
  try {
    await playCrash(city, seed, victim);
  } catch (error) {
    // At once: the report comes when all runs are over.
    console.error(error instanceof Error ? error.message : error);
    await endCity();
    throw error;
  }
}

async function endCity(): Promise<void> {
  const ending = city;
  city = null;
  await ending?.end();
}

afterAll(async () => {
  const starts = city?.service.starts ?? [];
  const slowest = Math.round(Math.max(...starts));
  console.log(`crash runs: ${JSON.stringify({ ...figures, slowestStartMs: slowest })}`);
  await endCity();
});

const seeds = (first: number, count: number) =>
  seedsFrom(first, count).filter(
    (seed) => seed >= FIRST_DATABASE_SEED === first >= FIRST_DATABASE_SEED,
  );

describe('a city', () => {
  it.each(seeds(1, RUNS))(
    'comes to the same end when its service is killed under load (seed %i)',
    (seed) => play(seed, 'service'),
  );
  it.each(seeds(FIRST_DATABASE_SEED, DATABASE_RUNS))(
    'comes to the same end when its database is killed under load (seed %i)',
    (seed) => play(seed, 'database'),
  );
  it.runIf(RUNS >= 200 && process.env.SEED === undefined)(
    'was killed in the midst of every kind of work',
    () => {
      const { caught } = figures;
      const works = ['run settle', 'run oneScan', 'run refund', 'run convert'];
      const sent = ['unanswered 2207', 'job confirmReversal', 'moneyBack sent'];
      expect([...works, ...sent].filter((work) => !caught[work])).toEqual([]);
    },
  );
});
