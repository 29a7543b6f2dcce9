// Law: whatever is done in whatever order, a model in plain sums, the service, the insurer's own books
// and every law agree to the fen. A failure names its seed; SEED=<n> plays it again, step by step.
import { describe, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { playSeed, seedsFrom } from './random-run.ts';

const app = useApp({ worker: false, env: { INSURANCE_QUIET_MS: '1' } });

describe('random runs of all use cases', () => {
  it.each(seedsFrom(1, 44))('agree with the model and keep every law (seed %i)', async (seed) => {
    await playSeed(app, seed);
  });
});
