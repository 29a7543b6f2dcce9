// Role: what a bench is and what it is given; `main.ts` picks by name.
import type { City } from './city.ts';
import type { BenchResult } from './figure.ts';

export interface BenchOptions {
  /** Conversions that wait in each round. */
  count: number;
  /** Seconds that a load is kept up. */
  seconds: number;
  rounds: number;
  seed: number;
  /** Starts a fresh sandbox for `work` and ends it afterwards, whatever happens. */
  withCity(work: (city: City) => Promise<void>): Promise<void>;
}

export type Bench = (options: BenchOptions, say: (text: string) => void) => Promise<BenchResult>;
