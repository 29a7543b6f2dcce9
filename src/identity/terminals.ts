// Hospital terminals: registered with a public key only, revoked at once.
import { asc, eq, gt, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { hospital, terminal } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { importTerminalKey, publicKeyOf } from './client-assertions.ts';

export interface NewTerminal {
  hospitalCode: string;
  name: string;
  jwk: unknown;
}

/**
 * Registers a terminal. Refuses with terminal/key-invalid (private, symmetric or of another kind
 * than Ed25519 and P-256) and visit/hospital-unknown.
 */
export async function registerTerminal(
  tx: Tx,
  order: NewTerminal,
): Promise<{ id: string; clientId: string }> {
  const jwk = publicKeyOf(order.jwk);
  if (!jwk || !(await importTerminalKey(jwk))) {
    throw new Refusal('terminal/key-invalid', {
      errors: [{ pointer: '/jwk', detail: 'expects a public Ed25519 or P-256 key' }],
    });
  }
  await refuseUnknownHospital(tx, order.hospitalCode);
  const id = newId('terminal');
  await tx
    .insert(terminal)
    .values({ id, clientId: id, hospitalCode: order.hospitalCode, name: order.name, jwk });
  return { id, clientId: id };
}

/** Revokes a terminal; its tokens fail from the next request on. 404 when there is none. */
export async function revokeTerminal(tx: Tx, terminalId: string, at: Date): Promise<void> {
  const [row] = await tx
    .update(terminal)
    .set({ revokedAt: sql`coalesce(${terminal.revokedAt}, ${at.toISOString()}::timestamptz)` })
    .where(eq(terminal.id, terminalId))
    .returning({ id: terminal.id });
  if (!row) throw new Refusal('resource/not-found');
}

/** Terminals by id, `limit` of them after `afterId`. */
export function listTerminals(db: Db, afterId: string, limit: number) {
  return db
    .select()
    .from(terminal)
    .where(gt(terminal.id, afterId))
    .orderBy(asc(terminal.id))
    .limit(limit);
}

/** Refuses with visit/hospital-unknown. */
export async function refuseUnknownHospital(tx: Tx | Db, code: string): Promise<void> {
  const [row] = await tx
    .select({ code: hospital.code })
    .from(hospital)
    .where(eq(hospital.code, code));
  if (!row)
    throw new Refusal('visit/hospital-unknown', { detail: `医院不存在 No hospital ${code}` });
}
