// Intents: what was meant before the network was called, who is at it, and until when. Law: one
// running intent a visit, and only the holder of its lease token may finish it.
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { intent } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { RequestKey } from '../http/idempotency.ts';
import type { Keyring } from '../identity/keyring.ts';
import { newId } from '../ids.ts';

/** A counter request is done or given up well within this; the same key then takes over. */
export const LEASE_SECONDS = 10;

/** A run taken over after a crash first learns the truth, which may take longer. */
const TAKEN_OVER_SECONDS = 40;

export type IntentKind = 'settle' | 'oneScan' | 'preview' | 'refund' | 'convert';

export interface Intent {
  id: string;
  kind: IntentKind;
  visitId: string;
  settlementId: string | null;
  leaseToken: string;
  key: { client: string; key: string } | null;
  /** The order, as sealed by whoever began it. */
  order: unknown;
  createdAt: Date;
  /** True when somebody else began it: stored messages and answers must be looked at first. */
  isResumed: boolean;
}

type IntentRow = typeof intent.$inferSelect;

export interface NewIntent {
  kind: IntentKind;
  visitId: string;
  settlementId: string | null;
  key: RequestKey | null;
  order: unknown;
  leaseSeconds?: number;
}

/** Records a new running intent with a lease. The visit is locked, so there is no other. */
export async function beginIntent(tx: Tx, keyring: Keyring, order: NewIntent): Promise<Intent> {
  const draft = draftIntent(keyring, order);
  const [row] = await rows<{ created_at: string }>(tx, draft.insertFor(sql`(select 1) as once`));
  return draft.begun(new Date(row!.created_at));
}

/** A running intent as part of a larger statement: one for each row of `from`, returning created_at. */
export function draftIntent(keyring: Keyring, order: NewIntent) {
  const { kind, visitId, settlementId, key } = order;
  const id = newId('intent');
  const leaseToken = newId('intent');
  const request = keyring.seal(JSON.stringify(order.order));
  const seconds = order.leaseSeconds ?? LEASE_SECONDS;
  return {
    insertFor: (from: SQL) => sql`
      insert into intent (id, kind, status, visit_id, settlement_id, request, client, key,
        lease_token, lease_until)
      select ${id}::text, ${kind}::text, 'running', ${visitId}::text, ${settlementId}::text,
        ${request}::bytea, ${key?.client ?? null}::text, ${key?.key ?? null}::text,
        ${leaseToken}::text, clock_timestamp() + make_interval(secs => ${seconds}) from ${from}
      returning created_at`,
    begun: (createdAt: Date): Intent => ({
      ...{ id, kind, visitId, settlementId, leaseToken, createdAt },
      key: key ? { client: key.client, key: key.key } : null,
      order: order.order,
      isResumed: false,
    }),
  };
}

function readIntent(row: IntentRow, keyring: Keyring, isResumed: boolean): Intent {
  return {
    id: row.id,
    kind: row.kind as IntentKind,
    visitId: row.visitId,
    settlementId: row.settlementId,
    leaseToken: row.leaseToken,
    key: row.client && row.key ? { client: row.client, key: row.key } : null,
    order: JSON.parse(keyring.open(row.request)),
    createdAt: row.createdAt,
    isResumed,
  };
}

/**
 * One run at a time at the counter: refuses while the visit is settled or previewed. A preview whose
 * process died is ended: it moved nothing.
 */
export async function refuseWhileAtCounter(tx: Tx, visitId: string): Promise<void> {
  const [running] = await rows(
    tx,
    sql`
    with ended as (
      update intent set status = 'undone', finished_at = clock_timestamp()
      where visit_id = ${visitId} and status = 'running' and kind = 'preview'
        and lease_until < clock_timestamp() returning id
    )
    select 1 from intent
    where visit_id = ${visitId} and status = 'running' and kind not in ('refund', 'convert')
      and id not in (select id from ended)`,
  );
  if (running) throw new Refusal('visit/settling', { retryAfterSeconds: 1 });
}

