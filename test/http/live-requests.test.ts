// Law: background work lets those go first who wait for an answer, and never stands still for them.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Db } from '../../src/db/db.ts';
import { asLive, untilNobodyWaits } from '../../src/http/live-requests.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

it('does not wait while nobody does', async () => {
  await untilNobodyWaits({} as Db, 400);
});

it('waits until the last of those who wait is answered', async () => {
  const db = {} as Db;
  const [first, second] = [gate(), gate()];
  const live = [asLive(db, () => first.opened), asLive(db, () => second.opened)];
  const order: string[] = [];
  const waiting = untilNobodyWaits(db, 60_000).then(() => order.push('background'));
  first.open();
  await live[0];
  order.push('first');
  second.open();
  await live[1];
  await waiting;
  expect(order).toEqual(['first', 'background']);
});

it('goes on after its time, and is not woken twice', async () => {
  const db = {} as Db;
  const long = gate();
  const live = asLive(db, () => long.opened);
  const waiting = untilNobodyWaits(db, 400);
  await vi.advanceTimersByTimeAsync(400);
  await waiting;
  long.open();
  await live;
  expect(vi.getTimerCount()).toBe(0);
});

it('is free again when what somebody waited for failed', async () => {
  const db = {} as Db;
  await expect(asLive(db, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  await untilNobodyWaits(db, 60_000);
  expect(vi.getTimerCount()).toBe(0);
});

it('waits for nobody of another city', async () => {
  const long = gate();
  const live = asLive({} as Db, () => long.opened);
  await untilNobodyWaits({} as Db, 60_000);
  long.open();
  await live;
});
