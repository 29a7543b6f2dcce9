// The shape of a law: one query over the real tables that says, row by row, whether it holds.
import { type SQL, sql } from 'drizzle-orm';

export interface Law {
  /** One clear sentence. */
  law: string;
  /** Yields (id text, holds boolean, saw text): every row looked at, `saw` explaining a broken one. */
  query: SQL;
}

/** A law about states: `query` yields (id, holds). */
export function holdsForEach(law: string, query: SQL): Law {
  return { law, query: sql`select id, holds, null::text as saw from (${query}) looked_at` };
}

/** A law about money: `query` yields (id, a, b) in fen, and both must be the same amount. */
export function agree(law: string, query: SQL): Law {
  return {
    law,
    query: sql`select id, a is not distinct from b as holds,
        round(a / 100.0, 2) || ' is not ' || round(b / 100.0, 2) as saw
      from (select id, coalesce(a, 0) as a, coalesce(b, 0) as b from (${query}) pairs) looked_at`,
  };
}
