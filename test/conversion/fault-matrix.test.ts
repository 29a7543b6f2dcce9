// A part of the fault matrix that needs no long waits; all of it is in the long runs beside it.
import { describe, expect, it } from 'vitest';
import { expectLaws } from '../settlement/support.ts';
import { play } from './fault-matrix.ts';
import { arrivals, cellsOf, quick, uses } from './fault-matrix-cells.ts';
import { useMatrix } from './fault-matrix-world.ts';

const world = useMatrix(200);

/** Every eleventh cell: each quick fault, each trade and each use case is among them. */
const cells = cellsOf(quick, [...uses, ...arrivals]).filter((_, i) => i % 11 === 0);

describe('whatever fails at the insurer', () => {
  it.each(cells)('$use ends with one truth after $fault at $trade', (cell) => play(world, cell));

  it('leaves every law of the books standing', async () => {
    expect(cells.length).toBeGreaterThan(25);
    await expectLaws(world.app);
  });
});
