// Our own access tokens for terminals (RFC 9068, at+jwt, 15 minutes), and their verification.
// Law: algorithm, issuer, audience and type are explicit; the terminal's row is read on every
// request, so a revocation holds from the next request in every process.
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { ourNames } from './our-names.ts';
import { SIGNING_ALGORITHM, signingKeyOf } from './signing-keys.ts';

export type TokenDeps = Pick<Deps, 'env' | 'publicUrl' | 'db' | 'keyring' | 'realNow'>;

/** Short, because a stolen token works until it ends or its terminal is revoked. */
const ACCESS_TOKEN_SECONDS = 900;

export interface IssuedToken {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
}

/** A token for a terminal; `issuer` is the name of ours that the client asked under. */
export async function issueAccessToken(
  deps: TokenDeps,
  client: { clientId: string; issuer?: string },
): Promise<IssuedToken> {
  const key = await signingKeyOf(deps, 'accessToken');
  const now = Math.floor(deps.realNow().getTime() / 1000);
  const accessToken = await new SignJWT({ client_id: client.clientId })
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: 'at+jwt', kid: key.kid })
    .setIssuer(client.issuer ?? (ourNames(deps.publicUrl)[0] as string))
    .setAudience(deps.env.TOKEN_AUDIENCE)
    .setSubject(client.clientId)
    .setJti(randomUUID())
    .setIssuedAt(now)
    .setExpirationTime(now + ACCESS_TOKEN_SECONDS)
    .sign(key.privateKey);
  return { accessToken, expiresIn: ACCESS_TOKEN_SECONDS };
}

/** The client of a token of ours, and when it ends (seconds). Throws jose's errors. */
export async function verifyAccessToken(
  deps: TokenDeps,
  token: string,
): Promise<{ clientId: string; expiresAt: number }> {
  const key = await signingKeyOf(deps, 'accessToken');
  const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [key.publicJwk] }), {
    algorithms: [SIGNING_ALGORITHM],
    issuer: ourNames(deps.publicUrl),
    audience: deps.env.TOKEN_AUDIENCE,
    typ: 'at+jwt',
    requiredClaims: ['sub', 'exp', 'iat', 'jti', 'client_id'],
    currentDate: deps.realNow(),
  });
  return { clientId: String(payload.sub), expiresAt: Number(payload.exp) };
}

/** The terminal of a client as the database has it now; null when unknown or revoked. */
export async function liveTerminal(
  db: Db,
  clientId: string,
): Promise<{ terminalId: string; hospitalCode: string; jwk: unknown } | null> {
  const [row] = await rows<{ id: string; hospital_code: string; jwk: unknown }>(
    db,
    sql`
    select id, hospital_code, jwk from terminal
    where client_id = ${clientId} and revoked_at is null`,
  );
  return row ? { terminalId: row.id, hospitalCode: row.hospital_code, jwk: row.jwk } : null;
}
