// Role: two ways to load a service: a closed loop (so many at once) and arrivals at a steady rate.
import { setTimeout as pause } from 'node:timers/promises';
import { StepError } from '../../src/sandbox/demo/client.ts';

export interface Loaded {
  /** Milliseconds of each operation that was answered as expected. */
  latenciesMs: number[];
  errors: number;
  seconds: number;
}

/**
 * Keeps `width` operations under way for so many seconds. A number that an operation returns is
 * milliseconds that others took: they are taken off its latency.
 */
export async function closedLoop(
  load: { width: number; seconds: number },
  operation: (number: number) => Promise<unknown>,
): Promise<Loaded> {
  const loaded: Loaded = { latenciesMs: [], errors: 0, seconds: 0 };
  const startedAt = performance.now();
  const endsAt = startedAt + load.seconds * 1000;
  let next = 0;
  const lane = async () => {
    while (performance.now() < endsAt) {
      const number = next;
      next += 1;
      await measure(loaded, performance.now(), () => operation(number));
    }
  };
  await Promise.all(Array.from({ length: load.width }, lane));
  loaded.seconds = (performance.now() - startedAt) / 1000;
  return loaded;
}

/**
 * Starts operations at random moments, `perSecond` on average, until `isOver`. An operation counts
 * from the moment it was due, so that a service that stands still is not flattered.
 */
export async function arrivals(
  load: { perSecond: number; random: () => number; isOver: (seconds: number) => boolean },
  operation: (number: number) => Promise<unknown>,
): Promise<Loaded> {
  const loaded: Loaded = { latenciesMs: [], errors: 0, seconds: 0 };
  const startedAt = performance.now();
  const underWay: Promise<void>[] = [];
  let dueAt = startedAt;
  for (let number = 0; ; number += 1) {
    dueAt += (-Math.log(1 - load.random()) * 1000) / load.perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await pause(early);
    if (load.isOver((performance.now() - startedAt) / 1000)) break;
    underWay.push(measure(loaded, dueAt, () => operation(number)));
  }
  await Promise.all(underWay);
  loaded.seconds = (performance.now() - startedAt) / 1000;
  return loaded;
}

async function measure(
  loaded: Loaded,
  startedAt: number,
  operation: () => Promise<unknown>,
): Promise<void> {
  try {
    const othersMs = await operation();
    const elapsedMs = performance.now() - startedAt;
    loaded.latenciesMs.push(elapsedMs - (typeof othersMs === 'number' ? othersMs : 0));
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    loaded.errors += 1;
  }
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
