// The random runs at length: many seeds, long ones, none of which the short suite plays.
import { afterAll, describe, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { playSeed, seedsFrom } from './random-run.ts';

const SEEDS = 512;
const STEPS = 40;
const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });
const total = {
  seeds: 0,
  settlements: 0,
  refunds: 0,
  steps: {} as Record<string, number>,
  conversions: {} as Record<string, number>,
};

afterAll(() => console.log(`random runs: ${JSON.stringify(total)}`));

describe('long random runs of all use cases', () => {
  it.each(seedsFrom(1_001, SEEDS))(
    'agree with the model and keep every law (seed %i)',
    async (seed) => {
      const { steps, settlements, refunds, conversions } = await playSeed(app, seed, STEPS);
      total.seeds += 1;
      total.settlements += settlements;
      total.refunds += refunds;
      add(total.steps, steps);
      add(total.conversions, conversions);
    },
  );
});

function add(to: Record<string, number>, counts: Record<string, number>): void {
  for (const [name, count] of Object.entries(counts)) to[name] = (to[name] ?? 0) + count;
}
