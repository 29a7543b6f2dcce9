// Bench: a working day of a whole city replayed as fast as it goes, in the order of arrival: business time
// moves from midnight to midnight with it. Afterwards every law of the books must hold.
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { institutions } from '../../src/sandbox/city/hospitals.ts';
import { StepError } from '../../src/sandbox/demo/client.ts';
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import type { Bench } from './bench.ts';
import { type City, terminalsIn } from './city.ts';
import { type Arrival, planDay } from './day-plan.ts';
import type { Round } from './figure.ts';
import { closedLoop, seededRandom } from './load.ts';
import { WARM_UP_SECONDS } from './one-scan.ts';
import { watchProcesses } from './processes.ts';
import { makePayer, payOneScan } from './visits.ts';

const VISITS_OF_A_DAY = 110_000;
const LIMIT_SECONDS = 600;
/** Nobody owes more than the line carries. Real people come once; it is the visits that count here. */
const VISITS_A_PERSON = 10;
const COUNTERS = 16;
const DAY_SECONDS = 86_400;
/** Business time jumps in steps of this; between them it passes as real time does. */
const CLOCK_STEP_SECONDS = 600;
/** Of a smaller day the jumps would be what is measured. */
const VISITS_A_STEP = 100;
/** Every law over a million postings takes minutes. */
const VERIFY_MS = 1_800_000;

export const cityDay: Bench = async (options, say) => {
  const rounds: Round[] = [];
  await options.withCity(async (city) => {
    const people = await city.people(Math.max(50, Math.ceil(options.count / VISITS_A_PERSON)));
    const warmUp = await makePayer(city, people, 'warm-up');
    const seconds = Math.min(WARM_UP_SECONDS, options.seconds);
    await closedLoop({ width: COUNTERS, seconds }, warmUp);
    const plan = planDay(options.count, people.length, seededRandom(options.seed));
    const terminals = terminalsIn(city, institutions.length);
    const clock = await clockOf(city);
    const costs = watchProcesses();
    const loaded = { latenciesMs: [] as number[], errors: 0 };
    const startedAt = performance.now();
    await concurrently(plan, COUNTERS, async ({ at, institution, person }: Arrival, index) => {
      await clock.reach(at, index);
      const patient = people[person];
      if (!patient) throw new Error('nobody comes');
      const token = await terminals.tokenOf(institution);
      const visitNumber = `day-${index}`;
      const paid = payOneScan(city, { token, person: patient, visitNumber });
      await paid.then(
        ({ elapsedMs }) => loaded.latenciesMs.push(elapsedMs),
        (error: unknown) => {
          if (!(error instanceof StepError)) throw error;
          loaded.errors += 1;
        },
      );
    });
    const took = (performance.now() - startedAt) / 1000;
    const processes = costs();
    const broken = await brokenLaws(city);
    say(`${(options.count / took).toFixed(1)} visits/s, ${options.count} in ${took.toFixed(1)} s`);
    say(broken.length === 0 ? 'every law holds' : `broken: ${broken.join(', ')}`);
    // A smaller day is shown as the whole one that it would be at its pace.
    const value = (took * VISITS_OF_A_DAY) / options.count;
    const errors = loaded.errors + broken.length;
    rounds.push({ ...loaded, errors, value, yardstick: LIMIT_SECONDS, processes });
  });
  return {
    figure: 'city-day',
    unit: `s for ${VISITS_OF_A_DAY} visits`,
    yardstick: 'ten minutes',
    reach: { below: 1 },
    rounds,
  };
};

/** Business time of a day to come, so that it never goes back. */
async function clockOf(city: City) {
  const dayStart =
    Math.ceil(Date.now() / 1000 / DAY_SECONDS) * DAY_SECONDS + DAY_SECONDS - 8 * 3600;
  let [reached, visits] = [-1, 0];
  let turn = Promise.resolve();
  const set = async (at: number) => {
    const offsetSeconds = Math.round(dayStart + at - Date.now() / 1000);
    await city.client.put('/sandbox/clock', { body: { offsetSeconds }, expect: [200] });
  };
  await set(0);
  // The chores of a new day are not what is measured.
  await pause(1000);
  return {
    /** Moves business time on to `at` seconds after midnight, unless it is about there. */
    async reach(at: number, visit: number): Promise<void> {
      const step = Math.floor(at / CLOCK_STEP_SECONDS);
      if (step > reached && visit >= visits + VISITS_A_STEP) {
        [reached, visits] = [step, visit];
        turn = set(step * CLOCK_STEP_SECONDS);
      }
      await turn;
    },
  };
}

/** Their names, of GET /v1/ops/verify. */
async function brokenLaws(city: City): Promise<string[]> {
  const reply = await request(`${city.url}/v1/ops/verify`, {
    headers: { authorization: `Bearer ${await city.client.staff('auditor')}` },
    headersTimeout: VERIFY_MS,
    bodyTimeout: VERIFY_MS,
  });
  if (reply.statusCode !== 200) return [`verify answered ${reply.statusCode}`];
  const { laws } = (await reply.body.json()) as { laws: { law: string; holds: boolean }[] };
  return laws.filter(({ holds }) => !holds).map(({ law }) => law);
}
