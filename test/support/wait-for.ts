// Waits for a fact instead of sleeping.
import { setTimeout as delay } from 'node:timers/promises';

/** Asks until `fact` gives something truthy (and returns it), or fails after `timeoutMs`. */
export async function waitFor<T>(
  fact: () => T | Promise<T>,
  options: { timeoutMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + (options.timeoutMs ?? 15_000);
  for (;;) {
    const found = await fact();
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${options.what ?? fact}`);
    await delay(25);
  }
}
