// The one door to the database. Only use cases open transactions; everything below them takes `tx`.
import { type SQL, sql } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase, PostgresJsSession } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { connect } from './connect.ts';
import * as schema from './schema.ts';
import { textOf } from './text-of.ts';

export type Schema = typeof schema;
export type Db = PostgresJsDatabase<Schema> & { $client: postgres.Sql };
/** A running transaction. The pool does not fit where a Tx is asked: it lacks `rollback`. */
export type Tx = Parameters<Parameters<PostgresJsDatabase<Schema>['transaction']>[0]>[0];

export interface DatabaseOptions {
  url: string;
  schema: string;
  poolSize: number;
  /** False behind a pooler that knows no prepared statements. */
  usePrepared: boolean;
  /** Behind a pooler, which refuses a search path: the role has it (`alter role … set search_path`). */
  isPooled?: boolean;
}

let isPreparing = false;

/**
 * drizzle sends each parameterised statement unprepared, which costs a Parse round trip
 * (drizzle-orm issue 6096). postgres.js names prepared statements by their text, so giving drizzle
 * any name turns preparing on; statements therefore never have variable-length lists.
 */
function prepareAll(): void {
  if (isPreparing) return;
  isPreparing = true;
  type Prototype = { prepareQuery: (...args: unknown[]) => unknown };
  const prototype = PostgresJsSession.prototype as unknown as Prototype;
  const original = prototype.prepareQuery;
  prototype.prepareQuery = function prepareQuery(query, fields, name, ...rest) {
    return original.call(this, query, fields, name ?? 'auto', ...rest);
  };
}

/** Opens a pool. int8 comes back as bigint; timestamps of raw statements as text. */
export function openDatabase(options: DatabaseOptions): Db {
  if (options.usePrepared) prepareAll();
  const client = connect(options.url, {
    max: options.poolSize,
    prepare: options.usePrepared,
    types: { bigint: postgres.BigInt },
    connection:
      options.schema === 'public' || options.isPooled ? {} : { search_path: options.schema },
  });
  return drizzle(client, { schema, casing: 'snake_case' });
}

const RETRYABLE = new Set(['40001', '40P01']);
const MAX_TRIES = 5;

/** Of each transaction that `transact` runs: what is sent with its commit. */
const lastStatements = new WeakMap<Tx, SQL[]>();

/**
 * Runs a statement with the commit of `transact`, so that it costs no wait of its own. Nobody sees its
 * result; when it fails nothing is committed and `transact` throws what it threw.
 */
export function atEnd(tx: Tx, statement: SQL): void {
  const statements = lastStatements.get(tx);
  if (!statements) throw new Error('atEnd needs a transaction of transact()');
  statements.push(statement);
}

/** Runs `work` in one READ COMMITTED transaction; deadlocks and serialisation failures are retried. */
export async function transact<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    let lastly: Promise<unknown> = Promise.resolve();
    try {
      const result = await db.transaction(async (tx) => {
        const statements: SQL[] = [];
        lastStatements.set(tx, statements);
        const done = await work(tx);
        lastly = Promise.all(statements.map((each) => rows(tx, each)));
        // Looked at below; the server turns the commit after a failed statement into a rollback.
        lastly.catch(() => {});
        return done;
      });
      await lastly;
      return result;
    } catch (error) {
      const isRetryable = error instanceof RetryTransaction || RETRYABLE.has(sqlState(error) ?? '');
      if (!isRetryable || tries >= MAX_TRIES) throw error;
    }
  }
}

/**
 * As Promise.all, for work of several steps in one transaction: waits for all of it also when some fails,
 * because what is sent after the rollback would be somebody else's. The first one's error counts.
 */
export async function allOf<T extends readonly unknown[]>(
  ...works: { [K in keyof T]: Promise<T[K]> | T[K] }
): Promise<T> {
  const ends = await Promise.allSettled(works);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
  return ends.map((end) => (end as PromiseFulfilledResult<unknown>).value) as unknown as T;
}

/** Thrown inside a transaction that must be run again from its start. */
export class RetryTransaction extends Error {}

/** The SQLSTATE of a driver error, also inside drizzle's wrapper. */
export function sqlState(error: unknown): string | undefined {
  return databaseError(error)?.code;
}

/** The name of the violated constraint, also inside drizzle's wrapper. */
export function violatedConstraint(error: unknown): string | undefined {
  return databaseError(error)?.constraint_name;
}

function databaseError(error: unknown): postgres.PostgresError | undefined {
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e instanceof postgres.PostgresError) return e;
  }
  return undefined;
}

/** Runs a raw statement and names the shape of its rows (int8 → bigint, timestamptz → string). */
export async function rows<T>(tx: Tx | Db, statement: SQL): Promise<T[]> {
  const { text, params } = textOf(statement);
  return (await clientOf(tx).unsafe(text, params, { prepare: true })) as unknown as T[];
}

/** drizzle's session holds the pool, or the connection of a transaction. */
export function clientOf(tx: Tx | Db): postgres.Sql {
  return (tx as unknown as { session: { client: postgres.Sql } }).session.client;
}

/** Business time, read inside the transaction that decides with it. */
export async function businessNow(tx: Tx | Db): Promise<Date> {
  const [row] = await rows<{ now: string }>(tx, sql`select business_now() as now`);
  if (!row) throw new Error('business clock has no row: migrations did not run');
  return new Date(row.now);
}
