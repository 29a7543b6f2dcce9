// Bench: settlements a second by one scan with the whole talk with the insurer, next to how many
// claims a second the sandbox insurer alone answers, and to what a nation settles.
import { bareClaimsPerSecond } from './bare-insurer.ts';
import type { Bench } from './bench.ts';
import type { Round } from './figure.ts';
import { closedLoop } from './load.ts';
import { watchProcesses } from './processes.ts';
import { makePayer } from './visits.ts';

/** So many counters scan at the same time. */
export const COUNTERS = 8;
export const PEOPLE = 200;
const BARE_CLAIMS = 600;
/** The compiler of the service is done with the road by then. */
export const WARM_UP_SECONDS = 15;
/** Settlements a second: the mean of the national platform. */
const NATIONAL_MEAN = 208;

export const oneScan: Bench = async (options, say) => {
  const rounds: Round[] = [];
  await options.withCity(async (city) => {
    const people = await city.people(PEOPLE);
    const warmUp = await makePayer(city, people, 'warm-up');
    await bareClaimsPerSecond(city, people, { count: BARE_CLAIMS / 4, name: 'W' });
    await closedLoop({ width: COUNTERS, seconds: WARM_UP_SECONDS }, warmUp);
    for (let round = 1; round <= options.rounds; round += 1) {
      const yardstick = await bareClaimsPerSecond(city, people, {
        count: BARE_CLAIMS,
        name: `B${round}`,
      });
      const pay = await makePayer(city, people, `S${round}`);
      const costs = watchProcesses();
      const loaded = await closedLoop({ width: COUNTERS, seconds: options.seconds }, pay);
      const value = loaded.latenciesMs.length / loaded.seconds;
      rounds.push({ ...loaded, value, yardstick, processes: costs() });
      say(`${value.toFixed(1)} settlements/s, insurer alone ${yardstick.toFixed(1)}/s`);
    }
  });
  const unit = 'settlements/s';
  return [
    {
      figure: 'one-scan',
      unit,
      yardstick: 'the sandbox insurer alone, the same six trades a claim',
      reach: { atLeast: 0.4 },
      rounds,
    },
    {
      figure: 'one-scan-nation',
      unit,
      yardstick: 'the national mean',
      reach: { atLeast: 1 },
      rounds: rounds.map((round) => ({ ...round, yardstick: NATIONAL_MEAN })),
    },
  ];
};
