// Bench: what the service adds to a settlement by one scan at half of the load that it can carry: each
// request's own time less the time in which its own messages were at the insurer.
import { percentile } from '../../src/sandbox/demo/tally.ts';
import type { Bench, BenchOptions } from './bench.ts';
import type { City } from './city.ts';
import type { Round } from './figure.ts';
import { arrivals, closedLoop, seededRandom } from './load.ts';
import { COUNTERS, PEOPLE, WARM_UP_SECONDS } from './one-scan.ts';
import { watchProcesses } from './processes.ts';
import { startTappedInsurer, type TappedInsurer } from './tapped-insurer.ts';
import { makePayer, type PayVisit } from './visits.ts';

const LIMIT_MS = 25;
/** 1101, 2201, 2203, 2204, 2206, 2207. */
const MESSAGES = 6;

export const latency: Bench = async (options, say) => {
  const perSecond = (await fullLoad(options)) / 2;
  say(`half of the load is ${perSecond.toFixed(1)} settlements/s`);
  const rounds: Round[] = [];
  const insurer = await startTappedInsurer();
  const { env, know } = insurer;
  const measure = async (city: City) => {
    const people = await city.people(PEOPLE);
    const random = seededRandom(options.seed);
    const load = async (name: string, seconds: number) => {
      const pay = await makePayer(city, people, name);
      const tapped = tappedPayer(pay, (n) => people[n % people.length]?.idNumber ?? '', insurer);
      const isOver = (elapsed: number) => elapsed > seconds;
      return { ...(await arrivals({ perSecond, random, isOver }, tapped.pay)), ...tapped };
    };
    // As busy as can be, or the compiler would still be at it afterwards.
    const busy = await makePayer(city, people, 'warm-up');
    await closedLoop({ width: COUNTERS, seconds: WARM_UP_SECONDS }, busy);
    for (const { idNumber } of people) insurer.take(idNumber);
    for (let round = 1; round <= options.rounds; round += 1) {
      const costs = watchProcesses();
      const loaded = await load(`L${round}`, options.seconds);
      const value = percentile(loaded.latenciesMs, 0.99);
      const errors = loaded.errors + loaded.unmatched();
      rounds.push({ ...loaded, errors, value, yardstick: LIMIT_MS, processes: costs() });
      const insurerMs = percentile(loaded.insurerMs, 0.5);
      say(
        `p99 ${value.toFixed(1)} ms of ${loaded.latenciesMs.length}, p50 ` +
          `${percentile(loaded.latenciesMs, 0.5).toFixed(1)} ms; insurer's own p50 ${insurerMs.toFixed(1)} ms`,
      );
    }
  };
  try {
    await options.withCity(measure, { env, know });
  } finally {
    await insurer.stop();
  }
  const yardstick = 'the limit of what a settlement may wait for us';
  return { figure: 'latency', unit: 'ms, p99', yardstick, reach: { below: 1 }, rounds };
};

/** Settlements a second that counters which never pause get, without a tap. */
async function fullLoad(options: BenchOptions): Promise<number> {
  let rate = 0;
  await options.withCity(async (city) => {
    const people = await city.people(PEOPLE);
    const load = async (name: string, seconds: number) =>
      closedLoop({ width: COUNTERS, seconds }, await makePayer(city, people, name));
    await load('warm-up', WARM_UP_SECONDS);
    const { latenciesMs, seconds } = await load('full', options.seconds);
    rate = latenciesMs.length / seconds;
  });
  return rate;
}

/** A person pays again only seconds later, so what the tap has of that person is of this visit. */
function tappedPayer(pay: PayVisit, idNumberOf: (n: number) => string, insurer: TappedInsurer) {
  const insurerMs: number[] = [];
  let unmatched = 0;
  return {
    insurerMs,
    /** Payments whose messages the tap did not see all. */
    unmatched: () => unmatched,
    pay: async (number: number) => {
      await pay(number);
      const { messages, ms } = insurer.take(idNumberOf(number));
      if (messages !== MESSAGES) unmatched += 1;
      insurerMs.push(ms);
      return ms;
    },
  };
}
