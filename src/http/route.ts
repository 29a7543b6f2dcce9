// The shape of one API operation. The same zod schemas validate requests and make the OpenAPI
// document; `http/mount.ts` turns routes into Express handlers.
import type { z } from 'zod';
import type { Deps } from '../deps.ts';
import type { ProblemCode } from '../errors.ts';
import type { RequestKey } from './idempotency.ts';
import type { SpooledFile } from './spool.ts';
import type { FileRules } from './upload.ts';

export const staffRoles = ['financeMaker', 'financeChecker', 'auditor', 'admin'] as const;
export type StaffRole = (typeof staffRoles)[number];
export type Role = 'terminal' | 'citizen' | 'lenderOperator' | StaffRole;

/** Who is calling. `client` is the scope of idempotency keys and rate limits. */
export type Caller =
  | { kind: 'anonymous'; client: string }
  | { kind: 'terminal'; client: string; terminalId: string; hospitalCode: string }
  | { kind: 'citizen'; client: string; citizenId: string }
  | { kind: 'lenderOperator'; client: string; subject: string; lender: string }
  | {
      kind: 'staff';
      client: string;
      subject: string;
      roles: StaffRole[];
      /** Set when the role is limited to one hospital. */
      hospitalCode: string | null;
    };

export type CallerOf<K extends Caller['kind']> = Extract<Caller, { kind: K }>;

/** What a handler gets: everything parsed and checked. */
export interface Call<P = unknown, Q = unknown, B = unknown> {
  deps: Deps;
  caller: Caller;
  params: P;
  query: Q;
  body: B;
  /** The file of a route that takes one; closed when the handler is done. */
  file: SpooledFile | null;
  /** The idempotency key of this request; null when none was sent and none is required. */
  key: RequestKey | null;
  ifMatch: string | null;
  accept: 'json' | 'csv' | 'xlsx';
}

export interface Reply {
  status: number;
  /** JSON body (yuan strings, never bigint); undefined for 204. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Set for a stored reply: sent byte for byte, with Idempotency-Replayed. */
  stored?: { contentType: string; text: string };
  /** Set for CSV, XLSX, HTML: sent as it is. */
  raw?: { contentType: string; data: string | Buffer };
  /** Set for JSON too long to hold at once: sent piece by piece as it is read. */
  stream?: AsyncIterable<string>;
}

export interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** OpenAPI style: "/v1/visits/{visitId}/charges". */
  path: string;
  /** camelCase verb and noun; the OpenAPI operationId. */
  operationId: string;
  summary: string;
  tag: 'Citizen' | 'Counter' | 'Lender' | 'Finance' | 'Operations' | 'Access' | 'Sandbox';
  /** Who may call; "public" needs no token. */
  roles: readonly Role[] | 'public';
  /** Idempotency-Key: required on every POST of a terminal, lender or finance; optional for citizens. */
  idempotency: 'required' | 'optional' | 'none';
  params?: z.ZodType;
  query?: z.ZodType;
  /** Bodies are strictObject: unknown fields are refused. */
  body?: z.ZodType;
  /** Set where the body is a file instead of JSON: `call.file`. Its bytes are part of the key's request. */
  file?: FileRules;
  /** True where an absent body means {}. */
  isBodyOptional?: boolean;
  /** True for lists that also answer `Accept: text/csv` and XLSX (http/tabular.ts). */
  isTabular?: boolean;
  /** Success status → schema of its body (null: no body). */
  replies: Record<number, z.ZodType | null>;
  /** Refusals of this operation beyond those that any may give (400, 401, 403, 413, 415, 429). */
  problems: readonly ProblemCode[];
  handler: (call: Call) => Promise<Reply>;
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : undefined;

/** Declares a route and types its handler by its schemas. */
export function route<
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(
  spec: Omit<Route, 'handler' | 'params' | 'query' | 'body'> & {
    params?: P;
    query?: Q;
    body?: B;
    handler: (call: Call<Parsed<P>, Parsed<Q>, Parsed<B>>) => Promise<Reply>;
  },
): Route {
  return spec as unknown as Route;
}

/** Narrows the caller; a wrong kind is a bug, because `roles` was checked before. */
export function callerOf<K extends Caller['kind']>(call: { caller: Caller }, kind: K): CallerOf<K> {
  if (call.caller.kind !== kind)
    throw new Error(`route lets in a ${call.caller.kind}, not a ${kind}`);
  return call.caller as CallerOf<K>;
}
