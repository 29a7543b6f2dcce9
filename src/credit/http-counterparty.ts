// Role: one JSON call to a bank or the score provider, with a deadline. It never throws: what is not a
// clean answer is either surely not delivered ("refused") or doubtful ("unknown").
import { request } from 'undici';

export type HttpAnswer =
  | { outcome: 'answered'; status: number; body: unknown }
  /** No connection was made: nobody got the request. */
  | { outcome: 'refused' }
  | { outcome: 'unknown' };

/** Errors that come before a byte is sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

export async function callCounterparty(call: {
  url: string;
  apiKey: string;
  method: 'GET' | 'POST';
  body?: unknown;
  deadlineMs: number;
}): Promise<HttpAnswer> {
  try {
    const reply = await request(call.url, {
      method: call.method,
      headers: {
        authorization: `Bearer ${call.apiKey}`,
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      // No kept connection: one that the other side has just closed would look like a lost answer.
      reset: true,
      body: call.body === undefined ? null : JSON.stringify(call.body),
      signal: AbortSignal.timeout(call.deadlineMs),
    });
    return { outcome: 'answered', status: reply.statusCode, body: await reply.body.json() };
  } catch (error) {
    return { outcome: isNotSent(error) ? 'refused' : 'unknown' };
  }
}

/** Node tries several addresses and reports an AggregateError; all of them must have failed early. */
function isNotSent(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isNotSent);
  return error instanceof Error && 'code' in error && NOT_SENT.has(String(error.code));
}
