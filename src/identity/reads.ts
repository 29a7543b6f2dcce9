// Small reads and the one small write of people and access.
import { and, asc, desc, eq, gt, lt, or } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { accessLog, citizen, hospital } from '../db/schema.ts';

/** Hospitals by code, `limit` of them after `afterCode`. */
export function listHospitals(db: Db, afterCode: string, limit: number) {
  return db
    .select()
    .from(hospital)
    .where(gt(hospital.code, afterCode))
    .orderBy(asc(hospital.code))
    .limit(limit);
}

/** 个账授权: the patient's own wish, taken over by visits that say nothing else. */
export async function authoriseAccounts(
  tx: Tx,
  citizenId: string,
  wish: { personalAccount: boolean; familyAccount: boolean },
): Promise<void> {
  await tx
    .update(citizen)
    .set({ usePersonalAccount: wish.personalAccount, useFamilyAccount: wish.familyAccount })
    .where(eq(citizen.id, citizenId));
}

/** Who looked at a citizen's data, newest first, after (time, id). */
export async function listAccesses(
  db: Db,
  citizenId: string,
  after: readonly [string, string] | null,
  limit: number,
) {
  const at = after ? new Date(after[0]) : null;
  const isLater =
    at && after
      ? or(lt(accessLog.at, at), and(eq(accessLog.at, at), lt(accessLog.id, after[1])))
      : undefined;
  const found = await db
    .select({ log: accessLog, hospitalName: hospital.name })
    .from(accessLog)
    .leftJoin(hospital, eq(hospital.code, accessLog.hospitalCode))
    .where(and(eq(accessLog.citizenId, citizenId), isLater))
    .orderBy(desc(accessLog.at), desc(accessLog.id))
    .limit(limit);
  return found.map(({ log, hospitalName }) => ({
    id: log.id,
    at: log.at.toISOString(),
    actor: log.actor,
    hospital: log.hospitalCode ? { code: log.hospitalCode, name: hospitalName ?? '' } : null,
    action: log.action,
  }));
}
