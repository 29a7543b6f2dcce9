// Who waits for an answer goes first: while a request of a terminal or a citizen is under way in this
// process, background work that asks here waits before its next step (domain.md: the drain yields).
import type { Db } from '../db/db.ts';

interface Live {
  requests: number;
  /** Background work that waits until there are none. */
  waiting: Set<() => void>;
}

/** By database: a process serves one city. */
const byDatabase = new WeakMap<Db, Live>();

function liveOf(db: Db): Live {
  const known = byDatabase.get(db) ?? { requests: 0, waiting: new Set<() => void>() };
  byDatabase.set(db, known);
  return known;
}

/** Does what somebody waits for. */
export async function asLive<T>(db: Db, work: () => Promise<T>): Promise<T> {
  const live = liveOf(db);
  live.requests += 1;
  try {
    return await work();
  } finally {
    live.requests -= 1;
    if (live.requests === 0) for (const go of [...live.waiting]) go();
  }
}

/** Resolves once nobody waits for an answer of this process, or after `mostMs`: nothing stands still. */
export function untilNobodyWaits(db: Db, mostMs: number): Promise<void> {
  const live = liveOf(db);
  if (live.requests === 0) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      live.waiting.delete(go);
      resolve();
    };
    const timer = setTimeout(go, mostMs);
    live.waiting.add(go);
  });
}
