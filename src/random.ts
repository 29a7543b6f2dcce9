// Random bytes from a supply: asking the system for 12 of them costs more than encrypting with them.
import { randomFillSync } from 'node:crypto';

/** So many at once: the system is asked once in hundreds of times, for a few kilobytes. */
const PIECES = 256;

/** Gives `bytes` fresh random bytes at each call. They are a view: copy them before the next call. */
export function randomSupply(bytes: number): () => Buffer {
  const supply = Buffer.alloc(bytes * PIECES);
  let at = supply.length;
  return () => {
    if (at === supply.length) {
      randomFillSync(supply);
      at = 0;
    }
    at += bytes;
    return supply.subarray(at - bytes, at);
  };
}
