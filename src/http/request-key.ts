// The Idempotency-Key header: a structured-field string in quotes, or the same characters bare.
import type { Request } from 'express';
import { Refusal } from '../errors.ts';
import type { Route } from './route.ts';

const BARE = /^[\x20-\x7e]{1,255}$/;
/** RFC 9651 string: printable ASCII, with \" and \\ escaped. */
const QUOTED = /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/;

/**
 * The key of a request; null where none is sent and none is required, and on operations without
 * keys. Refuses with idempotency/key-missing and idempotency/key-invalid.
 */
export function readKey(req: Request, idempotency: Route['idempotency']): string | null {
  if (idempotency === 'none') return null;
  const header = req.get('idempotency-key');
  if (header === undefined || header === '') {
    if (idempotency === 'required') throw new Refusal('idempotency/key-missing');
    return null;
  }
  const key = header.startsWith('"') ? unquote(header) : header;
  if (!BARE.test(key)) throw invalidKey();
  return key;
}

function unquote(header: string): string {
  if (!QUOTED.test(header)) throw invalidKey();
  return header.slice(1, -1).replace(/\\(["\\])/g, '$1');
}

function invalidKey(): Refusal {
  return new Refusal('idempotency/key-invalid', {
    detail: '1 到 255 个可打印 ASCII 字符 1 to 255 printable ASCII characters',
  });
}
