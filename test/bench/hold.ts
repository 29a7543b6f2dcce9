// Benches: holds placed a second over HTTP, each on a visit that has none: on distinct lines, on one hot
// line, at one hot hospital; next to the same statement by pgbench, and to a bare transfer.
import { concurrently } from '../../src/sandbox/demo/concurrently.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import type { Visit } from '../../src/sandbox/demo/replies.ts';
import type { Bench } from './bench.ts';
import { type City, terminalsOf } from './city.ts';
import type { BenchResult, Round } from './figure.ts';
import { CLIENTS, sameStatement, transfers } from './hold-yardsticks.ts';
import { watchProcesses } from './processes.ts';

const PEOPLE = 100;
const VISITS = 1600;
/** The line of one person carries all of them: 1,600 × 1.00 of 3,000.00. */
const AMOUNT = '1.00';

export interface Place {
  visitId: string;
  token: string;
}

type Measured = Pick<Round, 'value' | 'latenciesMs' | 'errors' | 'processes'>;

/** Distinct lines; the yardstick is the same statement. */
export const hold: Bench = against({
  figure: 'hold',
  yardstick: `the same statement by pgbench, ${CLIENTS} clients`,
  reach: { atLeast: 0.2 },
  measure: (city, places) =>
    sameStatement(
      city,
      places.map((place) => place.visitId),
    ),
});

/** Distinct lines; the yardstick is a transfer of pgledger's shape. */
export const holdOrTransfer: Bench = against({
  figure: 'hold-or-transfer',
  yardstick: 'a transfer with two locked balances and two entries by pgbench',
  reach: { atLeast: 0.7 },
  measure: transfers,
});

/** Every hold on the line of one person; the yardstick is the same statement on that line. */
export const hotLine: Bench = against({
  figure: 'hot-line',
  people: 1,
  yardstick: 'the same statement on the same line by pgbench',
  reach: { atLeast: 0.3 },
  measure: (city, places) =>
    sameStatement(
      city,
      places.map((place) => place.visitId),
    ),
});

/** Every hold at one hospital, next to the same holds spread over eight. */
export const hotHospital: Bench = async (options, say) => {
  const rounds: Round[] = [];
  await options.withCity(async (city) => {
    const people = await city.people(PEOPLE);
    const hot = await openVisits(city, people, { prefix: 'HOT', hospitals: 1 });
    const cold = await openVisits(city, people, { prefix: 'COLD' });
    await eachRound(options.rounds, async (isWarmUp) => {
      const { value: yardstick } = await placeAll(city, cold);
      const measured = await placeAll(city, hot);
      if (isWarmUp) return;
      rounds.push({ ...measured, yardstick });
      say(`${measured.value.toFixed(0)} holds/s, over eight hospitals ${yardstick.toFixed(0)}/s`);
    });
  });
  const yardstick = 'the same holds over eight hospitals';
  const reach = { atLeast: 0.9 };
  return { figure: 'hot-hospital', unit: 'holds/s', yardstick, reach, rounds };
};

function against(
  what: Pick<BenchResult, 'figure' | 'yardstick' | 'reach'> & {
    people?: number;
    /** Operations a second; the places have no hold. */
    measure: (city: City, places: readonly Place[]) => Promise<number>;
  },
): Bench {
  const { people = PEOPLE, measure, ...about } = what;
  return async (options, say) => {
    const rounds: Round[] = [];
    await options.withCity(async (city) => {
      const places = await openVisits(city, await city.people(people), { prefix: 'H' });
      await eachRound(options.rounds, async (isWarmUp) => {
        const measured = await placeAll(city, places);
        const yardstick = await measure(city, places);
        await forgetHolds(city);
        if (isWarmUp) return;
        rounds.push({ ...measured, yardstick });
        say(`${measured.value.toFixed(0)} holds/s, yardstick ${yardstick.toFixed(0)}/s`);
      });
    });
    return { ...about, unit: 'holds/s', rounds };
  };
}

async function eachRound(count: number, round: (isWarmUp: boolean) => Promise<void>) {
  for (let number = 0; number <= count; number += 1) await round(number === 0);
}

/** Visits without a hold, each with the terminal that opened it. */
async function openVisits(
  city: City,
  people: readonly DemoPerson[],
  { prefix, hospitals }: { prefix: string; hospitals?: number },
): Promise<Place[]> {
  const terminals = (await terminalsOf(city)).slice(0, hospitals);
  const wanted = Array.from({ length: VISITS }, (_, i) => i);
  const places: Place[] = [];
  await concurrently(wanted, CLIENTS, async (number) => {
    const person = people[number % people.length];
    const token = terminals[number % terminals.length]?.token ?? '';
    const opened = await city.client.post<Visit>('/v1/visits', {
      token,
      body: {
        visitNumber: `${prefix}-${number}`,
        kind: 'outpatient',
        credential: { kind: 'idCard', number: person?.idNumber, name: person?.name },
        holdAmount: '0.00',
      },
      expect: [201],
    });
    places.push({ visitId: opened.body.id, token });
  });
  return places;
}

async function voidAll(city: City, places: readonly Place[]): Promise<void> {
  await concurrently(places, CLIENTS, async ({ visitId, token }) => {
    await city.client.delete(`/v1/visits/${visitId}/hold`, { token, expect: [200, 204] });
  });
}

/** Those that pgbench placed; the service's idle connections may be closed by then. */
async function forgetHolds(city: City): Promise<void> {
  await city.sql`
    update hold set status = 'voided', resolved_at = business_now() where status = 'placed'`;
  await city.sql`update credit_line set held = 0`;
}

/** Places them all, `CLIENTS` at once, and voids them again. */
export async function placeAll(city: City, places: readonly Place[]): Promise<Measured> {
  const latenciesMs: number[] = [];
  const costs = watchProcesses();
  const startedAt = performance.now();
  await concurrently(places, CLIENTS, async ({ visitId, token }) => {
    const begunAt = performance.now();
    const body = { amount: AMOUNT };
    await city.client.put(`/v1/visits/${visitId}/hold`, { token, body, expect: [200] });
    latenciesMs.push(performance.now() - begunAt);
  });
  const seconds = (performance.now() - startedAt) / 1000;
  const processes = costs();
  await voidAll(city, places);
  return { value: places.length / seconds, latenciesMs, errors: 0, processes };
}
