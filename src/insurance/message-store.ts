// Law: a message that changes the insurer's books is stored before it is sent, its answer before it
// is used; a stored message without an answer is of unknown fate and is never sent again.
import { createHash } from 'node:crypto';
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import type { Keyring } from '../identity/keyring.ts';
import type { Answer, Infno, RouteName } from './insurer.ts';
import type { Payer } from './person.ts';
import { wireStamp } from './wire-time.ts';

export interface NewMessage {
  msgid: string;
  /** The intent (or conversion, or refund) that sends it. */
  intentId: string;
  /** Which try of this trade within the intent: 1, 2, … */
  attempt: number;
  infno: Infno;
  route: RouteName;
  hospitalCode: string;
  visitId: string;
  /** Whatever is needed to know later what was asked; sealed. JSON without bigint. */
  request: object;
  /** insuplc_admdvs of the header: whoever asks of this message later asks the same insurer. */
  sentFor?: string | null;
}

/** What was learnt later of an unknown fate. */
export type Fate = 'live' | 'absent' | 'reversed';

export interface StoredMessage {
  msgid: string;
  intentId: string;
  infno: Infno;
  attempt: number;
  route: RouteName;
  request: unknown;
  /** insuplc_admdvs of its header; null when it was stored without. */
  sentFor?: string | null;
  sentAt: Date;
  /** Null: stored, but no answer was. */
  answer: Answer | null;
  fate: Fate | null;
}

interface MessageRow {
  msgid: string;
  intent_id: string;
  infno: Infno;
  attempt: number;
  route: RouteName;
  request: Buffer;
  sent_at: string;
  answer: Buffer | null;
  fate: Fate | null;
}

const insertInto = sql`insert into insurance_message (msgid, intent_id, attempt, infno, route,
  hospital_code, visit_id, request, request_hash, sent_at)`;

/** A claim takes six numbers; a few claims at once share one look at the sequence. */
const NUMBERS_AHEAD = 48;
/** Kept no longer, so that the sequence cannot come round (10,000 numbers) while one is held. */
const NUMBERS_KEPT_MS = 500;

interface Supply {
  left: string[];
  until: number;
}

/** By database: numbers of the sequence that this process has taken and not used. */
const supplies = new WeakMap<object, Promise<Supply>>();

/** fixmedins_code + yyyyMMddHHmmss (Shanghai) + 4 digits of one sequence for all hospitals. */
export async function newMessageId(
  db: Tx | Db,
  hospitalCode: string,
  realNow: Date,
): Promise<string> {
  return `${hospitalCode}${wireStamp(realNow)}${await nextNumber(db)}`;
}

async function nextNumber(db: Tx | Db): Promise<string> {
  for (;;) {
    const known = supplies.get(db);
    const supply = await known;
    const number = supply && performance.now() < supply.until ? supply.left.shift() : undefined;
    if (number) return number;
    // Somebody else may have sent for more while we waited: all who wait share one look.
    if (supplies.get(db) === known) {
      const fresh = takeNumbers(db);
      supplies.set(db, fresh);
      fresh.catch(() => supplies.get(db) === fresh && supplies.delete(db));
    }
  }
}

async function takeNumbers(db: Tx | Db): Promise<Supply> {
  const found = await rows<{ number: string }>(
    db,
    sql`
    select lpad((nextval('message_number') % 10000)::text, 4, '0') as number
    from generate_series(1, ${NUMBERS_AHEAD}::int)`,
  );
  if (found.length === 0) throw new Error('sequence message_number gave no number');
  // From now, not from the asking: a look that waited long would else bring numbers nobody may use.
  return { left: found.map(({ number }) => number), until: performance.now() + NUMBERS_KEPT_MS };
}

/** Stores a message that is about to be sent. A second one of the same step violates a unique index. */
export async function storeMessage(
  tx: Tx | Db,
  keyring: Keyring,
  message: NewMessage,
): Promise<void> {
  await rows(tx, sql`${insertInto} select ${valuesOf(keyring, message)}`);
}

/** Stores the answer of a message once; false when one is there already (the other one counts). */
export async function storeAnswer(
  tx: Tx | Db,
  keyring: Keyring,
  msgid: string,
  answer: Answer,
): Promise<boolean> {
  const stored = await rows(tx, answerStatement(keyring, msgid, answer));
  return stored.length > 0;
}

/**
 * Answer n and message n+1 in one statement. False, and nothing stored, when the answer was there
 * already: somebody else took this run over, and only they may go on.
 */
export async function storeAnswerAndMessage(
  tx: Tx | Db,
  keyring: Keyring,
  answered: { msgid: string; answer: Answer },
  message: NewMessage,
): Promise<boolean> {
  const stored = await rows(
    tx,
    sql`
    with answered as (${answerStatement(keyring, answered.msgid, answered.answer)})
    ${insertInto}
    select ${valuesOf(keyring, message)} from answered
    returning msgid`,
  );
  return stored.length > 0;
}

