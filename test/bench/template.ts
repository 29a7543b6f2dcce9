// Role: rows that the service itself wrote for one person or one visit, kept with marks in place of what
// must differ, so that SQL can write them again a million times whatever columns the schema has.
import type postgres from 'postgres';

/** What stands in a template's text cells; a copy has its own text there. */
const marks = {
  /** 24 digits that count the copies: the end of every id, and of every number that is unique. */
  number: '{n}',
  citizen: '{citizen}',
  line: '{line}',
  hospital: '{hospital}',
} as const;

type Mark = keyof typeof marks;

interface Column {
  name: string;
  /** As information_schema calls it. */
  type: string;
  marks: Mark[];
}

export interface Template {
  /** Copied in this order. */
  tables: { name: string; kept: string; columns: Column[] }[];
}

/** Table → which of its rows, as SQL. */
export type Parts = Record<string, string>;

/**
 * Keeps the rows in tables of their own. `known` texts become their marks; ids of the rows themselves
 * (visit, hold, entry …) keep their prefix and get the copy's number.
 */
export async function makeTemplate(
  sql: postgres.Sql,
  name: string,
  parts: Parts,
  known: Record<string, string>,
): Promise<Template> {
  const tables: Template['tables'] = [];
  for (const [table, where] of Object.entries(parts)) {
    const kept = `bench_${name}_${table}`;
    await sql.unsafe(`drop table if exists ${kept}`);
    await sql.unsafe(`create table ${kept} as select * from "${table}" where ${where}`);
    const columns = await sql<{ name: string; type: string }[]>`
      select column_name as name, data_type as type from information_schema.columns
      where table_schema = current_schema() and table_name = ${table} order by ordinal_position`;
    tables.push({
      name: table,
      kept,
      columns: columns.map((column) => ({ ...column, marks: [] })),
    });
  }
  const texts = new Set<string>();
  for (const table of tables) for (const text of await textsOf(sql, table)) texts.add(text);
  const replaced = { ...ownIds([...texts].filter((text) => !(text in known))), ...known };
  for (const table of tables) await mark(sql, table, replaced);
  return { tables };
}

const textColumns = (columns: readonly Column[]) => columns.filter(({ type }) => type === 'text');

async function textsOf(sql: postgres.Sql, { kept, columns }: Template['tables'][number]) {
  const rows = await sql.unsafe<Record<string, string | null>[]>(`select * from ${kept}`);
  return rows.flatMap((row) => textColumns(columns).flatMap(({ name }) => row[name] ?? []));
}

/** "vis_01j…" → "vis_00{n}": still an id by its shape; the digit tells ids of one kind apart. */
function ownIds(texts: readonly string[]): Record<string, string> {
  const seen = new Map<string, number>();
  const ids = texts.filter((text) => /^(?!trm)[a-z]{3}_[0-7][0-9a-z]{25}$/.test(text)).sort();
  return Object.fromEntries(
    ids.map((id) => {
      const prefix = id.slice(0, 3);
      const digit = seen.get(prefix) ?? 0;
      seen.set(prefix, digit + 1);
      return [id, `${prefix}_0${digit}${marks.number}`];
    }),
  );
}

async function mark(
  sql: postgres.Sql,
  table: Template['tables'][number],
  replaced: Record<string, string>,
): Promise<void> {
  for (const column of textColumns(table.columns)) {
    const cells = await sql.unsafe<{ cell: string }[]>(
      `select distinct "${column.name}" as cell from ${table.kept} where "${column.name}" is not null`,
    );
    const found = new Set<Mark>();
    for (const { cell } of cells) {
      const marked = replaced[cell];
      if (marked === undefined) continue;
      await sql.unsafe(
        `update ${table.kept} set "${column.name}" = $1 where "${column.name}" = $2`,
        [marked, cell],
      );
      for (const [name, text] of Object.entries(marks)) {
        if (marked.includes(text)) found.add(name as Mark);
      }
    }
    column.marks = [...found];
  }
}

/**
 * One INSERT … SELECT a table. `keys` is a query of `number` (24 digits), `citizen`, `line`, `hospital`
 * (texts) and `age` (interval, taken off every time); `instead` gives a column (`table.column`) another
 * expression over `t` (the template's row) and `k` (the keys).
 */
export function copyStatements(
  template: Template,
  keys: string,
  instead: Record<string, string> = {},
): string[] {
  return template.tables.map(({ name, kept, columns }) => {
    const cells = columns.map((column) => instead[`${name}.${column.name}`] ?? cellOf(column));
    const names = columns.map((column) => `"${column.name}"`).join(', ');
    return `insert into "${name}" (${names}) select ${cells.join(', ')}
      from (${keys}) k cross join ${kept} t`;
  });
}

function cellOf({ name, type, marks: used }: Column): string {
  const cell = `t."${name}"`;
  if (type === 'timestamp with time zone') return `${cell} - k.age`;
  if (type === 'date') return `(${cell} - k.age)::date`;
  return used.reduce((text, each) => `replace(${text}, '${marks[each]}', k.${each})`, cell);
}
