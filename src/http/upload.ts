// A body that is a file: taken in as it comes, never parsed as JSON and never held in memory. What is not a
// file of the route's types is 415, what is too long 413; a client that goes away midway leaves nothing.
import type { Request } from 'express';
import { Refusal } from '../errors.ts';
import { type SpooledFile, SpoolTooLarge, spool } from './spool.ts';

/** What a route with a file says about it. */
export interface FileRules {
  maxBytes: number;
  contentTypes: readonly string[];
  /** True where the operation also works without a file: then `call.file` is null. */
  isOptional?: boolean;
}

/** Statements and bills, by what tools really send; a reader looks at the content anyway. */
export const statementTypes = [
  'text/csv',
  'text/plain',
  'text/tab-separated-values',
  'application/csv',
  'application/xml',
  'text/xml',
  'application/zip',
  'application/x-zip-compressed',
  'application/vnd.ms-excel',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  'application/octet-stream',
] as const;

/** The request's file, at rest on disk; null where none was sent and none is needed. The caller closes it. */
export async function readFile(req: Request, rules: FileRules): Promise<SpooledFile | null> {
  const length = Number(req.headers['content-length'] ?? 0);
  if (length === 0 && req.headers['transfer-encoding'] === undefined) return withoutFile(rules);
  refuseType(req, rules);
  if (length > rules.maxBytes) throw new Refusal('request/too-large');
  const file = await take(req, rules.maxBytes);
  if (file.bytes > 0) return file;
  await file.close();
  return withoutFile(rules);
}

function withoutFile(rules: FileRules): null {
  if (rules.isOptional) return null;
  throw new Refusal('request/malformed', {
    detail: '请求体应为文件 A file is expected as the body',
  });
}

function refuseType(req: Request, { contentTypes }: FileRules): void {
  const encoding = req.headers['content-encoding'] ?? 'identity';
  // A body without a type is bytes (RFC 9110 §8.3).
  const type = req.headers['content-type'] ?? 'application/octet-stream';
  const media = type.split(';')[0]?.trim().toLowerCase() ?? '';
  if (encoding === 'identity' && contentTypes.includes(media)) return;
  throw new Refusal('request/unsupported-media-type');
}

async function take(req: Request, maxBytes: number): Promise<SpooledFile> {
  try {
    // The socket must outlive a refusal: the refusal is sent on it.
    return await spool(req.iterator({ destroyOnReturn: false }), maxBytes);
  } catch (error) {
    // Unread bytes would block the connection for its next request.
    req.resume();
    if (error instanceof SpoolTooLarge) throw new Refusal('request/too-large', { cause: error });
    if (!req.complete && req.destroyed) {
      const detail = '文件未传完 The file did not come whole';
      throw new Refusal('request/malformed', { detail, cause: error });
    }
    throw error;
  }
}
