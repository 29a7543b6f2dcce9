// Law: a signed one-time thing (a client's or a vendor's assertion) is used once, in every process.
// Its hash is a primary key; whoever inserts it first has used it. Real time.
import { createHash } from 'node:crypto';
import { eq, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { spentToken } from '../db/schema.ts';

export interface OneTimeThing {
  /** What it is, without its signature: one that can be signed twice is still one thing. */
  text: string;
  kind: 'clientAssertion' | 'vendorAssertion';
  /** From then on nobody takes it any more, so its note may go. */
  expiresAt: Date;
}

/**
 * Notes a one-time thing as used until it expires; true for exactly one caller, in any process. In a
 * transaction the note is undone with it, and whoever else asks meanwhile waits for its end.
 * Each note also sweeps a few expired ones, so the table stays as small as five minutes are.
 */
export async function spendOnce(db: Db | Tx, thing: OneTimeThing, now: Date): Promise<boolean> {
  const hash = hashOf(thing);
  const spent = await rows(
    db,
    sql`
    with swept as (
      delete from spent_token where hash in (
        select hash from spent_token
        where expires_at < ${now.toISOString()}::timestamptz and hash <> ${hash}
        limit 20 for update skip locked)
    )
    insert into spent_token (hash, kind, expires_at)
    values (${hash}, ${thing.kind}, ${thing.expiresAt.toISOString()}::timestamptz)
    on conflict (hash) do nothing returning 1 as spent`,
  );
  return spent.length === 1;
}

/** True when somebody has used it up already; false promises nothing, only `spendOnce` does. */
export async function isSpent(db: Db, thing: Omit<OneTimeThing, 'expiresAt'>): Promise<boolean> {
  const found = await db
    .select({ hash: spentToken.hash })
    .from(spentToken)
    .where(eq(spentToken.hash, hashOf(thing)));
  return found.length > 0;
}

function hashOf({ kind, text }: Omit<OneTimeThing, 'expiresAt'>): Buffer {
  return createHash('sha256').update(`${kind}\n${text}`).digest();
}
