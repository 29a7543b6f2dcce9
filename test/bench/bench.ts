// Role: what a bench is and what it is given; `main.ts` picks by name.
import type { City, CityOptions } from './city.ts';
import type { BenchResult } from './figure.ts';

export interface BenchOptions {
  /** How much there is to do, in what the bench counts: conversions, visits, postings, requests. */
  count: number;
  /** Seconds that a load is kept up. */
  seconds: number;
  rounds: number;
  seed: number;
  /** Starts a fresh sandbox for `work` and ends it afterwards, whatever happens. */
  withCity(
    work: (city: City) => Promise<void>,
    settings?: Omit<CityOptions, 'seed'>,
  ): Promise<void>;
}

/** One figure, or several that are measured together. */
export type Bench = (
  options: BenchOptions,
  say: (text: string) => void,
) => Promise<BenchResult | BenchResult[]>;
