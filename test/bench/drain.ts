// Bench: how fast waiting conversions drain once the insurer is back, next to how fast the sandbox
// insurer alone answers the same trades.
import { setTimeout as pause } from 'node:timers/promises';
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import type { RouteReport } from '../../src/sandbox/demo/replies.ts';
import { bareClaimsPerSecond } from './bare-insurer.ts';
import type { Bench } from './bench.ts';
import { type City, setFault, terminalsOf } from './city.ts';
import type { Round } from './figure.ts';
import { watchProcesses } from './processes.ts';
import { makePayer } from './visits.ts';

const FILLING = 12;
/** Each look costs the service a request and a count. */
const POLL_MS = 250;
/** Enough that the insurer is warm and the clock's resolution does not matter. */
const BARE_CLAIMS = 600;

export const drain: Bench = async (options, say) => {
  const rounds: Round[] = [];
  await options.withCity(async (city) => {
    // Nobody owes more than the line carries: ten visits a person.
    const people = await city.people(Math.max(20, Math.ceil(options.count / 10)));
    await bareClaimsPerSecond(city, people, { count: BARE_CLAIMS / 4, name: 'W' });
    await drainOnce(city, people, { count: 50, name: 'warm-up' });
    for (let round = 1; round <= options.rounds; round += 1) {
      const yardstick = await bareClaimsPerSecond(city, people, {
        count: BARE_CLAIMS,
        name: `B${round}`,
      });
      const drained = await drainOnce(city, people, { count: options.count, name: `D${round}` });
      rounds.push({ ...drained, yardstick });
      say(`${drained.value.toFixed(1)} conversions/s, insurer alone ${yardstick.toFixed(1)}/s`);
    }
  });
  return {
    figure: `drain ${options.count}`,
    unit: 'conversions/s',
    yardstick: 'the sandbox insurer alone, the same six trades a claim',
    reach: { atLeast: 0.35 },
    rounds,
  };
};

async function drainOnce(
  city: City,
  people: readonly DemoPerson[],
  visits: { count: number; name: string },
): Promise<Omit<Round, 'yardstick'>> {
  await fillQueue(city, people, visits);
  const costs = watchProcesses();
  const [{ since } = { since: new Date() }] = await city.sql<{ since: Date }[]>`
    select clock_timestamp() as since`;
  const startedAt = performance.now();
  await setFault(city, { mode: 'none' });
  while ((await waitingNow(city)) > 0) await pause(POLL_MS);
  const seconds = (performance.now() - startedAt) / 1000;
  const runs = await city.sql<{ ms: number }[]>`
    select extract(epoch from finished_at - created_at)::float8 * 1000 as ms from intent
    where kind = 'convert' and finished_at >= ${since}`;
  const [{ left } = { left: 0 }] = await city.sql<{ left: number }[]>`
    select count(*)::int as left from conversion
    where status <> 'converted' and created_at >= ${since}::timestamptz - interval '1 hour'`;
  return {
    value: visits.count / seconds,
    latenciesMs: runs.map((run) => run.ms),
    errors: left,
    processes: costs(),
  };
}

/** Visits settled without the insurer: so many conversions wait afterwards. */
export async function fillQueue(
  city: City,
  people: readonly DemoPerson[],
  visits: { count: number; name: string },
): Promise<void> {
  await setFault(city, { mode: 'refuseConnection' });
  const pay = await makePayer(city, people, visits.name);
  const numbers = Array.from({ length: visits.count }, (_, i) => i);
  await concurrently(numbers, FILLING, async (number) => {
    const { settlement } = await pay(number);
    const { status } = settlement.insurance;
    if (status !== 'awaitingInsurance') throw new Error(`settled ${status} in an outage`);
  });
}

/** Conversions that wait, as anybody at a counter may ask. */
export async function waitingNow(city: City): Promise<number> {
  const [terminal] = await terminalsOf(city);
  const token = terminal?.token ?? '';
  const routes = await city.client.get<RouteReport>('/v1/insurance/routes', {
    token,
    expect: [200],
  });
  return routes.body.data.reduce((sum, { awaiting }) => sum + awaiting, 0);
}
