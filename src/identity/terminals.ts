// Hospital terminals: registered with a public key only, revoked at once.
import { and, asc, eq, gt, isNull, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { hospital, terminal } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { importPublicKey, publicKeyOf } from './public-keys.ts';

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
  order: NewTerminal & { ownHospital?: string | null },
): Promise<{ id: string; clientId: string }> {
  if (order.ownHospital && order.ownHospital !== order.hospitalCode) {
    throw new Refusal('access/forbidden');
  }
  const jwk = publicKeyOf(order.jwk);
  if (!jwk || !(await importPublicKey(jwk))) {
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

/** An admin of one hospital (`ownHospital`) sees and changes only its terminals. */
const within = (ownHospital: string | null | undefined) =>
  ownHospital ? eq(terminal.hospitalCode, ownHospital) : undefined;

/** Revokes a terminal; its tokens fail from the next request on. 404 when there is none. */
export async function revokeTerminal(
  tx: Tx,
  order: { terminalId: string; at: Date; ownHospital?: string | null },
): Promise<void> {
  const { terminalId, at, ownHospital } = order;
  const [row] = await tx
    .update(terminal)
    .set({ revokedAt: sql`coalesce(${terminal.revokedAt}, ${at.toISOString()}::timestamptz)` })
    .where(and(eq(terminal.id, terminalId), within(ownHospital)))
    .returning({ id: terminal.id });
  if (!row) throw new Refusal('resource/not-found');
}

/** Terminals by id, `limit` of them after `afterId`. */
export function listTerminals(
  db: Db,
  { afterId, limit, ownHospital }: { afterId: string; limit: number; ownHospital: string | null },
) {
  return db
    .select()
    .from(terminal)
    .where(and(gt(terminal.id, afterId), within(ownHospital)))
    .orderBy(asc(terminal.id))
    .limit(limit);
}

/** Revokes whatever terminals a hospital has. */
export async function revokeTerminalsOf(tx: Tx, hospitalCode: string, at: Date): Promise<void> {
  const isItsOwn = and(eq(terminal.hospitalCode, hospitalCode), isNull(terminal.revokedAt));
  await tx.update(terminal).set({ revokedAt: at }).where(isItsOwn);
}

/** Refuses with visit/hospital-unknown, also for one whose contract has ended. */
export async function refuseUnknownHospital(tx: Tx | Db, code: string): Promise<void> {
  const [row] = await tx
    .select({ code: hospital.code })
    .from(hospital)
    .where(and(eq(hospital.code, code), isNull(hospital.leftAt)));
  if (!row)
    throw new Refusal('visit/hospital-unknown', { detail: `医院不存在 No hospital ${code}` });
}
