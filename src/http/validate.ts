// Checks what came in against the route's schemas. Refusals name the place by JSON pointer.
import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { type FieldError, Refusal } from '../errors.ts';
import { escapePointer, hostileParts, mayBeHostile } from './canonical.ts';
import type { Route } from './route.ts';

/** The contract's 413 begins here; 150 charge lines with all their fields are about 80 KiB. */
const MAX_BODY_BYTES = 1024 * 1024;
const MAX_ERRORS = 50;

const NOTHING = z.strictObject({});
const suspicious = new WeakSet<Request>();

const parseJson = express.json({
  limit: MAX_BODY_BYTES,
  strict: false,
  type: () => true,
  // body-parser writes a status into what is thrown here, so these are its own kind of errors.
  verify: (req, _res, raw, encoding) => {
    if (encoding !== 'utf-8') throw parserError('charset.unsupported');
    if (!isUtf8(raw)) throw parserError('entity.verify.failed');
    if (mayBeHostile(raw)) suspicious.add(req as Request);
  },
});

function parserError(type: string): Error {
  return Object.assign(new Error(type), { type });
}

/** Reads a JSON body on the methods that have one; 415 for anything else that is not empty. */
export const readBody: RequestHandler = (req, res, next) => {
  if (!hasBody(req)) return next();
  if (!req.is('application/json')) throw new Refusal('request/unsupported-media-type');
  parseJson(req, res, next);
};

function hasBody(req: Request): boolean {
  return (
    req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
  );
}

/** Everything of a request that schemas can check, parsed. */
export interface Input {
  query: unknown;
  body: unknown;
}

/** Query and body by the route's schemas; 400 request/malformed or request/invalid. */
export function readInput(route: Route, req: Request): Input {
  return { query: check(route.query ?? NOTHING, req.query), body: readChecked(route, req) };
}

function readChecked(route: Route, req: Request): unknown {
  if (route.file || route.method === 'get') return undefined;
  if (route.method === 'delete' && !route.body) return undefined;
  const isOptional = route.isBodyOptional || !route.body;
  if (req.body === undefined && !isOptional) {
    throw new Refusal('request/malformed', { detail: '需要 JSON 请求体 A JSON body is expected' });
  }
  const raw = req.body === undefined ? {} : req.body;
  if (suspicious.has(req)) refuseErrors(hostileParts(raw));
  const parsed = check(route.body ?? NOTHING, raw);
  return route.body ? parsed : undefined;
}

/** Path parameters; a malformed id is an id of nothing: 404. */
export function readParams(route: Route, req: Request, _res: Response): unknown {
  if (!route.params) return req.params;
  const parsed = route.params.safeParse({ ...req.params });
  if (!parsed.success) throw new Refusal('resource/not-found');
  return parsed.data;
}

function check(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  refuseErrors(parsed.error.issues.flatMap(errorsOf));
}

function refuseErrors(errors: FieldError[]): void {
  if (errors.length === 0) return;
  const [first] = errors;
  throw new Refusal('request/invalid', {
    detail: `${first?.pointer || '/'}: ${first?.detail}`,
    errors: errors.slice(0, MAX_ERRORS),
  });
}

/** An unknown field is named by its own pointer; everything else by where it is. */
function errorsOf(issue: z.core.$ZodIssue): FieldError[] {
  const at = pointerOf(issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ pointer: at, detail: issue.message }];
  return issue.keys.map((key) => ({
    pointer: `${at}/${escapePointer(key)}`,
    detail: 'unknown field',
  }));
}

function pointerOf(path: PropertyKey[]): string {
  return path.map((part) => `/${escapePointer(String(part))}`).join('');
}
