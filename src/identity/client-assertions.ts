// How a terminal proves who it is at the token endpoint: private_key_jwt (RFC 7523).
// Law: an assertion is good for our issuer only, for five minutes at most, and once, in every process.
import { decodeJwt, errors, jwtVerify } from 'jose';
import { liveTerminal, type TokenDeps } from './access-tokens.ts';
import { ourNames } from './our-names.ts';
import { importPublicKey } from './public-keys.ts';
import { spendOnce } from './spent-tokens.ts';

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
  const expiresAt = new Date((exp + CLOCK_TOLERANCE_SECONDS) * 1000);
  const thing = { text: `${clientId}\n${jti}`, kind: 'clientAssertion', expiresAt } as const;
  const isFirst = await spendOnce(deps.db, thing, deps.realNow());
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
    const key = await importPublicKey(jwk);
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
