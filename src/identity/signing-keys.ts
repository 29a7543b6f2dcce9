// Our own signing keys (Ed25519), one a purpose, made once and shared by all processes.
// The private JWK is encrypted at rest and leaves the database only into a non-extractable key.
import { eq, sql } from 'drizzle-orm';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { type Db, type Tx, transact } from '../db/db.ts';
import { signingKey } from '../db/schema.ts';
import type { Keyring } from './keyring.ts';

export type KeyPurpose =
  | 'accessToken'
  | 'sandboxIssuer:citizen'
  | 'sandboxIssuer:staff'
  | 'sandboxVendor';
type PrivateKey = Exclude<Awaited<ReturnType<typeof importJWK>>, Uint8Array>;

export interface SigningKey {
  kid: string;
  privateKey: PrivateKey;
  /** Public members with kid, alg and use, as published. */
  publicJwk: JWK;
}

export const SIGNING_ALGORITHM = 'EdDSA';

const cache = new WeakMap<Db, Map<KeyPurpose, Promise<SigningKey>>>();

/** The signing key of a purpose; made by whoever asks first, remembered by this process. */
export function signingKeyOf(
  deps: { db: Db; keyring: Keyring },
  purpose: KeyPurpose,
): Promise<SigningKey> {
  const keys = cache.get(deps.db) ?? new Map<KeyPurpose, Promise<SigningKey>>();
  cache.set(deps.db, keys);
  const known = keys.get(purpose);
  if (known) return known;
  const loading = transact(deps.db, (tx) => loadOrMake(tx, deps.keyring, purpose));
  keys.set(purpose, loading);
  loading.catch(() => keys.delete(purpose));
  return loading;
}

async function loadOrMake(tx: Tx, keyring: Keyring, purpose: KeyPurpose): Promise<SigningKey> {
  // Two processes that start together must not make two keys; the lock ends with the transaction.
  const lock = `signing_key ${purpose}`;
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`);
  const [row] = await tx
    .select()
    .from(signingKey)
    .where(eq(signingKey.purpose, purpose))
    .orderBy(signingKey.createdAt)
    .limit(1);
  if (row) {
    const privateJwk = JSON.parse(keyring.open(row.privateJwk)) as JWK;
    return usable(row.kid, privateJwk, row.publicJwk as JWK);
  }
  const pair = await generateKeyPair(SIGNING_ALGORITHM, { crv: 'Ed25519', extractable: true });
  const bare = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(bare);
  const publicJwk: JWK = { ...bare, kid, alg: SIGNING_ALGORITHM, use: 'sig' };
  const privateJwk = await exportJWK(pair.privateKey);
  await tx.insert(signingKey).values({
    kid,
    purpose,
    publicJwk,
    privateJwk: keyring.seal(JSON.stringify(privateJwk)),
  });
  return usable(kid, privateJwk, publicJwk);
}

async function usable(kid: string, privateJwk: JWK, publicJwk: JWK): Promise<SigningKey> {
  const privateKey = await importJWK(privateJwk, SIGNING_ALGORITHM, { extractable: false });
  if (privateKey instanceof Uint8Array) throw new Error(`signing key ${kid} is not asymmetric`);
  return { kid, privateKey, publicJwk };
}
