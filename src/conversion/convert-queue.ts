// The queue of conversions: oldest first, fair between hospitals, one run at a time on a settlement.
// Law: a conversion is claimed under the locks of its visit and settlement, in a short transaction.
import { and, eq, sql } from 'drizzle-orm';
import { rows, type Tx, transact } from '../db/db.ts';
import { conversion } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import type { RouteName } from '../insurance/insurer.ts';
import { beginIntent, type Intent, refuseWhileBusy } from '../settlement/intent-store.ts';
import { lockSettlement } from '../settlement/settlement-store.ts';
import { lockVisit } from '../visit/visit-store.ts';

/** A conversion run is done or given up well within this; then another process may take over. */
const LEASE_SECONDS = 60;
/** A settlement that is being refunded is looked at again after this long. */
const BUSY_SECONDS = 2;

export type ConversionRow = typeof conversion.$inferSelect;

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
  row: ConversionRow;
  intent: Intent;
}

/** Claims one for this process; null when another has it or its settlement is busy. */
export async function takeConversion(deps: Deps, due: Waiting): Promise<TakenConversion | null> {
  try {
    return await transact(deps.db, (tx) => take(tx, deps, due));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await postpone(deps, due.id, BUSY_SECONDS);
    return null;
  }
}

async function take(tx: Tx, deps: Deps, due: Waiting): Promise<TakenConversion | null> {
  await lockVisit(tx, due.visit_id, due.hospital_code);
  await lockSettlement(tx, due.settlement_id, due.hospital_code);
  await refuseWhileBusy(tx, due.settlement_id);
  const [row] = await tx
    .update(conversion)
    .set({ status: 'claiming', tries: sql`tries + 1` })
    .where(sql`id = ${due.id} and status = 'queued'`)
    .returning();
  if (!row) return null;
  const intent = await beginIntent(tx, deps.keyring, {
    kind: 'convert',
    visitId: due.visit_id,
    settlementId: due.settlement_id,
    key: null,
    order: { conversionId: due.id, hospitalCode: due.hospital_code },
    leaseSeconds: LEASE_SECONDS,
  });
  return { row, intent };
}

async function postpone(deps: Deps, conversionId: string, seconds: number): Promise<void> {
  await deps.db
    .update(conversion)
    .set({ nextAttemptAt: sql`clock_timestamp() + make_interval(secs => ${seconds})` })
    .where(and(eq(conversion.id, conversionId), eq(conversion.status, 'queued')));
}
