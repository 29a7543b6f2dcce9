// Role: the one terminal vendor that every sandbox has, and the face and NFC assertions that
// POST /sandbox/assertions gives away. Exists only with EGRET_MODE=sandbox.
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { terminalVendor } from '../db/schema.ts';
import type { TokenDeps } from '../identity/access-tokens.ts';
import { ourNames } from '../identity/our-names.ts';
import { SIGNING_ALGORITHM, type SigningKey, signingKeyOf } from '../identity/signing-keys.ts';
import { ASSERTION_LIFE_SECONDS, SANDBOX_VENDOR_ISSUER } from '../identity/vendor-assertions.ts';
import { newId } from '../ids.ts';

export interface AssertionRequest {
  kind: 'face' | 'nfc';
  citizen: { name: string; idNumber: string };
  /** Id or client id of the only terminal that may show it; absent: any. */
  terminalId?: string | undefined;
}

/** Registers the sandbox's vendor where it is missing; one that was revoked stays revoked. */
export async function registerSandboxVendor(deps: TokenDeps): Promise<SigningKey> {
  const key = await signingKeyOf(deps, 'sandboxVendor');
  await deps.db
    .insert(terminalVendor)
    .values({
      id: newId('terminalVendor'),
      issuer: SANDBOX_VENDOR_ISSUER,
      name: '沙盒终端厂商 Sandbox vendor',
      keys: [key.publicJwk],
      createdAt: deps.realNow(),
    })
    .onConflictDoNothing();
  return key;
}

/** What a counter's camera or card reader would have signed; good once, for 60 seconds. */
export async function mintAssertion(deps: TokenDeps, request: AssertionRequest): Promise<string> {
  const key = await registerSandboxVendor(deps);
  const now = Math.floor(deps.realNow().getTime() / 1000);
  const { kind, citizen, terminalId } = request;
  const claims = {
    method: kind,
    name: citizen.name,
    idNumber: citizen.idNumber,
    nonce: randomUUID(),
    ...(terminalId ? { terminal: terminalId } : {}),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, kid: key.kid })
    .setIssuer(SANDBOX_VENDOR_ISSUER)
    .setAudience(ourNames(deps.publicUrl)[0] as string)
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_LIFE_SECONDS)
    .sign(key.privateKey);
}
