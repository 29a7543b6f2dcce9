// Law: what several people may change is changed only by who has seen it as it is (RFC 9110, If-Match).
import { Refusal } from '../errors.ts';

/**
 * Passes when `ifMatch` names the current version ("*" or a list of entity tags; quotes may be missing).
 * Refuses with request/precondition-required (428) without it, request/precondition-failed (412) otherwise.
 */
export function requireMatch(ifMatch: string | null, etag: string): void {
  if (ifMatch === null) throw new Refusal('request/precondition-required');
  const unquoted = (tag: string) => tag.trim().replace(/^W\//, '').replaceAll('"', '');
  const asked = ifMatch.split(',').map(unquoted);
  if (asked.includes('*') || asked.includes(unquoted(etag))) return;
  throw new Refusal('request/precondition-failed');
}
