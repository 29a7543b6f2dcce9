// Sending replies. Law: a stored reply leaves byte for byte as the first one did. Stored problems
// carry no `instance`; it is the request's path, the same for every use of a key, and added here.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { problems, type Refusal } from '../errors.ts';
import { retryAfterOf } from './failures.ts';
import { localsOf } from './locals.ts';
import { problemOf } from './problem.ts';
import type { Reply } from './route.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** Sends what a handler returned; resolves once a stream has left. */
export async function sendReply(req: Request, res: Response, reply: Reply): Promise<void> {
  for (const [name, value] of Object.entries(reply.headers ?? {})) res.setHeader(name, value);
  if (reply.stream) return sendStream(req, res, { ...reply, stream: reply.stream });
  if (reply.raw) {
    sendText(res, reply.status, reply.raw.contentType, reply.raw.data);
    return;
  }
  if (reply.stored) res.setHeader('Idempotency-Replayed', 'true');
  const text = reply.stored?.text ?? (reply.body === undefined ? '' : JSON.stringify(reply.body));
  if (reply.status >= 400) sendProblemText(req, res, reply.status, text);
  else sendText(res, reply.status, JSON_TYPE, text);
}

/** A reader that is slow slows the reading; one that leaves ends it. */
async function sendStream(
  req: Request,
  res: Response,
  reply: Reply & { stream: AsyncIterable<string> },
): Promise<void> {
  sendHead(res, reply.status, JSON_TYPE);
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  try {
    await pipeline(Readable.from(reply.stream), res);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  }
}

/** Sends a refusal as its problem document. */
export function sendRefusal(req: Request, res: Response, refusal: Refusal): void {
  const retryAfter = retryAfterOf(refusal);
  if (retryAfter !== null) res.setHeader('Retry-After', String(retryAfter));
  const { status } = problems[refusal.code];
  if (status === 401) res.setHeader('WWW-Authenticate', challengeOf(refusal));
  localsOf(res).code = refusal.code;
  sendProblemText(req, res, status, JSON.stringify(problemOf(refusal)));
}

/** RFC 6750: a missing token gets a bare challenge, a bad one its error. */
function challengeOf(refusal: Refusal): string {
  return refusal.code === 'access/token-missing' ? 'Bearer' : 'Bearer error="invalid_token"';
}

function sendProblemText(req: Request, res: Response, status: number, text: string): void {
  const instance = text.includes('"instance":') ? '' : `,"instance":${JSON.stringify(pathOf(req))}`;
  sendText(
    res,
    status,
    PROBLEM_TYPE,
    instance ? text.slice(0, -1) + instance + text.slice(-1) : text,
  );
}

/** The request's path as it was sent, without its query (which may hold personal data). */
function pathOf(req: Request): string {
  const at = req.originalUrl.indexOf('?');
  return at < 0 ? req.originalUrl : req.originalUrl.slice(0, at);
}

/** One write; replies are personal, so nothing on the way may keep them. */
export function sendText(
  res: Response,
  status: number,
  contentType: string,
  text: string | Buffer,
): void {
  sendHead(res, status, text.length > 0 ? contentType : null);
  res.end(text);
}

function sendHead(res: Response, status: number, contentType: string | null): void {
  res.statusCode = status;
  if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store');
  if (contentType) res.setHeader('Content-Type', contentType);
}
