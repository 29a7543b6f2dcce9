// Any OIDC issuer by its URL alone: discovery, then its keys through jose's remote JWKS.
// Law: an issuer that cannot be reached is 503 for the caller, never "invalid" and never "valid".
import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { fetch } from 'undici';
import { z } from 'zod';
import { Refusal } from '../errors.ts';

/** After a failed discovery callers are refused at once for so long, to spare the issuer. */
const RETRY_AFTER_SECONDS = 2;
const FETCH_TIMEOUT_MS = 5_000;
/** One lost packet or one 429 must not refuse a citizen: pauses between tries. */
const PAUSES_MS = [0, 100, 400];
/** A key that an issuer withdraws is gone here after so long. */
const KEYS_MAX_AGE_MS = 600_000;
const KEYS_COOLDOWN_MS = 30_000;

const metadata = z.object({ issuer: z.string(), jwks_uri: z.url() });

interface Entry {
  keys: Promise<JWTVerifyGetKey>;
  failedAt: number | null;
}

const issuers = new Map<string, Entry>();

/** The issuer's key finder for jwtVerify. Refuses with service/unavailable when it is unreachable. */
export async function keysOfIssuer(issuer: string): Promise<JWTVerifyGetKey> {
  const known = issuers.get(issuer);
  const isResting = known?.failedAt && Date.now() < known.failedAt + RETRY_AFTER_SECONDS * 1000;
  if (known && (known.failedAt === null || isResting)) return known.keys;
  const entry: Entry = { keys: discover(issuer), failedAt: null };
  issuers.set(issuer, entry);
  entry.keys.catch(() => {
    entry.failedAt = Date.now();
  });
  return entry.keys;
}

async function discover(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetchPatiently(url);
    const found = metadata.parse(await response.json());
    if (found.issuer !== issuer) throw new Error(`${url} speaks for ${found.issuer}`);
    const remote = createRemoteJWKSet(new URL(found.jwks_uri), {
      timeoutDuration: FETCH_TIMEOUT_MS,
      cacheMaxAge: KEYS_MAX_AGE_MS,
      cooldownDuration: KEYS_COOLDOWN_MS,
      [customFetch]: fetchPatiently,
    });
    return async (header, token) => {
      try {
        return await remote(header, token);
      } catch (error) {
        const isAboutToken =
          error instanceof errors.JWKSNoMatchingKey ||
          error instanceof errors.JWKSMultipleMatchingKeys ||
          error instanceof errors.JOSENotSupported;
        throw isAboutToken ? error : unreachable(issuer, error);
      }
    };
  } catch (error) {
    throw unreachable(issuer, error);
  }
}

async function fetchPatiently(
  url: string,
  options: { headers?: Headers; signal?: AbortSignal } = {},
): Promise<Response> {
  let failure: unknown;
  for (const pause of PAUSES_MS) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      const response = await fetch(url, {
        headers: { accept: 'application/json' },
        signal: options.signal ?? AbortSignal.timeout(FETCH_TIMEOUT_MS),
      });
      if (response.status === 200) return response as unknown as Response;
      await response.body?.cancel();
      failure = new Error(`${url} answered ${response.status}`);
    } catch (error) {
      failure = error;
      if (options.signal?.aborted) break;
    }
  }
  throw failure;
}

function unreachable(issuer: string, cause: unknown): Refusal {
  return new Refusal('service/unavailable', {
    detail: `身份认证服务暂不可用 The identity provider ${issuer} cannot be reached`,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  });
}
