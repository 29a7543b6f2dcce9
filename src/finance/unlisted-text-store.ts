// Insurers' texts that no pattern knows, and what finance decided that they mean. They are the
// city's, not a hospital's.
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';

export interface UnlistedText {
  id: string;
  region: string;
  infno: string;
  text: string;
  count: number;
  first_at: string;
  last_at: string;
  meaning: string | null;
}

/** A text has no id of its own: the hash of what names it. */
const textId = sql`encode(sha256(convert_to(
  u.region || ' ' || u.infno || ' ' || u.text, 'UTF8')), 'hex')`;

const columns = sql`${textId} as id, u.region, u.infno, u.text, u.count, u.first_at, u.last_at,
  m.meaning`;

const tables = sql`unlisted_text u left join text_meaning m
  on m.region = u.region and m.infno = u.infno and m.text = u.text`;

/** Most often seen first, after (count, id). */
export function listUnlistedTexts(
  db: Db,
  after: readonly [number, string] | null,
  count: number,
): Promise<UnlistedText[]> {
  const [seen, id] = after ?? [null, null];
  return rows<UnlistedText>(
    db,
    sql`
    select * from (select ${columns} from ${tables}) t
    where ${seen}::int is null or t.count < ${seen}::int
      or (t.count = ${seen}::int and t.id > ${id}::text)
    order by t.count desc, t.id limit ${count}::int`,
  );
}

/** 404 for a text that was never seen. */
export async function findUnlistedText(tx: Tx, id: string): Promise<UnlistedText> {
  const [row] = await rows<UnlistedText>(
    tx,
    sql`select ${columns} from ${tables} where ${textId} = ${id}`,
  );
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** From now on the text means this, in every process within seconds (insurance/text-meanings.ts). */
export async function setMeaning(
  tx: Tx,
  decided: { region: string; infno: string; text: string; meaning: string; setBy: string },
): Promise<void> {
  const { region, infno, text, meaning, setBy } = decided;
  await tx.execute(sql`
    insert into text_meaning (region, infno, text, meaning, set_by, set_at)
    values (${region}, ${infno}, ${text}, ${meaning}, ${setBy}, clock_timestamp())
    on conflict (region, infno, text) do update
      set meaning = excluded.meaning, set_by = excluded.set_by, set_at = excluded.set_at`);
}

export function unlistedTextView(row: UnlistedText) {
  const { id, region, infno, text, count, meaning } = row;
  const firstAt = new Date(row.first_at).toISOString();
  const lastAt = new Date(row.last_at).toISOString();
  return { id, region, infno, text, count, firstAt, lastAt, meaning };
}
