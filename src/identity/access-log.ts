// Law: every look at a citizen's data by somebody else leaves a line that the citizen can read.
import type { Tx } from '../db/db.ts';
import { accessLog } from '../db/schema.ts';
import { newId } from '../ids.ts';

export interface Access {
  citizenId: string;
  /** The caller's client, e.g. "staff:finance-1" or a terminal's client id. */
  actor: string;
  hospitalCode?: string | null;
  /** What was done and why, e.g. "identification.made". */
  action: string;
  /** Real time. */
  at: Date;
}

/** Writes one line in the transaction that looks. */
export async function logAccess(tx: Tx, access: Access): Promise<void> {
  await tx.insert(accessLog).values({
    id: newId('accessLog'),
    citizenId: access.citizenId,
    actor: access.actor,
    hospitalCode: access.hospitalCode ?? null,
    action: access.action,
    at: access.at,
  });
}
