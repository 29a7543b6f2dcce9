// Bench: what one operation costs, alone on the service, while the city's past grows from 10⁴ to 10⁷
// postings. Only watched: the plot beside the JSON shows where it bends.
import { institutions } from '../../src/sandbox/city/hospitals.ts';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import { percentile } from '../../src/sandbox/demo/tally.ts';
import { textTable } from '../../src/sandbox/demo/text-table.ts';
import type { Bench } from './bench.ts';
import { type City, type Terminals, terminalsIn } from './city.ts';
import type { BenchResult, Round } from './figure.ts';
import { median } from './figure.ts';
import { type Filler, filledVisit, makeFiller, POSTINGS_A_VISIT } from './fill.ts';
import { seededRandom } from './load.ts';
import { watchProcesses } from './processes.ts';
import { makePayer } from './visits.ts';

const SIZES = [1e4, 1e5, 1e6, 1e7];
/** So many postings an enrolled citizen: 10 million in a city of 876,400. */
const POSTINGS_A_CITIZEN = 11.4;
/** They have a past of their own, the same at every size. */
const PEOPLE = 100;
const VISITS_A_PERSON = 10;
const OPEN_VISITS = 300;
const WARM_UPS = 500;

interface Operation {
  name: string;
  /** Runs of it a round. */
  runs: number;
  run(number: number): Promise<unknown>;
}

type Measured = Omit<Round, 'value' | 'yardstick'>;

export const growth: Bench = async (options, say) => {
  const sizes = SIZES.filter((size) => size <= options.count);
  if (sizes.length < 2) sizes.splice(0, sizes.length, options.count / 10, options.count);
  const measured = new Map<string, Measured[][]>();
  await options.withCity(async (city) => {
    const people = await city.people(PEOPLE + 1);
    const filler = await makeFiller(city, people.pop() as DemoPerson);
    const past = { visits: 0, citizens: 0 };
    for (const [step, size] of sizes.entries()) {
      await filler.inBulk(() => fillTo(city, filler, past, size));
      say(`${past.visits * POSTINGS_A_VISIT} postings of ${past.citizens} citizens`);
      const operations = await operationsIn(city, people, past.visits, options.seed + step);
      if (step === 0) for (const one of operations) await runAll({ ...one, runs: WARM_UPS });
      for (const one of operations) {
        const rounds: Measured[] = [];
        for (let round = 0; round < options.rounds; round += 1) rounds.push(await runAll(one));
        measured.set(one.name, [...(measured.get(one.name) ?? []), rounds]);
      }
    }
  });
  const table = [...measured].map(([name, steps]) => [
    name,
    ...steps.map((s) => cost(s).toFixed(2)),
  ]);
  for (const line of textTable(['ms', ...sizes.map(String)], table)) say(line);
  return [...measured].map(([name, steps]) => resultOf(name, sizes, steps));
};

const middle = (round: Measured) => percentile(round.latenciesMs, 0.5);
const cost = (rounds: readonly Measured[]) => median(rounds.map(middle));

/** The cost at the largest size, next to the cost at the smallest. */
function resultOf(name: string, sizes: readonly number[], steps: Measured[][]): BenchResult {
  const [first = []] = steps;
  return {
    figure: `growth ${name}`,
    unit: 'ms, p50',
    yardstick: `the same with ${sizes[0]} postings`,
    rounds: (steps.at(-1) ?? []).map((round) => ({
      ...{ ...round, value: middle(round), yardstick: cost(first) },
    })),
    series: steps.map((rounds, step) => ({ x: sizes[step] ?? 0, y: cost(rounds) })),
  };
}

async function fillTo(
  city: City,
  filler: Filler,
  past: { visits: number; citizens: number },
  size: number,
): Promise<void> {
  const [visits, citizens] = [size / POSTINGS_A_VISIT, size / POSTINGS_A_CITIZEN].map(Math.ceil);
  if (past.visits === 0) {
    const people = await city.sql<{ citizen: string; line: string }[]>`
      select citizen_id as citizen, id as line from credit_line order by id limit ${PEOPLE}`;
    past.visits = Math.min(PEOPLE * VISITS_A_PERSON, visits ?? 0);
    await filler.visits(1, past.visits, { people });
  }
  await filler.citizens(past.citizens + 1, citizens ?? 0);
  past.citizens = citizens ?? 0;
  await filler.visits(past.visits + 1, visits ?? 0, past);
  past.visits = visits ?? 0;
}

async function operationsIn(
  city: City,
  people: readonly DemoPerson[],
  visits: number,
  seed: number,
): Promise<Operation[]> {
  const { client } = city;
  const random = seededRandom(seed);
  const everywhere = terminalsIn(city, institutions.length);
  const pay = await makePayer(city, people, `G${seed}`);
  const opened = await openVisits(city, people, everywhere, seed);
  // Each is placed and taken back in turn: a place is free again when its turn comes.
  const hold = async (number: number) => {
    const { visitId, token } = opened[number % opened.length] ?? { visitId: '', token: '' };
    const placed = await client.put(`/v1/visits/${visitId}/hold`, {
      ...{ token, body: { amount: '1.00' }, expect: [200] },
    });
    await client.delete(`/v1/visits/${visitId}/hold`, { token, expect: [200, 204] });
    return placed.elapsedMs;
  };
  let scans = 0;
  const scan = async () => {
    scans += 1;
    return (await pay(scans)).elapsedMs;
  };
  const visit = async () => {
    const { visitId, institution } = filledVisit(1 + Math.floor(random() * visits));
    const token = await everywhere.tokenOf(institution);
    return (await client.get(`/v1/visits/${visitId}`, { token, expect: [200] })).elapsedMs;
  };
  const receivables = async (number: number) => {
    const token = await client.citizen(people[number % people.length] as DemoPerson);
    return (await client.get('/v1/me/receivables', { token, expect: [200] })).elapsedMs;
  };
  return [
    { name: 'hold', runs: OPEN_VISITS, run: hold },
    { name: 'one-scan', runs: 100, run: scan },
    { name: 'get-visit', runs: 500, run: visit },
    { name: 'my-receivables', runs: 500, run: receivables },
  ];
}

async function openVisits(
  { client }: City,
  people: readonly DemoPerson[],
  terminals: Terminals,
  seed: number,
): Promise<{ visitId: string; token: string }[]> {
  const opened: { visitId: string; token: string }[] = [];
  for (let number = 0; number < OPEN_VISITS; number += 1) {
    const { idNumber, name } = people[number % people.length] as DemoPerson;
    const token = await terminals.tokenOf(number);
    const { body } = await client.post<{ id: string }>('/v1/visits', {
      token,
      body: {
        visitNumber: `O${seed}-${number}`,
        kind: 'outpatient',
        credential: { kind: 'idCard', number: idNumber, name },
        holdAmount: '0.00',
      },
      expect: [201],
    });
    opened.push({ visitId: body.id, token });
  }
  return opened;
}

/** One after the other: what is measured is the work, not the wait for a turn. */
async function runAll({ runs, run }: Operation): Promise<Measured> {
  const costs = watchProcesses();
  const latenciesMs: number[] = [];
  for (let number = 0; number < runs; number += 1) latenciesMs.push((await run(number)) as number);
  return { latenciesMs, errors: 0, processes: costs() };
}
