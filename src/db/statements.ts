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
  const { columns, selecting } = shapeOf(table);
  const { text, params } = textOf(tail);
  const found = await clientOf(tx)
    .unsafe(`${selecting} ${text}`, params, { prepare: true })
    .values();
  return found.map((values) => rowOf(columns, values) as InferSelectModel<T>);
}

/** `insert into … values …` of one row, to be run by itself or as a part of `together`. */
export function insertOf<T extends PgTable>(table: T, row: InferInsertModel<T>): SQL {
  const { columns } = shapeOf(table);
  const given = columns.filter(({ key }) => (row as Record<string, unknown>)[key] !== undefined);
  const values = given.map(({ key, column }) => {
    const value = (row as Record<string, unknown>)[key];
    return value === null || value instanceof SQL ? value : column.mapToDriverValue(value);
  });
  const names = given.map(({ name }) => `"${name}"`).join(', ');
  return sql`insert into ${sql.raw(`"${getTableName(table)}" (${names})`)}
    values (${sql.join(
      values.map((value) => sql`${value}`),
      sql.raw(', '),
    )})`;
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
  /** `select "id", … from "table"` */
  selecting: string;
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
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const shape = { columns, selecting: `select ${names} from "${getTableName(table)}"` };
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
