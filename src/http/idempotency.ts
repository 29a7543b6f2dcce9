// Law: one key, one effect. The reply is stored in the transaction that finishes the work, so a
// crash can lose both or neither. Keys are scoped by client and kept at least 7 days.
import { type SQL, sql } from 'drizzle-orm';
import { atEnd, type Db, RetryTransaction, rows, type Tx, transact } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { problemOf } from './problem.ts';
import type { Reply } from './route.ts';

/** A request's key and what it stands for; `hash` covers method, path and canonical parsed body. */
export interface RequestKey {
  client: string;
  key: string;
  hash: Buffer;
}

interface KeyRow {
  request_hash: Buffer;
  status: number | null;
  content_type: string | null;
  body: string | null;
  is_leased: boolean | null;
}

/** Statuses whose reply is kept; for all others the key stays free. */
const STORED_STATUSES = new Set([402, 404, 409, 422]);
/** 409s that say "not now", which must not be kept. */
const PASSING_CODES = new Set(['idempotency/in-flight', 'visit/settling', 'settlement/busy']);

/**
 * Runs a use case of one transaction under the request's key: the stored reply if there is one,
 * 409 in-flight while another request with the key runs, else `work` and its reply saved with it.
 */
export function once(
  call: { deps: { db: Db }; key: RequestKey | null },
  work: (tx: Tx) => Promise<Reply>,
): Promise<Reply> {
  return transact(call.deps.db, async (tx) => {
    if (!call.key) return work(tx);
    const stored = await takeKey(tx, call.key);
    if (stored) return stored;
    const reply = await work(tx);
    await finishKey(tx, call.key, reply);
    return reply;
  });
}

/** What is known of a key: the stored reply, or that somebody began its work and let its lease run out. */
export interface KeySeen {
  reply: Reply | null;
  isAbandoned: boolean;
}

const NEVER_SEEN: KeySeen = { reply: null, isAbandoned: false };

/**
 * Takes the key for the rest of this transaction. Returns the stored reply if there is one.
 * Refuses with idempotency/key-reused or idempotency/in-flight.
 */
export async function takeKey(tx: Tx, key: RequestKey): Promise<Reply | null> {
  const [row] = await rows<KeyRow & { got: boolean }>(
    tx,
    sql`
    select pg_try_advisory_xact_lock(hashtextextended(${key.client} || ' ' || ${key.key}, 0)) as got,
      k.request_hash, k.status, k.content_type, k.body, k.lease_until > clock_timestamp() as is_leased
    from (select 1) one
    left join idempotency_key k on k.client = ${key.client} and k.key = ${key.key}`,
  );
  const { reply } = row?.request_hash ? readSeen(row, key) : NEVER_SEEN;
  if (!reply && !row?.got) throw inFlight();
  return reply;
}

/** The stored reply of a finished key without taking it; use before network calls. */
export async function peekKey(db: Db, key: RequestKey | null): Promise<Reply | null> {
  return (await lookAtKey(db, key)).reply;
}

/** As `peekKey`, and tells whether work of several transactions was begun under it. */
export async function lookAtKey(db: Db, key: RequestKey | null): Promise<KeySeen> {
  if (!key) return NEVER_SEEN;
  const [row] = await rows<KeyRow>(
    db,
    sql`
    select request_hash, status, content_type, body, lease_until > clock_timestamp() as is_leased
    from idempotency_key where client = ${key.client} and key = ${key.key}`,
  );
  return row ? readSeen(row, key) : NEVER_SEEN;
}

/** For work of several transactions: marks the key as running until `leaseSeconds` from now. */
export async function leaseKey(tx: Tx, key: RequestKey, leaseSeconds: number): Promise<void> {
  const leased = await rows(tx, leaseOfKey(key, leaseSeconds, sql`(select 1) as once`));
  // Somebody with the same key committed between our look and now: look again.
  if (leased.length === 0) throw new RetryTransaction();
}

/**
 * `leaseKey` as part of a larger statement: only if `from` has a row. Returns no row when the key is
 * finished or stands for another request by now: then the transaction must be run again.
 */
export function leaseOfKey(key: RequestKey, leaseSeconds: number, from: SQL): SQL {
  return sql`${insertLease(key, leaseSeconds, from)}
    on conflict (client, key) do update set lease_until = excluded.lease_until
    where idempotency_key.status is null
      and idempotency_key.request_hash = excluded.request_hash
    returning 1`;
}

/**
 * Takes the key by its lease, as part of a larger statement: returns a row unless another request has
 * it, has finished it, or made it stand for something else; then keepRefusal says which.
 */
export function takeByLease(key: RequestKey, leaseSeconds: number): SQL {
  return sql`${insertLease(key, leaseSeconds, sql`(select 1) as once`)}
    on conflict (client, key) do update set lease_until = excluded.lease_until
    where idempotency_key.status is null
      and idempotency_key.request_hash = excluded.request_hash
      and idempotency_key.lease_until < clock_timestamp()
    returning 1`;
}

