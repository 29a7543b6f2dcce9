// A part of the fault matrix that needs no long waits; all of it is in fault-matrix.long.test.ts.
import { beforeAll, describe, expect, it } from 'vitest';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { casesOf, play } from './fault-matrix.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' }, keepsBreaker: true });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});

/** Every third case: each fault, trade and use case is among them. */
const cases = casesOf(['refused', 'lost', 'error500', 'garbage', 'rejected']).filter(
  (_, i) => i % 3 === 0,
);

describe('whatever fails at the insurer', () => {
  it.each(cases)('$use ends with at most one live claim after $fault at $trade', (one) =>
    play(app, scene, one),
  );

  it('leaves every law of the books standing', async () => {
    expect(cases.length).toBeGreaterThan(40);
    await expectLaws(app);
  });
});
