// Role: what a bench hands back, and how it is shown: one table on screen, the same as JSON. Pure.
import { percentile } from '../../src/sandbox/demo/tally.ts';
import { textTable } from '../../src/sandbox/demo/text-table.ts';
import type { ProcessCost } from './processes.ts';

export interface Round {
  value: number;
  /** The yardstick's value, measured in the same round. */
  yardstick: number;
  /** Milliseconds of each measured operation that was answered. */
  latenciesMs: number[];
  errors: number;
  processes: ProcessCost[];
}

export interface BenchResult {
  figure: string;
  unit: string;
  yardstick: string;
  /** What the ratio must be: at least (rates) or less than (times). Absent: only watched. */
  reach?: { atLeast: number } | { below: number };
  rounds: Round[];
  /** What is drawn beside the JSON: milliseconds by size. */
  series?: Point[];
}

export interface Point {
  x: number;
  y: number;
}

export interface Figure {
  figure: string;
  value: number;
  unit: string;
  yardstick: { what: string; value: number };
  /** Median of the rounds' own ratios. */
  ratio: number;
  reach: string;
  isReached: boolean | null;
  latencyMs: { p50: number; p95: number; p99: number };
  errors: number;
  processes: ProcessCost[];
  rounds: { value: number; yardstick: number; ratio: number }[];
  series?: Point[];
}

export function figureOf(result: BenchResult): Figure {
  const { figure, unit, yardstick, reach, rounds, series } = result;
  const ratio = median(rounds.map((round) => round.value / round.yardstick));
  const latencies = rounds.flatMap((round) => round.latenciesMs);
  const share = (of: number) => percentile(latencies, of);
  return {
    figure,
    unit,
    value: median(rounds.map((round) => round.value)),
    yardstick: { what: yardstick, value: median(rounds.map((round) => round.yardstick)) },
    ratio,
    reach: reach ? ('atLeast' in reach ? `≥ ${reach.atLeast}` : `< ${reach.below}`) : '',
    isReached: reach ? ('atLeast' in reach ? ratio >= reach.atLeast : ratio < reach.below) : null,
    latencyMs: { p50: share(0.5), p95: share(0.95), p99: share(0.99) },
    errors: rounds.reduce((sum, round) => sum + round.errors, 0),
    processes: typicalCosts(rounds),
    rounds: rounds.map(({ value, yardstick: by }) => ({ value, yardstick: by, ratio: value / by })),
    ...(series ? { series } : {}),
  };
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The table: a line a figure, below it what each process cost in a median round. */
export function figureLines(figures: readonly Figure[]): string[] {
  const head = ['figure', 'value', 'unit', 'yardstick', 'ratio', 'reach', ''];
  const body = figures.map((f) => [
    f.figure,
    f.value.toFixed(1),
    f.unit,
    f.yardstick.value.toFixed(1),
    f.ratio.toFixed(2),
    f.reach,
    f.isReached === null ? '' : f.isReached ? '✓' : '✗',
    ...[f.latencyMs.p50, f.latencyMs.p95, f.latencyMs.p99].map((ms) => ms.toFixed(1)),
    String(f.errors),
  ]);
  const costs = figures.flatMap((f) =>
    f.processes.map((p) => [f.figure, p.name, p.cpuSeconds.toFixed(1), p.rssMiB.toFixed(0)]),
  );
  return [
    ...textTable([...head, 'p50 ms', 'p95 ms', 'p99 ms', 'errors'], body),
    '',
    ...textTable(['figure', 'process', 'CPU s', 'RSS MiB'], costs),
    '',
    ...figures.map((f) => `${f.figure}: ratio to ${f.yardstick.what}`),
  ];
}

function typicalCosts(rounds: readonly Round[]): ProcessCost[] {
  const names = new Set(rounds.flatMap((round) => round.processes.map((p) => p.name)));
  return [...names].map((name) => {
    const seen = rounds.flatMap((round) => round.processes.filter((p) => p.name === name));
    return {
      name,
      cpuSeconds: median(seen.map((p) => p.cpuSeconds)),
      rssMiB: median(seen.map((p) => p.rssMiB)),
    };
  });
}
