// Law: only documented refusals reach the client. Every error becomes one: a refusal stays itself, a
// database that is away is 503, what a parser refused is 4xx, and all else is a bug (500).
import { RetryTransaction, sqlState } from '../db/db.ts';
import { type ProblemCode, problems, Refusal } from '../errors.ts';

/**
 * 08 connection, 53 resources, 57P shutdown; 55P03 lock timeout, 57014 statement timeout,
 * 40001/40P01 still in conflict after transact()'s retries, 25P03/25P04 transaction timeout.
 */
const PASSING_STATE = /^(08|53|57P)|^(55P03|57014|40001|40P01|25P03|25P04)$/;

/** Errors of sockets and of postgres.js that mean "not reachable now". */
const PASSING_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECTION_DESTROYED',
  'CONNECT_TIMEOUT',
]);

/** A value that the database could not hold: our schema let through what it should have refused. */
const BAD_VALUE_STATE = /^(22001|22003|22007|22008|22021|22P02|22P03|22P05)$/;

const BODY_PROBLEMS: Record<string, ProblemCode> = {
  'entity.too.large': 'request/too-large',
  'entity.parse.failed': 'request/malformed',
  'entity.verify.failed': 'request/malformed',
  'encoding.unsupported': 'request/unsupported-media-type',
  'charset.unsupported': 'request/unsupported-media-type',
};

/** How an error is told to the client; `isBug` asks for an alarm in the log. */
export interface Failure {
  refusal: Refusal;
  isBug: boolean;
}

export function failureOf(error: unknown): Failure {
  const refusal = refusalIn(error);
  if (refusal) return { refusal, isBug: false };
  if (isPassing(error)) {
    return { refusal: new Refusal('service/unavailable', { cause: error }), isBug: false };
  }
  const state = sqlState(error);
  if (state && BAD_VALUE_STATE.test(state)) {
    return { refusal: new Refusal('request/invalid', { cause: error }), isBug: true };
  }
  const code = parserProblem(error);
  if (code) return { refusal: new Refusal(code, { cause: error }), isBug: false };
  return { refusal: new Refusal('service/internal', { cause: error }), isBug: true };
}

/** Seconds for Retry-After: the refusal's own, else a default where the contract wants one. */
export function retryAfterOf(refusal: Refusal): number | null {
  const { retryAfterSeconds } = refusal.options;
  if (retryAfterSeconds !== undefined) return Math.max(1, Math.ceil(retryAfterSeconds));
  const { status } = problems[refusal.code];
  if (status === 503) return 5;
  return status === 429 || NOT_NOW.has(refusal.code) ? 1 : null;
}

/** 409s that a client should simply ask again. */
const NOT_NOW = new Set<ProblemCode>([
  'idempotency/in-flight',
  'visit/settling',
  'settlement/busy',
]);

/** A refusal thrown inside a transaction may come out wrapped. */
function refusalIn(error: unknown): Refusal | null {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof Refusal) return e;
  return null;
}

/** True when the same request may succeed later: the database is away, full or in conflict. */
function isPassing(error: unknown): boolean {
  const state = sqlState(error);
  if (state) return PASSING_STATE.test(state);
  for (let e = error; e instanceof Error; e = e.cause) {
    if (e instanceof RetryTransaction) return true;
    if (PASSING_CODES.has((e as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}

/** Errors of body-parser and of Express's router carry a `type` or a 4xx `status`. */
function parserProblem(error: unknown): ProblemCode | null {
  if (!(error instanceof Error)) return null;
  const { type, status } = error as { type?: unknown; status?: unknown };
  if (typeof type === 'string' && BODY_PROBLEMS[type]) return BODY_PROBLEMS[type];
  return typeof status === 'number' && status >= 400 && status < 500 ? 'request/malformed' : null;
}
