// Benches: seconds from nothing to ready on a fresh data folder, with the scripts compiled by an earlier
// start and without; and the memory that the service holds after `--count` requests, next to a fifth of them.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DemoPerson } from '../../src/sandbox/demo/people.ts';
import { end, ready, startService } from '../support/service.ts';
import type { Bench, BenchOptions } from './bench.ts';
import { type City, terminalsIn } from './city.ts';
import { type BenchResult, median, type Round } from './figure.ts';
import { type ProcessCost, watchProcesses } from './processes.ts';
import { payOneScan } from './visits.ts';

const LIMIT_SECONDS = 5;
const LIMIT_MB = 350;
/** What still counts as flat: a heap breathes. */
const FLAT = 1.15;
const MIB_IN_MB = 1.048576;
const WIDTH = 8;
/** Of a hundred requests; the rest are the cheaper reads. */
const MIX = { scans: 1, identifications: 15, receivables: 10, routes: 25 };
/** Nobody owes more than the line carries. */
const SCANS_A_PERSON = 10;
/** Memory is looked at so often in all, to see its course and not one moment. */
const LOOKS = 100;
/** Memory "at" a share of the requests is the median of the looks around it. */
const AROUND = 0.05;

type Say = (text: string) => void;

export const startAndMemory: Bench = async (options, say) => [
  ...(await starts(options, say)),
  ...(await memory(options, say)),
];

/** A fresh data folder each; the second start of a round finds the scripts compiled by the first. */
async function starts(options: BenchOptions, say: Say): Promise<BenchResult[]> {
  const [first, again]: [Round[], Round[]] = [[], []];
  for (let round = 1; round <= options.rounds; round += 1) {
    // Compiled scripts are kept in TMPDIR.
    const compiled = mkdtempSync(path.join(tmpdir(), 'egret-bench-compiled-'));
    chmodSync(compiled, 0o755);
    try {
      first.push(await startOnce(compiled));
      again.push(await startOnce(compiled));
    } finally {
      rmSync(compiled, { recursive: true, force: true });
    }
    const [cold, warm] = [first.at(-1)?.value ?? 0, again.at(-1)?.value ?? 0];
    say(`ready after ${cold.toFixed(2)} s, with compiled scripts ${warm.toFixed(2)} s`);
  }
  const about = { unit: 's', yardstick: 'five seconds', reach: { below: 1 } };
  return [
    { figure: 'cold-start', ...about, rounds: again },
    { figure: 'first-start', ...about, rounds: first },
  ];
}

async function startOnce(compiled: string): Promise<Round> {
  const folder = mkdtempSync(path.join(tmpdir(), 'egret-bench-start-'));
  // The database may run as another user.
  chmodSync(folder, 0o755);
  const costs = watchProcesses();
  const startedAt = performance.now();
  const service = startService(folder, { TMPDIR: compiled, LOG_LEVEL: 'error' });
  try {
    await ready(service);
    const value = (performance.now() - startedAt) / 1000;
    return { value, yardstick: LIMIT_SECONDS, latenciesMs: [], errors: 0, processes: costs() };
  } finally {
    await end(service.child, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function memory(options: BenchOptions, say: Say): Promise<BenchResult[]> {
  const looks: { share: number; mb: number }[] = [];
  let measured: Pick<Round, 'latenciesMs' | 'errors' | 'processes'> | null = null;
  await options.withCity(async (city) => {
    const scans = Math.ceil((options.count * MIX.scans) / 100);
    const people = await city.people(Math.max(20, Math.ceil(scans / SCANS_A_PERSON)));
    const send = await makeMix(city, people);
    const costs = watchProcesses();
    const step = Math.ceil(options.count / LOOKS);
    const latenciesMs = await sendAll(options.count, send, (done) => {
      if (done % step !== 0) return;
      const mb = serviceMb(costs());
      looks.push({ share: done / options.count, mb });
      if (done % (10 * step) === 0) say(`${done} requests: ${mb.toFixed(0)} MB`);
    });
    measured = { latenciesMs, errors: 0, processes: costs() };
  });
  if (!measured) throw new Error('nothing was measured');
  const around = (share: number) =>
    median(looks.filter((look) => Math.abs(look.share - share) <= AROUND).map(({ mb }) => mb));
  const [early, late] = [around(0.2), around(1)];
  const about = (figure: string, yardstick: string, at: number, below: number) => ({
    ...{ figure, unit: 'MB', yardstick, reach: { below } },
    rounds: [{ ...(measured as unknown as Round), value: late, yardstick: at }],
  });
  return [
    about('memory', `${LIMIT_MB} MB`, LIMIT_MB, 1),
    about('memory-flat', 'after a fifth of the requests', early, FLAT),
  ];
}

const serviceMb = (costs: readonly ProcessCost[]) =>
  (costs.find(({ name }) => name === 'service')?.rssMiB ?? 0) * MIB_IN_MB;

/** Sends them all, `WIDTH` at once; every hundredth latency is kept. */
async function sendAll(
  count: number,
  send: (number: number) => Promise<unknown>,
  onDone: (done: number) => void,
): Promise<number[]> {
  const latenciesMs: number[] = [];
  let [next, done] = [0, 0];
  const lane = async () => {
    while (next < count) {
      const number = next;
      next += 1;
      const startedAt = performance.now();
      await send(number);
      if (number % 100 === 50) latenciesMs.push(performance.now() - startedAt);
      done += 1;
      onDone(done);
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, lane));
  return latenciesMs;
}

/** The `number`-th request: a visit paid, then whatever counters and phones ask all day. */
async function makeMix(city: City, people: readonly DemoPerson[]) {
  const { client } = city;
  const terminals = terminalsIn(city);
  const personOf = (number: number) => people[number % people.length] as DemoPerson;
  const pay = async (number: number) => {
    const [token, person] = [await terminals.tokenOf(0), personOf(number)];
    return payOneScan(city, { token, person, visitNumber: `M-${number}` });
  };
  let visit = (await pay(0)).settlement.visitId;
  let scans = 0;
  return async (number: number): Promise<unknown> => {
    const place = number % 100;
    if (place < MIX.scans) {
      scans += 1;
      const paid = await pay(scans);
      visit = paid.settlement.visitId;
      return paid;
    }
    const person = personOf(number);
    const token = await terminals.tokenOf(0);
    const known = MIX.scans + MIX.identifications;
    if (place < known) {
      const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
      return client.post('/v1/identifications', { token, body: { credential }, expect: [200] });
    }
    if (place < known + MIX.receivables) {
      const own = await client.citizen(person);
      return client.get('/v1/me/receivables', { token: own, expect: [200] });
    }
    if (place < known + MIX.receivables + MIX.routes) {
      return client.get('/v1/insurance/routes', { token, expect: [200] });
    }
    return client.get(`/v1/visits/${visit}`, { token, expect: [200] });
  };
}
