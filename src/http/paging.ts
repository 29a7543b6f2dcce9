// Cursor lists: a page ends where the next one begins, by the sort key of its last row.
import { and, type Column, eq, lt, or, type SQL } from 'drizzle-orm';
import type { z } from 'zod';
import { Refusal } from '../errors.ts';
import { hostileParts } from './canonical.ts';

export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

/**
 * Cuts a page from `rows`, which were read with `limit + 1`. `keyOf` gives the row's sort key as
 * JSON values (a bigint as its text, a Date as its ISO string).
 */
export function page<T>(
  rows: readonly T[],
  limit: number,
  keyOf: (row: T) => readonly (string | number)[],
): Page<T> {
  const data = rows.slice(0, limit);
  const last = data[limit - 1];
  const isMore = rows.length > limit && last !== undefined;
  return { data, nextCursor: isMore ? writeCursor(keyOf(last)) : null };
}

function writeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key), 'utf8').toString('base64url');
}

/**
 * Reads a cursor back; null when none was sent. `shape` is the zod tuple of the sort key.
 * Refuses with request/invalid: a cursor is input like any other.
 */
export function readCursor<S extends z.ZodType>(
  cursor: string | undefined,
  shape: S,
): z.output<S> | null {
  if (cursor === undefined) return null;
  try {
    const text = Buffer.from(cursor, 'base64url').toString('utf8');
    const values: unknown = JSON.parse(text);
    // PostgreSQL cannot even compare with NUL or the year 0, and no row has them.
    if (hostileParts(values).length > 0 || text.includes('"0000-')) throw new Error('of no row');
    return shape.parse(values);
  } catch {
    throw new Refusal('request/invalid', {
      errors: [{ pointer: '/cursor', detail: 'not a nextCursor of this list' }],
    });
  }
}

/** What a newest-first list by (time, id) goes on with after a cursor's key; undefined: from its start. */
export function olderThan(
  column: { at: Column; id: Column },
  after: readonly [at: string, id: string] | null,
): SQL | undefined {
  if (!after) return undefined;
  const at = new Date(after[0]);
  return or(lt(column.at, at), and(eq(column.at, at), lt(column.id, after[1])));
}
