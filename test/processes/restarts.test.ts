// Law: bad luck is survived for ever, a crash loop is not.
import { expect, test } from 'vitest';
import { MAX_DEATHS, noteDeath, WINDOW_MS } from '../../src/processes/restarts.ts';

/** How many deaths, `everyMs` apart, are survived; at most `tries`. */
function survived(everyMs: number, tries = 100): number {
  let deaths: number[] | null = [];
  for (let i = 0; i < tries; i += 1) {
    deaths = noteDeath(deaths, i * everyMs);
    if (!deaths) return i;
  }
  return tries;
}

test('gives up at the fifth death within a minute', () => {
  expect(survived(0)).toBe(MAX_DEATHS - 1);
  expect(survived(1_000)).toBe(MAX_DEATHS - 1);
  expect(survived(WINDOW_MS / MAX_DEATHS)).toBe(MAX_DEATHS - 1);
});

test('goes on for ever when they are further apart, and remembers only the last minute', () => {
  expect(survived(WINDOW_MS / (MAX_DEATHS - 1))).toBe(100);
  expect(noteDeath([0, 1, 2, 3], WINDOW_MS + 3)).toEqual([WINDOW_MS + 3]);
});
