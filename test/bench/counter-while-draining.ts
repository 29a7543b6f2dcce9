// Bench: how long a live settlement takes while waiting conversions drain, next to a quiet counter.
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../../src/sandbox/demo/tally.ts';
import type { Bench } from './bench.ts';
import { setFault } from './city.ts';
import { fillQueue, waitingNow } from './drain.ts';
import type { Round } from './figure.ts';
import { arrivals, seededRandom } from './load.ts';
import { watchProcesses } from './processes.ts';
import { makePayer } from './visits.ts';

/** Live settlements a second: three times the mean of a city of 110,000 visits a day. */
const PER_SECOND = 4;
const PEOPLE = 300;
const WARM_UP_SECONDS = 5;
const LOOK_MS = 500;

export const counterWhileDraining: Bench = async (options, say) => {
  const rounds: Round[] = [];
  await options.withCity(async (city) => {
    const people = await city.people(PEOPLE);
    const random = seededRandom(options.seed);
    const live = async (name: string, isOver: (seconds: number) => boolean) =>
      arrivals({ perSecond: PER_SECOND, random, isOver }, await makePayer(city, people, name));
    await live('warm-up', (seconds) => seconds > WARM_UP_SECONDS);
    for (let round = 1; round <= options.rounds; round += 1) {
      const quiet = await live(`Q${round}`, (seconds) => seconds > options.seconds);
      await fillQueue(city, people, { count: options.count, name: `D${round}` });
      const costs = watchProcesses();
      await setFault(city, { mode: 'none' });
      // The half-open trial and the first settlements that find the route back are not the drain.
      const full = await waitingNow(city);
      while ((await waitingNow(city)) === full) await pause(LOOK_MS);
      let isDrained = false;
      const watching = (async () => {
        while ((await waitingNow(city)) > 0) await pause(LOOK_MS);
        isDrained = true;
      })();
      const busy = await live(`L${round}`, (seconds) => isDrained || seconds > 3 * options.seconds);
      const processes = costs();
      const left = await waitingNow(city);
      await watching;
      const p99 = (latencies: number[]) => percentile(latencies, 0.99);
      const [value, yardstick] = [p99(busy.latenciesMs), p99(quiet.latenciesMs)];
      rounds.push({ ...busy, errors: busy.errors + quiet.errors, value, yardstick, processes });
      const rate = (full - left) / busy.seconds;
      say(
        `p99 ${value.toFixed(0)} ms of ${busy.latenciesMs.length} while ${rate.toFixed(1)}/s drained; ` +
          `quiet ${yardstick.toFixed(0)} ms of ${quiet.latenciesMs.length}`,
      );
    }
  });
  return {
    figure: 'counter-while-draining',
    unit: 'ms, p99',
    yardstick: 'the p99 of the same arrivals with nothing to drain',
    reach: { below: 2 },
    rounds,
  };
};
