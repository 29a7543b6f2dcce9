// Payment codes (60 seconds) and identifications (10 minutes). Law: each is used at most once, by
// the transaction that uses it. Real time. Only a keyed hash of what was handed out is stored.
import { randomInt } from 'node:crypto';
import { and, eq, isNull } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { oneTimeCredential } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Keyring } from './keyring.ts';

/** Long enough to be shown and scanned, too short to be passed on. */
const PAYMENT_CODE_MS = 60_000;
/** From the counter's first look to the opening of the visit. */
const IDENTIFICATION_MS = 10 * 60_000;

type Kind = 'paymentCode' | 'identification';

export interface LiveCredential {
  hash: Buffer;
  citizenId: string;
  /** What the first credential proved, decrypted; null for a payment code. */
  proof: string | null;
}

/** A new payment code: 20 digits, of which 18 are random. */
export async function makePaymentCode(
  tx: Tx,
  keyring: Keyring,
  order: { citizenId: string; now: Date },
): Promise<{ code: string; expiresAt: Date }> {
  const group = () => randomInt(1_000_000_000).toString().padStart(9, '0');
  const code = `68${group()}${group()}`;
  const expiresAt = new Date(order.now.getTime() + PAYMENT_CODE_MS);
  await tx.insert(oneTimeCredential).values({
    hash: hashOf(keyring, 'paymentCode', code),
    kind: 'paymentCode',
    citizenId: order.citizenId,
    expiresAt,
  });
  return { code, expiresAt };
}

/** A new identification for one terminal; `proof` is kept encrypted. */
export async function makeIdentification(
  tx: Tx,
  keyring: Keyring,
  order: { citizenId: string; terminalId: string; proof: string; now: Date },
): Promise<{ id: string; expiresAt: Date }> {
  const id = newId('identification');
  const expiresAt = new Date(order.now.getTime() + IDENTIFICATION_MS);
  await tx.insert(oneTimeCredential).values({
    hash: hashOf(keyring, 'identification', id),
    kind: 'identification',
    citizenId: order.citizenId,
    terminalId: order.terminalId,
    proof: keyring.seal(order.proof),
    expiresAt,
  });
  return { id, expiresAt };
}

/**
 * Looks a code up without using it. Refuses with identity/unknown (also another terminal's
 * identification), identity/already-used or identity/expired.
 */
export async function findOneTimeCredential(
  db: Db | Tx,
  keyring: Keyring,
  wanted: { kind: Kind; text: string; terminalId: string; now: Date },
): Promise<LiveCredential> {
  const hash = hashOf(keyring, wanted.kind, wanted.text);
  const [row] = await db.select().from(oneTimeCredential).where(eq(oneTimeCredential.hash, hash));
  if (!row || (row.terminalId !== null && row.terminalId !== wanted.terminalId)) {
    throw new Refusal('identity/unknown');
  }
  if (row.usedAt) throw new Refusal('identity/already-used');
  if (row.expiresAt <= wanted.now) throw new Refusal('identity/expired');
  return { hash, citizenId: row.citizenId, proof: row.proof ? keyring.open(row.proof) : null };
}

/** Uses it up in the caller's transaction. Refuses with identity/already-used when raced. */
export async function spendOneTimeCredential(tx: Tx, hash: Buffer, now: Date): Promise<void> {
  const spent = await tx
    .update(oneTimeCredential)
    .set({ usedAt: now })
    .where(and(eq(oneTimeCredential.hash, hash), isNull(oneTimeCredential.usedAt)))
    .returning({ hash: oneTimeCredential.hash });
  if (spent.length === 0) throw new Refusal('identity/already-used');
}

function hashOf(keyring: Keyring, kind: Kind, text: string): Buffer {
  return keyring.blindIndex(`${kind} ${text}`);
}
