// The whole fault matrix of failures that are over at once.
import { describe, expect, it } from 'vitest';
import { expectLaws } from '../settlement/support.ts';
import { play } from './fault-matrix.ts';
import { arrivals, cellsOf, quick, uses } from './fault-matrix-cells.ts';
import { useMatrix } from './fault-matrix-world.ts';

const world = useMatrix(200);

describe('whatever fails at once at the insurer', () => {
  const cells = cellsOf(quick, [...uses, ...arrivals]);

  it.each(cells)('$use ends with one truth after $fault at $trade', (cell) => play(world, cell));

  it('leaves every law of the books standing, in all 288 cells', async () => {
    expect(cells).toHaveLength(288);
    await expectLaws(world.app);
  });
});
