// The fault matrix of an insurer that is silent beyond every deadline, and of one that executes late.
import { describe, expect, it } from 'vitest';
import { expectLaws } from '../settlement/support.ts';
import { play } from './fault-matrix.ts';
import { cellsOf, slow, uses } from './fault-matrix-cells.ts';
import { useMatrix } from './fault-matrix-world.ts';

const world = useMatrix(8_000);

describe('an insurer that is silent', () => {
  const cells = cellsOf(slow, uses);

  it.each(cells)('lets $use end with one truth after $fault at $trade', (cell) =>
    play(world, cell),
  );

  it('leaves every law of the books standing, in all 64 cells', async () => {
    expect(cells).toHaveLength(64);
    await expectLaws(world.app);
  });
});
