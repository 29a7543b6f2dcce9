// Role: a raw template as text and parameters. drizzle's own way costs more than sending the statement.
import { SQL, StringChunk } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';

const dialect = new PgDialect({ casing: 'snake_case' });

export type Parameter = postgres.ParameterOrJSON<never>;

/** The statement's text with $1, $2 …, and its parameters. */
export function textOf(statement: SQL): { text: string; params: Parameter[] } {
  const params: unknown[] = [];
  const text = flatten(statement, params);
  if (text !== null) return { text, params: params as Parameter[] };
  const built = dialect.sqlToQuery(statement);
  return { text: built.sql, params: built.params as Parameter[] };
}

/** Null where there is more in it than text, fragments and plain values: drizzle knows what to do. */
function flatten(statement: SQL, params: unknown[]): string | null {
  let text = '';
  for (const chunk of statement.queryChunks) {
    if (chunk instanceof StringChunk) {
      for (const piece of chunk.value) text += piece;
    } else if (chunk instanceof SQL) {
      const inner = flatten(chunk, params);
      if (inner === null) return null;
      text += inner;
    } else if (isPlain(chunk)) {
      params.push(chunk);
      text += `$${params.length}`;
    } else if (chunk !== undefined) {
      return null;
    }
  }
  return text;
}

function isPlain(chunk: unknown): boolean {
  switch (typeof chunk) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return true;
    default:
      return chunk === null || chunk instanceof Uint8Array;
  }
}
