// Role: `npm run bench -- [name…]`: measures, prints one table and writes the same as JSON.
// Exit code 1 when a figure is not reached or an operation failed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench, BenchOptions } from './bench.ts';
import { startCity } from './city.ts';
import { cityDay } from './city-day.ts';
import { counterWhileDraining } from './counter-while-draining.ts';
import { drain } from './drain.ts';
import { type Figure, figureLines, figureOf } from './figure.ts';
import { fullCity } from './full-city.ts';
import { growth } from './growth.ts';
import { hold, holdOrTransfer, hotHospital, hotLine } from './hold.ts';
import { latency } from './latency.ts';
import { oneScan } from './one-scan.ts';
import { plotOf } from './plot.ts';
import { reconcile } from './reconcile.ts';
import { startAndMemory } from './start-and-memory.ts';

/** A new bench is one file and one line here. */
const benches: Record<string, Bench> = {
  drain,
  'counter-while-draining': counterWhileDraining,
  'one-scan': oneScan,
  hold,
  'hold-or-transfer': holdOrTransfer,
  'hot-line': hotLine,
  'hot-hospital': hotHospital,
  reconcile,
  latency,
  'full-city': fullCity,
  'city-day': cityDay,
  'start-and-memory': startAndMemory,
  growth,
};

/** What `--count` is when it is not given: the size that the figure is about. */
const counts: Record<string, number> = {
  'full-city': 10_000_000,
  'city-day': 110_000,
  'start-and-memory': 1_000_000,
  growth: 10_000_000,
};
const DEFAULT_COUNT = 2000;

const USAGE = `npm run bench -- [name…] [--count n] [--seconds 20] [--rounds 3] [--seed 7] [--out file]
names: ${Object.keys(benches).join(', ')} (default: all, for hours)
count: ${DEFAULT_COUNT}; ${Object.entries(counts)
  .map(([name, count]) => `${name} ${count}`)
  .join(', ')}`;

const GIB = 2 ** 30;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string' },
      seconds: { type: 'string', default: '20' },
      rounds: { type: 'string', default: '3' },
      seed: { type: 'string', default: '7' },
      out: { type: 'string' },
    },
  });
  const names = positionals.length > 0 ? positionals : Object.keys(benches);
  const unknown = names.filter((name) => !benches[name]);
  const given = values.count ?? String(DEFAULT_COUNT);
  const [count, seconds, rounds, seed] = [given, values.seconds, values.rounds, values.seed]
    .map(Number)
    .map((n) => (Number.isInteger(n) && n > 0 ? n : 0));
  if (unknown.length > 0 || !count || !seconds || !rounds || !seed) {
    console.error(USAGE);
    return 2;
  }
  const figures: Figure[] = [];
  for (const name of names) {
    const bench = benches[name];
    if (!bench) continue;
    console.log(`${name}: ${rounds} rounds`);
    const own = values.count === undefined ? (counts[name] ?? count) : count;
    const options = { count: own, seconds, rounds, seed, withCity: cityOf(seed) };
    const results = await bench(options, (text) => console.log(`  ${name}: ${text}`));
    figures.push(...[results].flat().map(figureOf));
  }
  const about = aboutRun(seed);
  console.log(['', ...figureLines(figures), '', ...aboutLines(about)].join('\n'));
  const file = values.out ?? path.join('.data', 'bench', `${Date.now()}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify({ ...about, figures }, null, 2)}\n`);
  const plot = plotOf(figures);
  if (plot) writeFileSync(file.replace(/(\.json)?$/, '.svg'), plot);
  console.log(`written to ${file}${plot ? ' and beside it as a plot' : ''}`);
  return figures.every((f) => f.isReached !== false && f.errors === 0) ? 0 : 1;
}

function cityOf(seed: number): BenchOptions['withCity'] {
  return async (work, settings) => {
    // BENCH_NODE_OPTIONS: of the service and its children, e.g. to load a profiler.
    const nodeOptions = process.env.BENCH_NODE_OPTIONS;
    const env = { ...(nodeOptions ? { NODE_OPTIONS: nodeOptions } : {}), ...settings?.env };
    const city = await startCity({ ...settings, seed, env });
    try {
      await work(city);
    } finally {
      await city.stop();
    }
  };
}

function aboutRun(seed: number) {
  const [cpu] = cpus();
  return {
    command: `npm run bench -- ${process.argv.slice(2).join(' ')}`.trim(),
    seed,
    at: new Date().toISOString(),
    machine: {
      cpu: `${cpus().length} × ${cpu?.model ?? 'unknown'}`,
      memoryGiB: Math.round(totalmem() / GIB),
      system: `${platform()} ${release()} ${arch()}`,
      node: process.version,
      /** Others at work on the machine make every figure smaller; ratios suffer less. */
      loadAverage: loadavg()[1],
    },
  };
}

function aboutLines({ command, seed, machine }: ReturnType<typeof aboutRun>): string[] {
  const { cpu, memoryGiB, system, node, loadAverage } = machine;
  return [
    `${command} (seed ${seed})`,
    `${cpu}, ${memoryGiB} GiB, ${system}, Node ${node}, load ${loadAverage?.toFixed(1)}`,
  ];
}

process.exitCode = await main();
