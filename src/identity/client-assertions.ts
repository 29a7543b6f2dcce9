// How a terminal proves who it is at the token endpoint: private_key_jwt (RFC 7523).
// Law: an assertion is good for our issuer only, for five minutes at most, and once, in every process.
import { createHash } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { decodeJwt, errors, importJWK, type JWK, jwtVerify } from 'jose';
import { type Db, rows } from '../db/db.ts';
import { liveTerminal, type TokenDeps } from './access-tokens.ts';
import { ourNames } from './our-names.ts';

/** EdDSA or ES256; "Ed25519" is RFC 9864's name of the same EdDSA, which newer clients write. */
export const ASSERTION_ALGORITHMS = ['EdDSA', 'Ed25519', 'ES256'];
const MAX_LIFE_SECONDS = 300;
const CLOCK_TOLERANCE_SECONDS = 5;
const MAX_ASSERTION_LENGTH = 8_192;
const MAX_JTI_LENGTH = 512;
/** Printable ASCII: anything else is no client of ours and must not reach the database. */
const CLIENT_ID = /^[\x21-\x7e]{1,200}$/;

/** A client that did not prove who it is: invalid_client in OAuth's words. */
export class ClientRefused extends Error {}

/** The client id that an assertion proves. Throws ClientRefused; spends the assertion. */
export async function acceptAssertion(
  deps: TokenDeps,
  assertion: string,
  claimedClientId: string | undefined,
): Promise<string> {
  const clientId = readSubject(assertion);
  if (claimedClientId !== undefined && claimedClientId !== clientId) {
    throw new ClientRefused('client_id is not the assertion’s subject');
  }
  const terminal = await liveTerminal(deps.db, clientId);
  if (!terminal) throw new ClientRefused('unknown or revoked client');
  const { jti, exp } = await verify(deps, assertion, clientId, terminal.jwk);
  const isFirst = await spendOnce(deps.db, {
    text: `clientAssertion\n${clientId}\n${jti}`,
    kind: 'clientAssertion',
    now: deps.realNow(),
    expiresAt: new Date((exp + CLOCK_TOLERANCE_SECONDS) * 1000),
  });
  if (!isFirst) throw new ClientRefused('this assertion was used before');
  return clientId;
}

function readSubject(assertion: string): string {
  if (assertion.length > MAX_ASSERTION_LENGTH) throw new ClientRefused('assertion too long');
  try {
    const { iss, sub } = decodeJwt(assertion);
    if (typeof sub !== 'string' || !CLIENT_ID.test(sub) || iss !== sub) {
      throw new ClientRefused('iss and sub must both be the client id');
    }
    return sub;
  } catch (error) {
    throw error instanceof errors.JOSEError ? new ClientRefused('not a JWT') : error;
  }
}

async function verify(deps: TokenDeps, assertion: string, clientId: string, jwk: unknown) {
  const now = deps.realNow();
  try {
    const key = await importTerminalKey(jwk);
    if (!key) throw new ClientRefused('this client has no key');
    const { payload } = await jwtVerify(assertion, key.key, {
      algorithms: key.algorithms,
      issuer: clientId,
      subject: clientId,
      audience: ourNames(deps.publicUrl).flatMap((n) => [n, `${n}/`, `${n}/oauth/token`]),
      requiredClaims: ['exp', 'jti'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: now,
    });
    const { jti, exp } = payload;
    if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI_LENGTH) {
      throw new ClientRefused('jti missing');
    }
    const limit = now.getTime() / 1000 + MAX_LIFE_SECONDS + CLOCK_TOLERANCE_SECONDS;
    if (typeof exp !== 'number' || exp > limit) {
      throw new ClientRefused('exp is more than 5 minutes ahead');
    }
    return { jti, exp };
  } catch (error) {
    throw error instanceof errors.JOSEError ? new ClientRefused(error.message) : error;
  }
}

const base64url = (bytes: number) => new RegExp(`^[\\w-]{${Math.ceil((bytes * 4) / 3)}}$`);
const MEMBER = base64url(32);

/**
 * The public members of a terminal's key, nothing else; null unless it is a public Ed25519 or
 * P-256 key.
 */
export function publicKeyOf(jwk: unknown): JWK | null {
  if (typeof jwk !== 'object' || jwk === null) return null;
  const { kty, crv, x, y, alg, ...rest } = jwk as Record<string, unknown>;
  const secret = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];
  if (secret.some((member) => member in rest) || typeof x !== 'string' || !MEMBER.test(x)) {
    return null;
  }
  if (kty === 'OKP' && crv === 'Ed25519' && (alg ?? 'EdDSA') !== 'ES256') return { kty, crv, x };
  if (kty !== 'EC' || crv !== 'P-256' || (alg ?? 'ES256') !== 'ES256') return null;
  return typeof y === 'string' && MEMBER.test(y) ? { kty, crv, x, y } : null;
}

/** A stored key ready to verify with, and the only algorithms it may be used with. */
export async function importTerminalKey(jwk: unknown) {
  const publicJwk = publicKeyOf(jwk);
  if (!publicJwk) return null;
  const algorithms = publicJwk.kty === 'EC' ? ['ES256'] : ['EdDSA', 'Ed25519'];
  try {
    return { key: await importJWK(publicJwk, algorithms[0]), algorithms };
  } catch {
    // A point that is not on the curve.
    return null;
  }
}

/**
 * Notes a one-time thing as used until it expires; true for exactly one caller, in any process.
 * Each note also sweeps a few expired ones, so the table stays as small as five minutes are.
 */
async function spendOnce(
  db: Db,
  thing: { text: string; kind: string; now: Date; expiresAt: Date },
): Promise<boolean> {
  const hash = createHash('sha256').update(thing.text).digest();
  const spent = await rows(
    db,
    sql`
    with swept as (
      delete from spent_token where hash in (
        select hash from spent_token
        where expires_at < ${thing.now.toISOString()}::timestamptz and hash <> ${hash}
        limit 20 for update skip locked)
    )
    insert into spent_token (hash, kind, expires_at)
    values (${hash}, ${thing.kind}, ${thing.expiresAt.toISOString()}::timestamptz)
    on conflict (hash) do nothing returning 1 as spent`,
  );
  return spent.length === 1;
}
