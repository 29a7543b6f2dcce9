// Small reads and the one small write of people and access.
import { and, asc, desc, eq, gt, isNull, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { accessLog, citizen, hospital } from '../db/schema.ts';
import { olderThan } from '../http/paging.ts';
import { explainAccess } from './access-actions.ts';
import { maskName } from './id-number.ts';
import type { Keyring } from './keyring.ts';

/** Hospitals that take part, by code, `limit` of them after `afterCode`. */
export function listHospitals(db: Db, afterCode: string, limit: number) {
  const { code, name, level, region } = hospital;
  return db
    .select({ code, name, level, region })
    .from(hospital)
    .where(and(gt(hospital.code, afterCode), isNull(hospital.leftAt)))
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

/** Who looked at a citizen's data, what for, newest first, after (time, id). Names masked. */
export async function listAccesses(
  deps: { db: Db; keyring: Keyring },
  citizenId: string,
  after: readonly [string, string] | null,
  limit: number,
) {
  const isOlder = olderThan(accessLog, after);
  const found = await deps.db
    .select({ log: accessLog, hospitalName: hospital.name, otherName: citizen.name })
    .from(accessLog)
    .leftJoin(hospital, eq(hospital.code, accessLog.hospitalCode))
    .leftJoin(citizen, eq(citizen.id, otherOf(accessLog.actor)))
    .where(and(eq(accessLog.citizenId, citizenId), isOlder))
    .orderBy(desc(accessLog.at), desc(accessLog.id))
    .limit(limit);
  return found.map(({ log, hospitalName, otherName }) => {
    const other = otherName ? maskName(deps.keyring.open(otherName)) : null;
    return {
      id: log.id,
      at: log.at.toISOString(),
      who: whoOf(log, hospitalName, other),
      ...explainAccess(log.action, other),
      actor: log.actor,
      hospital: log.hospitalCode ? { code: log.hospitalCode, name: hospitalName ?? '' } : null,
      action: log.action,
    };
  });
}

/** The citizen that an actor stands for; null when it is a terminal or a member of staff. */
const otherOf = (actor: typeof accessLog.actor) =>
  sql`case when ${actor} like 'citizen:%' then substr(${actor}, 9) end`;

function whoOf(
  { actor, action, citizenId }: { actor: string; action: string; citizenId: string },
  hospitalName: string | null,
  other: string | null,
): string {
  if (action === 'visit.asProxy' || actor === `citizen:${citizenId}`) return '您本人 You';
  if (other && !action.startsWith('visit.')) return `${other} 家人 Relative`;
  if (other) return `${other} 代办人 Proxy`;
  const place = hospitalName ?? '本市 The city';
  return /^(staff|lender):/.test(actor) ? `${place} 工作人员 Staff` : `${place} 终端 Terminal`;
}
