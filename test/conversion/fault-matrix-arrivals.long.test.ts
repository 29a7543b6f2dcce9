// What arrives while a silent or late insurer keeps a conversion waiting.
import { describe, expect, it } from 'vitest';
import { expectLaws } from '../settlement/support.ts';
import { play } from './fault-matrix.ts';
import { arrivals, cellsOf, slow } from './fault-matrix-cells.ts';
import { useMatrix } from './fault-matrix-world.ts';

const world = useMatrix(8_000);

describe('a conversion at a silent insurer', () => {
  const cells = cellsOf(slow, arrivals);

  it.each(cells)('lets $use end with one truth after $fault at $trade', (cell) =>
    play(world, cell),
  );

  it('leaves every law of the books standing, in all 56 cells', async () => {
    expect(cells).toHaveLength(56);
    await expectLaws(world.app);
  });
});
