// Role: statements of the hot roads without drizzle's builders: whole rows are read and inserted by the
// schema's own columns, and several writes go as one statement.
import {
  getTableColumns,
  getTableName,
  type InferInsertModel,
  type InferSelectModel,
  SQL,
  sql,
} from 'drizzle-orm';
import { CasingCache } from 'drizzle-orm/casing';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import { clientOf, type Db, rows, type Tx } from './db.ts';
import { textOf } from './text-of.ts';

const casing = new CasingCache('snake_case');

/**
 * Whole rows of one table as drizzle would read them; `tail` is everything after the table's name:
 * sql`where id = ${id} for update`.
 */
export async function readRows<T extends PgTable>(
  tx: Tx | Db,
  table: T,
  tail: SQL,
): Promise<InferSelectModel<T>[]> {
  const { columns, names, name } = shapeOf(table);
  const found = await valuesOf(tx, sql`select ${names} from ${name} ${tail}`);
  return found.map((values) => rowOf(columns, values) as InferSelectModel<T>);
}

/** As `readRows`, with one JSON value of `beside` (an expression) for each row. */
export async function readRowsBeside<T extends PgTable, B>(
  tx: Tx | Db,
  table: T,
  beside: SQL,
  tail: SQL,
): Promise<{ row: InferSelectModel<T>; beside: B }[]> {
  const { columns, names, name } = shapeOf(table);
  const found = await valuesOf(tx, sql`select ${names}, ${beside} from ${name} ${tail}`);
  return found.map((values) => ({
    row: rowOf(columns, values) as InferSelectModel<T>,
    beside: values[columns.length] as B,
  }));
}

async function valuesOf(tx: Tx | Db, statement: SQL): Promise<unknown[][]> {
  const { text, params } = textOf(statement);
  return clientOf(tx).unsafe(text, params, { prepare: true }).values();
}

/** `insert into … select …` of one row as part of `together`: only if `from` has a row. */
export function insertOf<T extends PgTable>(
  table: T,
  row: InferInsertModel<T>,
  from: SQL = sql`(select 1) as once`,
): SQL {
  const { columns, name: into } = shapeOf(table);
  const values = row as Record<string, unknown>;
  const given = columns.filter(({ key }) => values[key] !== undefined);
  const names = given.map(({ name }) => `"${name}"`).join(', ');
  const selected = given.map(({ key, column }) => {
    const value = values[key];
    const sent = value === null || value instanceof SQL ? value : column.mapToDriverValue(value);
    return sql`${sent}::${sql.raw(column.getSQLType())}`;
  });
  return sql`insert into ${into} (${sql.raw(names)})
    select ${sql.join(selected, sql.raw(', '))} from ${from}`;
}

/**
 * Several writes in one statement, each a data-modifying query with a name that `result` may select
 * from. All see the same snapshot, none sees what another writes, and no two may write the same row.
 */
export function together<T>(
  tx: Tx | Db,
  writes: Record<string, SQL | false | null | undefined>,
  result: SQL = sql`select 1`,
): Promise<T[]> {
  const parts = Object.entries(writes).flatMap(([name, write]) =>
    write ? [sql`${sql.raw(name)} as (${write})`] : [],
  );
  return rows<T>(tx, sql`with ${sql.join(parts, sql.raw(', '))} ${result}`);
}

interface TableShape {
  /** "table" */
  name: SQL;
  /** "table"."id", … */
  names: SQL;
  columns: { key: string; name: string; column: PgColumn }[];
}

const shapes = new WeakMap<PgTable, TableShape>();

function shapeOf(table: PgTable): TableShape {
  const known = shapes.get(table);
  if (known) return known;
  const columns = Object.entries(getTableColumns(table)).map(([key, column]) => ({
    key,
    name: casing.getColumnCasing(column),
    column: column as PgColumn,
  }));
  const own = `"${getTableName(table)}"`;
  const names = sql.raw(columns.map(({ name }) => `${own}."${name}"`).join(', '));
  const shape = { columns, names, name: sql.raw(own) };
  shapes.set(table, shape);
  return shape;
}

function rowOf(columns: TableShape['columns'], values: unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  columns.forEach(({ key, column }, index) => {
    const value = values[index];
    row[key] = value === null ? null : column.mapFromDriverValue(value);
  });
  return row;
}
