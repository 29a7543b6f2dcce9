// Bench: settlements a second by one scan with the whole talk with the insurer, next to how many
// claims a second the sandbox insurer alone answers.
import { bareClaimsPerSecond } from './bare-insurer.ts';
import type { Bench } from './bench.ts';
import type { Round } from './figure.ts';
import { closedLoop } from './load.ts';
import { watchProcesses } from './processes.ts';
import { makePayer } from './visits.ts';

/** So many counters scan at the same time. */
const COUNTERS = 8;
const PEOPLE = 200;
const BARE_CLAIMS = 600;
const WARM_UP_SECONDS = 5;

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
  return {
    figure: 'one-scan',
    unit: 'settlements/s',
    yardstick: 'the sandbox insurer alone, the same six trades a claim',
    rounds,
  };
};
