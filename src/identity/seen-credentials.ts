// Cards and insurance codes that the insurer once said whose they are, so that they identify in an
// outage too. Only a keyed hash of card or code is stored.
import { eq } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { seenCredential } from '../db/schema.ts';
import type { Keyring } from './keyring.ts';
import { findOrCreateCitizen, type Person, readCitizen } from './people.ts';

/** The keyed hash under which a card or code is remembered. */
export function markOf(keyring: Keyring, kind: string, text: string): Buffer {
  return keyring.blindIndex(`seen ${kind} ${text}`);
}

/** Whose card or code this was when the insurer last said so; null when it never was seen. */
export async function seenBefore(
  deps: { db: Db; keyring: Keyring },
  mark: Buffer,
): Promise<Person | null> {
  const [row] = await deps.db.select().from(seenCredential).where(eq(seenCredential.hash, mark));
  if (!row) return null;
  const { name, idNumber } = await readCitizen(deps.db, deps.keyring, row.citizenId);
  return { name, idNumber };
}

/** Remembers what the insurer said; the latest word counts. */
export async function rememberSeen(
  tx: Tx,
  keyring: Keyring,
  seen: { mark: Buffer; citizen: Person; at: Date },
): Promise<void> {
  const { citizenId } = await findOrCreateCitizen(tx, keyring, seen.citizen);
  await tx
    .insert(seenCredential)
    .values({ hash: seen.mark, citizenId, seenAt: seen.at })
    .onConflictDoUpdate({ target: seenCredential.hash, set: { citizenId, seenAt: seen.at } });
}