/** One run at a time on a settlement: refuses while it is refunded or converted. */
export async function refuseWhileBusy(tx: Tx, settlementId: string): Promise<void> {
  const [row] = await tx
    .select({ id: intent.id })
    .from(intent)
    .where(
      and(
        eq(intent.settlementId, settlementId),
        eq(intent.status, 'running'),
        inArray(intent.kind, ['refund', 'convert']),
      ),
    );
  if (row) throw new Refusal('settlement/busy', { retryAfterSeconds: 2 });
}

/** The running intent that this key began and whose lease ran out; the caller becomes its holder. */
export async function takeOverOwn(
  tx: Tx,
  keyring: Keyring,
  key: RequestKey | null,
): Promise<Intent | null> {
  if (!key) return null;
  return takeOver(
    tx,
    keyring,
    sql`client = ${key.client} and key = ${key.key}
    and lease_until < clock_timestamp()`,
  );
}

/** True while somebody, a worker perhaps, is at what this key began: the reply is still to come. */
export async function isKeyAtWork(tx: Tx, key: RequestKey): Promise<boolean> {
  const found = await rows(
    tx,
    sql`
    select 1 from intent
    where client = ${key.client} and key = ${key.key} and status = 'running'`,
  );
  return found.length > 0;
}

/** One orphaned intent by id, if its lease ran out. */
export async function takeOverOrphan(tx: Tx, keyring: Keyring, id: string): Promise<Intent | null> {
  return takeOver(tx, keyring, sql`id = ${id} and lease_until < clock_timestamp()`);
}

async function takeOver(tx: Tx, keyring: Keyring, which: ReturnType<typeof sql>) {
  const taken = await rows<{ id: string }>(
    tx,
    sql`
    update intent set lease_token = ${newId('intent')},
      lease_until = clock_timestamp() + make_interval(secs => ${TAKEN_OVER_SECONDS})
    where status = 'running' and ${which} returning id`,
  );
  if (!taken[0]) return null;
  const [row] = await tx.select().from(intent).where(eq(intent.id, taken[0].id));
  return row ? readIntent(row, keyring, true) : null;
}

/** Ends a running intent. False when the lease was taken over: the caller must do nothing more. */
export async function endIntent(
  tx: Tx,
  held: Pick<Intent, 'id' | 'leaseToken'>,
  status: 'finished' | 'undone',
): Promise<boolean> {
  const ended = await rows(tx, endingOf(held, status));
  return ended.length > 0;
}

/** `endIntent` as part of a larger statement; returns a row when it was ours to end. */
export function endingOf(
  held: Pick<Intent, 'id' | 'leaseToken'>,
  status: 'finished' | 'undone',
): SQL {
  return sql`
    update intent set status = ${status}, finished_at = clock_timestamp()
    where id = ${held.id} and lease_token = ${held.leaseToken} and status = 'running' returning 1`;
}

/** A query that locks the intent, if it is still ours: guards a message that cannot be taken back. */
export function stillHeld(held: Pick<Intent, 'id' | 'leaseToken'>): SQL {
  return sql`
    select 1 from intent where id = ${held.id} and lease_token = ${held.leaseToken}
      and status = 'running' for update`;
}

/** As `stillHeld`, for a message that is waited for longer than the lease: renews it. */
export function renewed(held: Pick<Intent, 'id' | 'leaseToken'>, seconds: number): SQL {
  return sql`
    update intent
    set lease_until = greatest(lease_until, clock_timestamp() + make_interval(secs => ${seconds}))
    where id = ${held.id} and lease_token = ${held.leaseToken} and status = 'running' returning 1`;
}

/** Keeps an intent running for later: nobody takes it over before `seconds` from now. */
export async function parkIntent(
  tx: Tx,
  held: Pick<Intent, 'id' | 'leaseToken'>,
  seconds: number,
): Promise<void> {
  await rows(
    tx,
    sql`
    update intent set lease_until = clock_timestamp() + make_interval(secs => ${seconds})
    where id = ${held.id} and lease_token = ${held.leaseToken} and status = 'running'`,
  );
}
