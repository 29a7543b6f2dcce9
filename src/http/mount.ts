// Turns routes into Express handlers. The order is the contract's: who are you (401), too many (429),
// may you (403), which key (400), is it well-formed (400, 413, 415), then the use case.
import type { Express, RequestHandler } from 'express';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { requestHash } from './canonical.ts';
import { failureOf } from './failures.ts';
import { keepRefusal, type RequestKey } from './idempotency.ts';
import { asLive } from './live-requests.ts';
import { localsOf } from './locals.ts';
import { readKey } from './request-key.ts';
import type { Call, Caller, Reply, Route } from './route.ts';
import { sendReply } from './send.ts';
import type { SpooledFile } from './spool.ts';
import { readFile } from './upload.ts';
import { readBody, readInput, readParams } from './validate.ts';

/** Finds out who is calling from the Authorization header; refuses with access/token-*. */
export type Authenticate = (deps: Deps, authorization: string | undefined) => Promise<Caller>;

export interface Mounting {
  deps: Deps;
  authenticate: Authenticate;
  rateLimit: RequestHandler;
}

/** Mounts all routes, and a 405 with Allow for the other methods of their paths. */
export function mountRoutes(app: Express, routes: readonly Route[], mounting: Mounting): void {
  const methods = new Map<string, string[]>();
  for (const route of routes) {
    const path = route.path.replace(/\{(\w+)\}/g, ':$1');
    methods.set(path, [...(methods.get(path) ?? []), route.method.toUpperCase()]);
    app[route.method](path, ...handlersOf(route, mounting));
  }
  for (const [path, allowed] of methods) app.all(path, refuseMethod(allowed));
}

function handlersOf(route: Route, { deps, authenticate, rateLimit }: Mounting): RequestHandler[] {
  const hasBody =
    !route.file &&
    route.method !== 'get' &&
    (route.method !== 'delete' || route.body !== undefined);
  return [
    identify(route, deps, authenticate),
    rateLimit,
    admit(route),
    ...(hasBody ? [readBody] : []),
    run(route, deps),
  ];
}

/** Remembers a failed authentication instead of throwing it, so that the rate limit counts it. */
function identify(route: Route, deps: Deps, authenticate: Authenticate): RequestHandler {
  return async (req, res, next) => {
    const locals = localsOf(res);
    locals.route = route.path;
    if (route.roles !== 'public') {
      try {
        locals.caller = await authenticate(deps, req.headers.authorization);
        locals.client = locals.caller.client;
      } catch (error) {
        locals.accessError = error;
      }
    }
    next();
  };
}

function admit(route: Route): RequestHandler {
  return (req, res, next) => {
    const { accessError, caller } = localsOf(res);
    if (accessError) throw accessError;
    if (!isAllowed(caller, route.roles)) throw new Refusal('access/forbidden');
    // A missing key is told before anything else of the request is looked at.
    readKey(req, route.idempotency);
    next();
  };
}

function isAllowed(caller: Caller, roles: Route['roles']): boolean {
  if (roles === 'public') return true;
  if (caller.kind === 'anonymous') return false;
  if (caller.kind === 'staff') return caller.roles.some((role) => roles.includes(role));
  return roles.includes(caller.kind);
}

function run(route: Route, deps: Deps): RequestHandler {
  return async (req, res) => {
    const { caller } = localsOf(res);
    const { query, body } = readInput(route, req);
    const file = route.file ? await readFile(req, route.file) : null;
    try {
      const key = keyOf(readKey(req, route.idempotency), caller, req, file);
      const call: Omit<Call, 'params'> = {
        deps,
        caller,
        query,
        body,
        file,
        key,
        ifMatch: req.get('if-match') ?? null,
        accept: acceptOf(req.headers.accept),
      };
      const answer = () =>
        keeping(deps, key, () => route.handler({ ...call, params: readParams(route, req, res) }));
      const isWaitedFor = caller.kind === 'terminal' || caller.kind === 'citizen';
      const reply = await (isWaitedFor ? asLive(deps.db, answer) : answer());
      await sendReply(req, res, reply);
    } finally {
      await file?.close();
    }
  };
}

/** A file is as much of the request as a parsed body: its hash stands for it. */
function keyOf(
  key: string | null,
  caller: Caller,
  req: { method: string; originalUrl: string; body?: unknown },
  file: SpooledFile | null,
): RequestKey | null {
  if (key === null) return null;
  const content = file ? { sha256: file.sha256.toString('hex') } : (req.body ?? {});
  return { client: caller.client, key, hash: requestHash(req.method, req.originalUrl, content) };
}

/** Runs the use case; its refusal is kept under the key, unless somebody stored a reply meanwhile. */
async function keeping(
  deps: Deps,
  key: RequestKey | null,
  work: () => Promise<Reply>,
): Promise<Reply> {
  try {
    return await work();
  } catch (error) {
    const { refusal } = failureOf(error);
    const stored = key && !refusal.isStored ? await keepRefusal(deps.db, key, refusal) : null;
    if (stored) return stored;
    throw error;
  }
}

function acceptOf(accept: string | undefined): Call['accept'] {
  if (accept?.includes('text/csv')) return 'csv';
  return accept?.includes('application/vnd.openxmlformats-officedocument') ? 'xlsx' : 'json';
}

function refuseMethod(allowed: readonly string[]): RequestHandler {
  const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : [])].join(', ');
  return (_req, res) => {
    res.setHeader('Allow', allow);
    throw new Refusal('route/method-not-allowed');
  };
}
