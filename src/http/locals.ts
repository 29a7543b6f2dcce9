// What one request carries through the middleware, in Express's `res.locals`.
import type { Response } from 'express';
import type { Caller } from './route.ts';
import type { Trace } from './trace.ts';

export interface Locals {
  /** performance.now() at the start. */
  startedAt: number;
  trace: Trace;
  /** The pattern, e.g. "/v1/visits/{visitId}"; empty until a Route is found. */
  route: string;
  /** Scope of rate limit and idempotency keys; the address until the caller is known. */
  client: string;
  caller: Caller;
  /** Why authentication failed; thrown after the rate limit has counted the request. */
  accessError: unknown;
  /** Problem code of the reply. */
  code: string | undefined;
}

export function localsOf(res: Response): Locals {
  return res.locals as Locals;
}
