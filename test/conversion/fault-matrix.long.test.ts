// The whole fault matrix, hanging and late-committing insurers included.
import { beforeAll, describe, it } from 'vitest';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { casesOf, type Fault, play } from './fault-matrix.ts';

const quick: Fault[] = ['refused', 'lost', 'error500', 'garbage', 'rejected'];
/** The quiet time must outlast what an insurer may still commit after our deadline. */
const patient: Fault[] = ['hang', 'late'];

describe.each([
  { faults: quick, quietMs: '200' },
  { faults: patient, quietMs: '8000' },
])('the fault matrix of $faults', ({ faults, quietMs }) => {
  const app = useApp({ env: { INSURANCE_QUIET_MS: quietMs }, keepsBreaker: true });
  let scene: Scene;
  beforeAll(async () => {
    scene = await sceneOf(app);
  });

  it.each(casesOf(faults))(
    '$use ends with at most one live claim after $fault at $trade',
    (one) => play(app, scene, one),
    180_000,
  );

  it('leaves every law of the books standing', () => expectLaws(app));
});
