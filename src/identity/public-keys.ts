// The public keys of terminals and of their vendors: Ed25519 or P-256, nothing else, never a secret.
import { importJWK, type JWK } from 'jose';

const base64url = (bytes: number) => new RegExp(`^[\\w-]{${Math.ceil((bytes * 4) / 3)}}$`);
const MEMBER = base64url(32);

/** The public members of a key, nothing else; null unless it is a public Ed25519 or P-256 key. */
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

/**
 * A stored key ready to verify with, and the only algorithms it may be used with: EdDSA ("Ed25519" is
 * RFC 9864's name of the same, which newer clients write) or ES256.
 */
export async function importPublicKey(jwk: unknown) {
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
