// Who is calling: from an Authorization header to a Caller. The issuer is chosen by the unverified
// `iss`, and then everything is verified for exactly that issuer.
import { createHash } from 'node:crypto';
import { decodeJwt, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Db } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import type { Caller } from '../http/route.ts';
import { liveTerminal, type TokenDeps, verifyAccessToken } from './access-tokens.ts';
import { readOidcToken } from './oidc-callers.ts';
import { type IssuerKind, issuersOf, ourNames } from './our-names.ts';

/** Some hours of a city's tokens: about 1 kB each, so at most some 20 MB. */
const MAX_REMEMBERED = 20_000;
/** Longer than any real token; a request with more is not worth hashing. */
const MAX_TOKEN_LENGTH = 8_192;

/** What a token once verified stands for: signatures are costly and do not change. */
type Verified =
  | { kind: 'terminal'; clientId: string; expiresAt: number }
  | { kind: 'other'; caller: Caller; expiresAt: number };

const remembered = new WeakMap<Db, LRUCache<string, Verified>>();

/**
 * The caller of a request. Refuses with access/token-missing, access/token-invalid, or
 * service/unavailable when an identity provider cannot be reached.
 */
export async function authenticate(
  deps: TokenDeps,
  authorization: string | undefined,
): Promise<Caller> {
  const token = /^bearer +(\S+)$/i.exec(authorization?.trim() ?? '')?.[1];
  if (!token) throw new Refusal('access/token-missing');
  const verified = await verifyOnce(deps, token);
  if (verified.kind === 'other') return verified.caller;
  const { clientId } = verified;
  const terminal = await liveTerminal(deps.db, clientId);
  if (!terminal) throw invalid('终端已停用 The terminal is unknown or revoked');
  const { terminalId, hospitalCode } = terminal;
  return { kind: 'terminal', client: clientId, terminalId, hospitalCode };
}

async function verifyOnce(deps: TokenDeps, token: string): Promise<Verified> {
  if (token.length > MAX_TOKEN_LENGTH) throw invalid();
  const cache = remembered.get(deps.db) ?? new LRUCache<string, Verified>({ max: MAX_REMEMBERED });
  remembered.set(deps.db, cache);
  // The issuer and audience are part of the key: what was verified for others proves nothing here.
  const hash = createHash('sha256')
    .update(`${deps.publicUrl}\n${deps.env.TOKEN_AUDIENCE}\n${token}`)
    .digest('base64');
  const known = cache.get(hash);
  if (known && known.expiresAt * 1000 > deps.realNow().getTime()) return known;
  try {
    const verified = await verify(deps, token);
    cache.set(hash, verified);
    return verified;
  } catch (error) {
    if (error instanceof errors.JOSEError) throw invalid(undefined, error);
    throw error;
  }
}

async function verify(deps: TokenDeps, token: string): Promise<Verified> {
  const claims = decodeJwt(token);
  const issuer = claims.iss ?? '';
  if (ourNames(deps.publicUrl).includes(issuer)) {
    return { kind: 'terminal', ...(await verifyAccessToken(deps, token)) };
  }
  const kinds = (['staff', 'citizen'] as IssuerKind[]).filter((kind) =>
    issuersOf(deps, kind).includes(issuer),
  );
  // One provider may serve both: then a staff token is one that has roles.
  const kind = kinds.length === 2 && !('roles' in claims) ? 'citizen' : kinds[0];
  if (!kind) throw invalid('签发方未知 Unknown issuer');
  return { kind: 'other', ...(await readOidcToken(deps, token, issuer, kind)) };
}

function invalid(detail?: string, cause?: unknown): Refusal {
  return new Refusal('access/token-invalid', { ...(detail ? { detail } : {}), cause });
}