/**
 * A message, and the answer before it if there is one, in one statement that does nothing and returns
 * false unless `guard` (a query that locks the sender's run) finds a row.
 */
export async function storeGuarded(
  tx: Tx | Db,
  keyring: Keyring,
  stored: {
    guard: SQL;
    answered: { msgid: string; answer: Answer } | null;
    message: NewMessage;
  },
): Promise<boolean> {
  const { guard, answered, message } = stored;
  const before = answered
    ? sql`${answerUpdate(keyring, answered.msgid, answered.answer)}
        and exists (select 1 from held) returning 1 as stored`
    : sql`select 1 as stored from held`;
  const done = await rows(
    tx,
    sql`
    with held as materialized (${guard}), answered as (${before})
    ${insertInto}
    select ${valuesOf(keyring, message)} from answered
    returning msgid`,
  );
  return done.length > 0;
}

/** All messages of a run, oldest first. */
export function messagesOfIntent(
  tx: Tx | Db,
  keyring: Keyring,
  intentId: string,
): Promise<StoredMessage[]> {
  return messagesWhere(tx, keyring, sql`intent_id = ${intentId}`);
}

/** All messages of a visit, whichever run sent them, oldest first. */
export function messagesOfVisit(
  tx: Tx | Db,
  keyring: Keyring,
  visitId: string,
): Promise<StoredMessage[]> {
  return messagesWhere(tx, keyring, sql`visit_id = ${visitId}`);
}

/** One message by its id, whichever run sent it. */
export async function findMessage(
  tx: Tx | Db,
  keyring: Keyring,
  msgid: string,
): Promise<StoredMessage | null> {
  const [found] = await messagesWhere(tx, keyring, sql`msgid = ${msgid}`);
  return found ?? null;
}

/**
 * For whom a settling trade was sent. 5203, 2601 and 2208 about it need no more, and only this is right:
 * 1101 may name nobody today, or the insurance of another region.
 */
export function payerOf(message: StoredMessage): Payer | null {
  const { data } = message.request as { data?: { psn_no?: unknown } };
  const psnNo = data?.psn_no;
  if (!message.sentFor || typeof psnNo !== 'string') return null;
  return { psnNo, insuredRegion: message.sentFor };
}

/** Records what became of a message of unknown fate. */
export async function setFate(tx: Tx | Db, msgid: string, fate: Fate): Promise<void> {
  const set = await rows(
    tx,
    sql`
    update insurance_message set fate = ${fate} where msgid = ${msgid} returning 1`,
  );
  if (set.length === 0) throw new Error(`no stored message ${msgid}`);
}

async function messagesWhere(
  tx: Tx | Db,
  keyring: Keyring,
  condition: SQL,
): Promise<StoredMessage[]> {
  const found = await rows<MessageRow>(
    tx,
    sql`
    select msgid, intent_id, infno, attempt, route, request, sent_at, answer, fate
    from insurance_message where ${condition} order by sent_at, msgid`,
  );
  return found.map((row) => ({
    msgid: row.msgid,
    intentId: row.intent_id,
    infno: row.infno,
    attempt: row.attempt,
    route: row.route,
    ...openRequest(keyring, row.request),
    sentAt: new Date(row.sent_at),
    answer: row.answer ? (JSON.parse(keyring.open(row.answer)) as Answer) : null,
    fate: row.fate,
  }));
}

/** Sealed together: the region is part of what was sent, but not of the input that is hashed. */
function openRequest(keyring: Keyring, sealed: Buffer) {
  const { sentFor, ...request } = JSON.parse(keyring.open(sealed)) as { sentFor?: string | null };
  return { request, sentFor: sentFor ?? null };
}

function valuesOf(keyring: Keyring, message: NewMessage): SQL {
  const hash = createHash('sha256').update(JSON.stringify(message.request)).digest();
  const { sentFor = null } = message;
  const request = JSON.stringify({ ...message.request, ...(sentFor ? { sentFor } : {}) });
  return sql`${message.msgid}::text, ${message.intentId}::text, ${message.attempt}::integer,
    ${message.infno}::text, ${message.route}::text, ${message.hospitalCode}::text,
    ${message.visitId}::text, ${keyring.seal(request)}::bytea, ${hash}::bytea, clock_timestamp()`;
}

function answerStatement(keyring: Keyring, msgid: string, answer: Answer): SQL {
  return sql`${answerUpdate(keyring, msgid, answer)} returning 1 as stored`;
}

/** `storeAnswer` as the beginning of a larger statement: more conditions may follow. */
export function answerUpdate(keyring: Keyring, msgid: string, answer: Answer): SQL {
  return sql`update insurance_message
    set outcome = ${answer.outcome}, answer = ${keyring.seal(JSON.stringify(answer))}::bytea,
        answered_at = clock_timestamp()
    where msgid = ${msgid} and outcome is null`;
}
