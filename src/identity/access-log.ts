// Law: every look at a citizen's data by somebody else leaves a line that the citizen can read.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { newId } from '../ids.ts';
import type { AccessAction } from './access-actions.ts';

export interface Access {
  citizenId: string;
  /** The caller's client, e.g. "staff:finance-1" or a terminal's client id; or `otherCitizen`. */
  actor: string;
  hospitalCode?: string | null;
  /** What was done and why, e.g. "identification.make". */
  action: AccessAction;
  /** Real time. */
  at: Date;
}

/** A client that polls is one look: the same one at the same thing within these minutes. */
const SAME_LOOK_MINUTES = 5;

/** The actor of a line about two people: the other one of them. */
export const otherCitizen = (citizenId: string): string => `citizen:${citizenId}`;

/** Writes lines in the transaction that looks. One statement. */
export async function logAccess(tx: Tx, ...accesses: Access[]): Promise<void> {
  if (accesses.length > 0) await rows(tx, accessLines(accesses, sql`(select 1) as once`));
}

/** `logAccess` as part of a larger statement: only if `from` has a row. */
export function accessLines(accesses: readonly Access[], from: SQL): SQL {
  const lines = accesses.map((access) => ({
    id: newId('accessLog'),
    citizen_id: access.citizenId,
    actor: access.actor,
    hospital_code: access.hospitalCode ?? null,
    action: access.action,
    at: access.at.toISOString(),
  }));
  return sql`
    insert into access_log (id, citizen_id, actor, hospital_code, action, at)
    select l.id, l.citizen_id, l.actor, l.hospital_code, l.action, l.at
    from ${from}, jsonb_to_recordset(${JSON.stringify(lines)}::jsonb) as l(id text,
      citizen_id text, actor text, hospital_code text, action text, at timestamptz)`;
}

export interface Look {
  actor: string;
  hospitalCode: string | null;
  action: AccessAction;
  /** Real time. */
  at: Date;
}

/**
 * Writes one line for each citizen looked at, in one statement that needs no transaction, so that a read
 * may send it beside its own queries. Repeated by a polling client it writes nothing.
 */
export async function logLooks(
  db: Db | Tx,
  citizenIds: readonly (string | null)[],
  look: Look,
): Promise<void> {
  const looked = [...new Set(citizenIds)].flatMap((citizenId) =>
    citizenId === null ? [] : [{ id: newId('accessLog'), citizen_id: citizenId }],
  );
  if (looked.length === 0) return;
  const at = sql`${look.at.toISOString()}::timestamptz`;
  await rows(
    db,
    sql`
    insert into access_log (id, citizen_id, actor, hospital_code, action, at)
    select seen.id, seen.citizen_id, ${look.actor}, ${look.hospitalCode}, ${look.action}, ${at}
    from jsonb_to_recordset(${JSON.stringify(looked)}::jsonb) as seen(id text, citizen_id text)
    where not exists (
      select from access_log l
      where l.citizen_id = seen.citizen_id
        and l.at > ${at} - make_interval(mins => ${SAME_LOOK_MINUTES}::int)
        and l.at <= ${at} and l.actor = ${look.actor} and l.action = ${look.action}
    )`,
  );
}

/** The same for the patients of settlements. */
export async function logLooksAtBills(
  db: Db | Tx,
  settlementIds: readonly string[],
  look: Look,
): Promise<void> {
  if (settlementIds.length === 0) return;
  const found = await rows<{ citizen_id: string | null }>(
    db,
    sql`
    select s.citizen_id from settlement s
    join jsonb_array_elements_text(${JSON.stringify(settlementIds)}::jsonb) as wanted(id)
      on wanted.id = s.id`,
  );
  const patients = found.map((row) => row.citizen_id);
  await logLooks(db, patients, look);
}
