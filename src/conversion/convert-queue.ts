// The queue of conversions: oldest first, fair between hospitals, one run at a time on a settlement.
// Law: a conversion is claimed under the locks of its visit and settlement, in a short transaction.
import { and, eq, sql } from 'drizzle-orm';
import { rows, violatedConstraint } from '../db/db.ts';
import { conversion } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { draftIntent, type Intent } from '../settlement/intent-store.ts';

/** A conversion run is done or given up well within this; then another process may take over. */
const LEASE_SECONDS = 60;
/** A settlement that is being refunded is looked at again after this long. */
const BUSY_SECONDS = 2;

interface Waiting {
  id: string;
  settlement_id: string;
  visit_id: string;
  hospital_code: string;
}

/** Ids of conversions that are due on a route: every hospital's oldest before anybody's second. */
export function dueConversions(deps: Deps, route: RouteName, limit: number): Promise<Waiting[]> {
  return rows<Waiting>(
    deps.db,
    sql`
    select c.id, c.settlement_id, s.visit_id, c.hospital_code
    from (
      select id, settlement_id, hospital_code, created_at,
        row_number() over (partition by hospital_code order by created_at, id) as turn
      from conversion
      where status = 'queued' and route = ${route} and next_attempt_at <= clock_timestamp()
    ) c join settlement s on s.id = c.settlement_id
    order by c.turn, c.created_at limit ${limit}`,
  );
}

export interface TakenConversion {
  row: {
    id: string;
    settlementId: string;
    hospitalCode: string;
    /** The queue it was taken from. */
    route: string;
    outageId: string | null;
    /** Counts this one. */
    tries: number;
    unknownMsgid: string | null;
    unknownSince: Date | null;
    brokenClaims: number;
    confirmedAt: Date | null;
  };
  intent: Intent;
}

interface TakenRow {
  route: string;
  outage_id: string | null;
  tries: number;
  unknown_msgid: string | null;
  unknown_since: string | null;
  broken_claims: number;
  confirmed_at: string | null;
  created_at: string;
}

/** Claims one for this process; null when another has it or its settlement is busy. */
export async function takeConversion(deps: Deps, due: Waiting): Promise<TakenConversion | null> {
  try {
    return await take(deps, due);
  } catch (error) {
    // A refund runs on this settlement.
    if (violatedConstraint(error) !== 'intent_one_on_settlement') throw error;
    await postpone(deps, due.id, BUSY_SECONDS);
    return null;
  }
}

/** In one statement: the locks of visit and settlement in their order, the claim, and its intent. */
async function take(deps: Deps, due: Waiting): Promise<TakenConversion | null> {
  const draft = draftIntent(deps.keyring, {
    kind: 'convert',
    visitId: due.visit_id,
    settlementId: due.settlement_id,
    key: null,
    order: { conversionId: due.id, hospitalCode: due.hospital_code },
    leaseSeconds: LEASE_SECONDS,
  });
  const [row] = await rows<TakenRow>(
    deps.db,
    sql`
    with locked_visit as materialized (
      select id from visit where id = ${due.visit_id} for update
    ),
    locked as materialized (
      select s.id from settlement s join locked_visit v on v.id = s.visit_id
      where s.id = ${due.settlement_id} for update of s
    ),
    taken as (
      update conversion c set status = 'claiming', tries = tries + 1 from locked
      where c.id = ${due.id} and c.settlement_id = locked.id and c.status = 'queued'
      returning c.route, c.outage_id, c.tries, c.unknown_msgid, c.unknown_since, c.broken_claims,
        c.confirmed_at
    ),
    begun as (${draft.insertFor(sql`taken`)})
    select taken.*, begun.created_at from taken, begun`,
  );
  if (!row) return null;
  return {
    row: {
      id: due.id,
      settlementId: due.settlement_id,
      hospitalCode: due.hospital_code,
      route: row.route,
      outageId: row.outage_id,
      tries: row.tries,
      unknownMsgid: row.unknown_msgid,
      unknownSince: row.unknown_since ? new Date(row.unknown_since) : null,
      brokenClaims: row.broken_claims,
      confirmedAt: row.confirmed_at ? new Date(row.confirmed_at) : null,
    },
    intent: draft.begun(new Date(row.created_at)),
  };
}

async function postpone(deps: Deps, conversionId: string, seconds: number): Promise<void> {
  await deps.db
    .update(conversion)
    .set({ nextAttemptAt: sql`clock_timestamp() + make_interval(secs => ${seconds})` })
    .where(and(eq(conversion.id, conversionId), eq(conversion.status, 'queued')));
}
