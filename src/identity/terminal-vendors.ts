// Makers of counter terminals whose signed assertions (face, NFC) we believe: registered with public
// keys only, revoked at once. Law: one issuer is one vendor; after a revocation only new keys count.
import { and, asc, eq, gt, isNotNull, isNull, sql } from 'drizzle-orm';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Db, Tx } from '../db/db.ts';
import { terminalVendor } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { importPublicKey, publicKeyOf } from './public-keys.ts';

export interface NewVendor {
  issuer: string;
  name: string;
  /** Public Ed25519 or P-256 keys, JWK; more than one while a vendor changes its keys. */
  keys: readonly unknown[];
  at: Date;
}

export type VendorRow = typeof terminalVendor.$inferSelect;

/**
 * Registers a vendor. A revoked one may come back, with the keys given now and no others. Refuses with
 * vendor/key-invalid and vendor/issuer-taken.
 */
export async function registerVendor(tx: Tx, order: NewVendor): Promise<VendorRow> {
  const keys = await Promise.all(order.keys.map(readKey));
  const values = { name: order.name, keys, createdAt: order.at, revokedAt: null };
  const [row] = await tx
    .insert(terminalVendor)
    .values({ id: newId('terminalVendor'), issuer: order.issuer, ...values })
    .onConflictDoUpdate({
      target: terminalVendor.issuer,
      set: values,
      setWhere: isNotNull(terminalVendor.revokedAt),
    })
    .returning();
  if (!row) throw new Refusal('vendor/issuer-taken');
  return row;
}

/** Revokes a vendor; its assertions fail from the next one on. 404 when there is none. */
export async function revokeVendor(tx: Tx, vendorId: string, at: Date): Promise<void> {
  const [row] = await tx
    .update(terminalVendor)
    .set({
      revokedAt: sql`coalesce(${terminalVendor.revokedAt}, ${at.toISOString()}::timestamptz)`,
    })
    .where(eq(terminalVendor.id, vendorId))
    .returning({ id: terminalVendor.id });
  if (!row) throw new Refusal('resource/not-found');
}

/** Vendors by id, `limit` of them after `afterId`. */
export function listVendors(db: Db, afterId: string, limit: number): Promise<VendorRow[]> {
  return db
    .select()
    .from(terminalVendor)
    .where(gt(terminalVendor.id, afterId))
    .orderBy(asc(terminalVendor.id))
    .limit(limit);
}

/** The keys of an unrevoked vendor, as stored; null when there is no such issuer. */
export async function keysOfVendor(db: Db, issuer: string): Promise<JWK[] | null> {
  const [row] = await db
    .select({ keys: terminalVendor.keys })
    .from(terminalVendor)
    .where(and(eq(terminalVendor.issuer, issuer), isNull(terminalVendor.revokedAt)));
  return row ? (row.keys as JWK[]) : null;
}

/** The vendor as an admin sees it. */
export function vendorView(row: VendorRow) {
  return {
    id: row.id,
    issuer: row.issuer,
    name: row.name,
    keys: row.keys as JWK[],
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
  };
}

const KID = /^[\x21-\x7e]{1,200}$/;

/** Only the public members, under the vendor's own kid, else under the key's thumbprint. */
async function readKey(jwk: unknown, index: number): Promise<JWK> {
  const key = publicKeyOf(jwk);
  if (!key || !(await importPublicKey(key))) {
    throw new Refusal('vendor/key-invalid', {
      errors: [{ pointer: `/keys/${index}`, detail: 'expects a public Ed25519 or P-256 key' }],
    });
  }
  const { kid } = jwk as { kid?: unknown };
  const isNamed = typeof kid === 'string' && KID.test(kid);
  return { ...key, kid: isNamed ? kid : await calculateJwkThumbprint(key) };
}
