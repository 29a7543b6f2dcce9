// Key rotation: re-seals everything that was encrypted with an older data key, in small batches, so
// that live traffic waits for no more than one batch and the command may be stopped at any point.
// Run it after a new key was appended to DATA_KEYS; then the old one may be taken out.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx, transact } from '../db/db.ts';
import type { Keyring } from './keyring.ts';

interface Sealed {
  table: string;
  key: string;
  columns: readonly string[];
}

/** Every encrypted column of the schema; a test compares this list with the tables themselves. */
export const sealedColumns: readonly Sealed[] = [
  { table: 'citizen', key: 'id', columns: ['id_number', 'name', 'phone', 'bank_account'] },
  { table: 'signing_key', key: 'kid', columns: ['private_jwk'] },
  { table: 'one_time_credential', key: 'hash', columns: ['proof'] },
  { table: 'visit', key: 'id', columns: ['insured_person', 'clinical', 'operator'] },
  { table: 'family_link', key: 'id', columns: ['papers'] },
  { table: 'intent', key: 'id', columns: ['request'] },
  { table: 'insurance_message', key: 'msgid', columns: ['request', 'answer'] },
  { table: 'claim', key: 'id', columns: ['split'] },
  { table: 'counter_shift', key: 'id', columns: ['operator'] },
  { table: 'score_report', key: 'id', columns: ['objection'] },
  { table: 'webhook_endpoint', key: 'id', columns: ['secret'] },
];

/** Keyed hashes and plain hashes: bytes that are not encrypted and never rotate. */
export const hashColumns: readonly string[] = [
  'citizen.id_index',
  'spent_token.hash',
  'one_time_credential.hash',
  'seen_credential.hash',
  'idempotency_key.request_hash',
  'insurance_message.request_hash',
  'disbursement_file.answer_hash',
];

type RowKey = string | Buffer;
type Row = { key: RowKey } & Record<string, RowKey | null>;

interface Batch {
  resealed: number;
  looked: number;
  last: RowKey | null;
}

const BATCH_ROWS = 200;

/** Re-seals all stale values; returns how many it changed and how many rows it looked at. */
export async function rotateKeys(
  db: Db,
  keyring: Keyring,
): Promise<{ resealed: number; looked: number }> {
  const total = { resealed: 0, looked: 0 };
  for (const sealed of sealedColumns) {
    let after: RowKey | null = null;
    for (;;) {
      const from = after;
      const batch: Batch = await transact(db, (tx) => rotateBatch(tx, keyring, sealed, from));
      total.resealed += batch.resealed;
      total.looked += batch.looked;
      after = batch.last;
      if (batch.looked < BATCH_ROWS) break;
    }
  }
  return total;
}

async function rotateBatch(
  tx: Tx,
  keyring: Keyring,
  sealed: Sealed,
  after: RowKey | null,
): Promise<Batch> {
  const { table, key, columns } = sealed;
  const keyName = sql.identifier(key);
  const start = after === null ? sql`true` : sql`${keyName} > ${after}`;
  const found = await rows<Row>(
    tx,
    sql`select ${keyName} as key, ${names(columns)} from ${sql.identifier(table)}
      where ${start} order by ${keyName} limit ${BATCH_ROWS} for update`,
  );
  let resealed = 0;
  for (const row of found) {
    const stale = columns.filter((column) => isStale(keyring, row[column]));
    if (stale.length === 0) continue;
    const changes = stale.map((column) => {
      const fresh = keyring.seal(keyring.open(row[column] as Buffer));
      return sql`${sql.identifier(column)} = ${fresh}`;
    });
    await tx.execute(sql`update ${sql.identifier(table)} set ${sql.join(changes, sql`, `)}
      where ${keyName} = ${row.key}`);
    resealed += stale.length;
  }
  return { resealed, looked: found.length, last: found.at(-1)?.key ?? null };
}

function isStale(keyring: Keyring, value: RowKey | null | undefined): boolean {
  return Buffer.isBuffer(value) && keyring.isStale(value);
}

function names(columns: readonly string[]): SQL {
  return sql.join(
    columns.map((column) => sql.identifier(column)),
    sql`, `,
  );
}