function insertLease(key: RequestKey, leaseSeconds: number, from: SQL): SQL {
  return sql`
    insert into idempotency_key (client, key, request_hash, lease_until)
    select ${key.client}::text, ${key.key}::text, ${key.hash}::bytea,
      clock_timestamp() + make_interval(secs => ${leaseSeconds}) from ${from}`;
}

/** Saves the reply in the transaction that finishes the work. */
export async function finishKey(tx: Tx, key: RequestKey, reply: Reply): Promise<void> {
  const isProblem = reply.status >= 400;
  const text = reply.body === undefined ? '' : JSON.stringify(reply.body);
  const saved = await rows(
    tx,
    sql`
    insert into idempotency_key (client, key, request_hash, status, content_type, body)
    values (${key.client}, ${key.key}, ${key.hash}, ${reply.status},
            ${isProblem ? 'application/problem+json' : 'application/json'}, ${text})
    on conflict (client, key) do update
      set status = excluded.status, content_type = excluded.content_type, body = excluded.body,
          lease_until = null
      where idempotency_key.status is null and idempotency_key.request_hash = excluded.request_hash
    returning 1 as saved`,
  );
  // Somebody with the same key committed between our look and now: look again.
  if (saved.length === 0) throw new RetryTransaction();
}

/** Frees a running key: the work was undone and the same request may be made again. */
async function releaseKey(tx: Tx, key: { client: string; key: string }): Promise<void> {
  await rows(
    tx,
    sql`delete from idempotency_key
    where client = ${key.client} and key = ${key.key} and status is null`,
  );
}

/**
 * Keeps a refusal under its key, where the contract keeps it. Called after the rollback. Returns the
 * reply that another request with the key stored meanwhile: then that one is everybody's reply.
 * Refuses with idempotency/key-reused when the key stands for another request, and with
 * idempotency/in-flight while another one with it is at work: its reply is still to come.
 */
export async function keepRefusal(
  db: Db,
  key: RequestKey,
  refusal: Refusal,
): Promise<Reply | null> {
  if (!isKept(refusal)) return null;
  const kept = await rows(
    db,
    sql`
    insert into idempotency_key (client, key, request_hash, status, content_type, body)
    values (${key.client}, ${key.key}, ${key.hash}, ${refusal.status},
            'application/problem+json', ${JSON.stringify(problemOf(refusal))})
    on conflict (client, key) do nothing returning 1 as kept`,
  );
  if (kept.length > 0) return null;
  const [row] = await rows<KeyRow>(
    db,
    sql`
    select request_hash, status, content_type, body, lease_until > clock_timestamp() as is_leased
    from idempotency_key where client = ${key.client} and key = ${key.key}`,
  );
  return row ? readSeen(row, key).reply : null;
}

/** True for refusals that a repeated key gets again. */
function isKept(refusal: Refusal): boolean {
  return (
    STORED_STATUSES.has(refusal.status) &&
    !PASSING_CODES.has(refusal.code) &&
    refusal.code !== 'idempotency/key-reused'
  );
}

/** Ends the key of undone work: a refusal that the contract keeps is stored, else the key is free. */
export async function endKey(
  tx: Tx,
  key: { client: string; key: string },
  refusal: Refusal | null,
): Promise<void> {
  if (!refusal || !isKept(refusal)) return releaseKey(tx, key);
  finishRunningKey(tx, key, { status: refusal.status, body: problemOf(refusal) });
}

/**
 * Saves the reply under a running key that an earlier transaction leased, together with the commit: the
 * caller's lease on the work has shown that nobody else finishes it.
 */
export function finishRunningKey(tx: Tx, key: { client: string; key: string }, reply: Reply): void {
  const contentType = reply.status >= 400 ? 'application/problem+json' : 'application/json';
  atEnd(
    tx,
    sql`
    update idempotency_key set status = ${reply.status}, content_type = ${contentType},
      body = ${JSON.stringify(reply.body)}, lease_until = null
    where client = ${key.client} and key = ${key.key} and status is null`,
  );
}

function readSeen(row: KeyRow, key: RequestKey): KeySeen {
  if (!row.request_hash.equals(key.hash)) throw new Refusal('idempotency/key-reused');
  if (row.status === null) {
    if (row.is_leased) throw inFlight();
    return { reply: null, isAbandoned: true };
  }
  const stored = { contentType: row.content_type ?? 'application/json', text: row.body ?? '' };
  return { reply: { status: row.status, stored }, isAbandoned: false };
}

function inFlight(): Refusal {
  return new Refusal('idempotency/in-flight', { retryAfterSeconds: 1 });
}
