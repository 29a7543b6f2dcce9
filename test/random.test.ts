// Law: no random bytes are given twice, across the refills of a supply.
import { expect, it } from 'vitest';
import { randomSupply } from '../src/random.ts';

it('gives fresh bytes at each call, refill after refill', () => {
  const next = randomSupply(12);
  const seen = new Set(Array.from({ length: 10_000 }, () => next().toString('hex')));
  expect(seen.size).toBe(10_000);
  expect([...seen].every((text) => /^[0-9a-f]{24}$/.test(text))).toBe(true);
});
