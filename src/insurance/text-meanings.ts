// Role: what finance decided that an insurer's texts mean (table text_meaning), for the client that
// reads them. Law: a decision is in force within seconds in every process, and a slow or absent
// database never holds up an answer: then what was known last is used.
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import { type Db, rows } from '../db/db.ts';
import { isTextMeaning, type TextMeaning } from './regions.ts';

/** By trade and text, as `meaningKey` writes them. */
export type Meanings = ReadonlyMap<string, TextMeaning>;

/** Short enough that a decision works at once for people, long enough for a storm of refusals. */
const FRESH_MS = 2_000;
/** An answer is waiting: longer than any healthy read of a small table. */
const MAX_WAIT_MS = 500;

/** A reader of the meanings of a region (six digits); it asks the database at most every 2 s. */
export function makeTextMeanings(
  db: Db,
  log: Pick<Logger, 'warn'>,
): (region: string) => Promise<Meanings> {
  let known = new Map<string, Map<string, TextMeaning>>();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;

  async function read(): Promise<void> {
    try {
      const startedAt = performance.now();
      known = await readMeanings(db);
      readAt = startedAt;
    } catch (err) {
      log.warn({ err }, 'meanings of insurer texts could not be read');
    } finally {
      reading = null;
    }
  }

  return async (region) => {
    if (performance.now() - readAt > FRESH_MS) {
      reading ??= read();
      await Promise.race([reading, delay(MAX_WAIT_MS, undefined, { ref: false })]);
    }
    return known.get(region) ?? new Map();
  };
}

async function readMeanings(db: Db): Promise<Map<string, Map<string, TextMeaning>>> {
  const found = await rows<{ region: string; key: string; meaning: string }>(
    db,
    sql`select region, infno || ' ' || text as key, meaning from text_meaning`,
  );
  const byRegion = new Map<string, Map<string, TextMeaning>>();
  for (const { region, key, meaning } of found) {
    if (!isTextMeaning(meaning)) continue;
    const ofRegion = byRegion.get(region) ?? new Map<string, TextMeaning>();
    byRegion.set(region, ofRegion.set(key, meaning));
  }
  return byRegion;
}
