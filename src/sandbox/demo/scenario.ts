// Role: what a scenario of the demo is; `main.ts` picks one by name.
import type { DemoClient } from './client.ts';
import type { Progress } from './progress.ts';
import type { Tally } from './tally.ts';

export interface Stage {
  client: DemoClient;
  tally: Tally;
  progress: Progress;
  /** Unlike every run before: prefix of numbers that are unique for ever. */
  run: string;
  /** 0 to SALTS − 1 (people.ts), moves the invented people of this run. */
  salt: number;
}

export type Scenario = (stage: Stage) => Promise<void>;
