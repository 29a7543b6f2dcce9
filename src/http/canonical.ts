// JSON that means the same is the same request: sorted keys, no spaces. Law: nothing that
// PostgreSQL cannot hold, and nothing that plays with prototypes, comes in through a body.
import { createHash } from 'node:crypto';
import { type FieldError, Refusal } from '../errors.ts';

/** Deeper than any body of ours; keeps recursion far from the end of the stack. */
const MAX_DEPTH = 32;

/** Canonical text of a parsed JSON value. Refuses what is nested too deeply. */
function canonicalJson(value: unknown, depth = 0): string {
  if (value === undefined) return '';
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth > MAX_DEPTH) throw new Refusal('request/malformed', { detail: 'nested too deeply' });
  if (Array.isArray(value)) return `[${value.map((v) => canonicalJson(v, depth + 1)).join(',')}]`;
  const members = Object.keys(value)
    .sort()
    .map((key) => {
      const member = (value as Record<string, unknown>)[key];
      return `${JSON.stringify(key)}:${canonicalJson(member, depth + 1)}`;
    });
  return `{${members.join(',')}}`;
}

/** SHA-256 of method, path and canonical body: what an Idempotency-Key stands for. */
export function requestHash(method: string, path: string, body: unknown): Buffer {
  return createHash('sha256')
    .update(`${method} ${path}\n${canonicalJson(body)}`)
    .digest();
}

const UNHOLDABLE = /[\0\p{Cs}]/u;

/** True when raw JSON may hold what `hostileParts` looks for; all of it needs an escape to get in. */
export function mayBeHostile(raw: Buffer): boolean {
  return raw.includes('\\u') || raw.includes('__proto__');
}

/** Where a parsed body has NUL, lone surrogates or a `__proto__` member. */
export function hostileParts(value: unknown, pointer = '', depth = 0): FieldError[] {
  if (typeof value === 'string') {
    return UNHOLDABLE.test(value) ? [{ pointer, detail: 'holds NUL or half a character' }] : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  if (depth > MAX_DEPTH) return [{ pointer: '', detail: 'nested too deeply' }];
  return Object.entries(value).flatMap(([key, member]) => {
    if (key === '__proto__' || UNHOLDABLE.test(key)) {
      return [{ pointer, detail: 'has a member name that is not allowed' }];
    }
    return hostileParts(member, `${pointer}/${escapePointer(key)}`, depth + 1);
  });
}

/** RFC 6901. */
export function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1');
}
