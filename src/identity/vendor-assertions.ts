// What a vendor's device says of the face it saw or the chip it read: a compact JWS (ES256 or EdDSA).
// Law: signed by a registered, unrevoked vendor's own key, meant for us and for this terminal, at most
// 60 seconds old, and good once, in every process, spent by the transaction that uses it.
import { eq } from 'drizzle-orm';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import type { Tx } from '../db/db.ts';
import { terminal } from '../db/schema.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { shortText } from '../http/schemas.ts';
import { parseIdNumber } from './id-number.ts';
import { ourNames } from './our-names.ts';
import { importPublicKey } from './public-keys.ts';
import { isSpent, type OneTimeThing, spendOnce } from './spent-tokens.ts';
import { keysOfVendor } from './terminal-vendors.ts';

/** From taking the picture to our reading it; longer would be worth stealing. */
export const ASSERTION_LIFE_SECONDS = 60;
/** Counters' clocks are a little off. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** A note of use outlives the assertion by more than the clocks of our processes may differ. */
const NOTE_MARGIN_SECONDS = 60;
/** Of the vendor that every sandbox has; never believed in production, whatever is registered. */
export const SANDBOX_VENDOR_ISSUER = 'urn:egret:sandbox-vendor';

const printable = z.string().regex(/^[\x21-\x7e]{1,200}$/);

const claimsSchema = z.looseObject({
  iss: printable,
  iat: z.number(),
  exp: z.number(),
  nonce: printable.optional(),
  jti: printable.optional(),
  method: z.enum(['face', 'nfc']),
  name: shortText(50),
  idNumber: z.string().max(30),
  terminal: z.string().optional(),
});
type Claims = z.output<typeof claimsSchema>;

export interface ShownAssertion {
  kind: 'face' | 'nfc';
  assertion: string;
  terminalId: string;
}

export interface BelievedAssertion {
  name: string;
  /** Normalised, valid. */
  idNumber: string;
  thing: OneTimeThing;
}

type AssertionDeps = Pick<Deps, 'db' | 'env' | 'publicUrl' | 'realNow'>;

/**
 * Whom an assertion names. Changes nothing. Refuses with identity/unknown (vendor, signature, audience,
 * terminal, claims), identity/expired or identity/already-used.
 */
export async function readAssertion(
  deps: AssertionDeps,
  shown: ShownAssertion,
): Promise<BelievedAssertion> {
  const claims = readClaims(await verifiedPayload(deps, shown.assertion));
  if (claims.method !== shown.kind) throw unknown('凭证种类不符 It proves another method');
  if (claims.exp - claims.iat > ASSERTION_LIFE_SECONDS || claims.exp <= claims.iat) {
    throw unknown('有效期不得超过 60 秒 It may live 60 seconds at most');
  }
  const parsed = parseIdNumber(claims.idNumber);
  if (!parsed) throw unknown('身份证号无效 Invalid ID number');
  await refuseOtherTerminal(deps, claims.terminal, shown.terminalId);
  const once = claims.nonce ?? claims.jti;
  if (once === undefined) throw unknown('缺少一次性标识 nonce or jti is missing');
  const endsAt = claims.exp + CLOCK_TOLERANCE_SECONDS + NOTE_MARGIN_SECONDS;
  const thing: OneTimeThing = {
    text: `${claims.iss}\n${once}`,
    kind: 'vendorAssertion',
    expiresAt: new Date(endsAt * 1000),
  };
  if (await isSpent(deps.db, thing)) throw new Refusal('identity/already-used');
  return { name: claims.name, idNumber: parsed.number, thing };
}

/** Uses it up in the caller's transaction. Refuses with identity/already-used when raced. */
export async function spendAssertion(tx: Tx, thing: OneTimeThing, now: Date): Promise<void> {
  if (!(await spendOnce(tx, thing, now))) throw new Refusal('identity/already-used');
}

/** The payload once signature, issuer, audience and times hold. */
async function verifiedPayload(deps: AssertionDeps, assertion: string): Promise<JWTPayload> {
  try {
    const { iss, kid } = namedIn(assertion);
    const keys = await keysFor(deps, iss);
    const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid);
    for (const jwk of named) {
      const payload = await verifyWith(deps, assertion, { jwk, issuer: iss ?? '' });
      if (payload) return payload;
    }
    throw unknown('签名无效 Signature invalid');
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new Refusal('identity/expired');
    throw error instanceof errors.JOSEError ? unknown('凭证无效 Not a good assertion') : error;
  }
}

/** Whose it claims to be, unverified. A header or payload that cannot be read is nobody's. */
function namedIn(assertion: string): { iss: string | undefined; kid: unknown } {
  try {
    return { iss: decodeJwt(assertion).iss, kid: decodeProtectedHeader(assertion).kid };
  } catch {
    // jose throws a TypeError, not one of its own errors, for some of what is malformed.
    throw unknown('凭证无效 Not a good assertion');
  }
}

async function keysFor(deps: AssertionDeps, issuer: unknown) {
  const name = printable.safeParse(issuer).data ?? '';
  const isOurs = name === SANDBOX_VENDOR_ISSUER;
  const isAllowed = name !== '' && !(isOurs && deps.env.EGRET_MODE !== 'sandbox');
  const keys = isAllowed ? await keysOfVendor(deps.db, name) : null;
  if (!keys) throw unknown('设备厂商未登记 Terminal vendor not registered');
  return keys;
}

/** Null when this key did not sign it; all else that is wrong is thrown. */
async function verifyWith(
  deps: AssertionDeps,
  assertion: string,
  by: { jwk: unknown; issuer: string },
): Promise<JWTPayload | null> {
  const key = await importPublicKey(by.jwk);
  if (!key) return null;
  try {
    const { payload } = await jwtVerify(assertion, key.key, {
      algorithms: key.algorithms,
      issuer: by.issuer,
      audience: ourNames(deps.publicUrl).flatMap((name) => [name, `${name}/`]),
      requiredClaims: ['iat', 'exp'],
      maxTokenAge: ASSERTION_LIFE_SECONDS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: deps.realNow(),
    });
    return payload;
  } catch (error) {
    const isOtherKey =
      error instanceof errors.JWSSignatureVerificationFailed ||
      error instanceof errors.JOSEAlgNotAllowed;
    if (isOtherKey) return null;
    throw error;
  }
}

function readClaims(payload: JWTPayload): Claims {
  const claims = claimsSchema.safeParse(payload);
  if (claims.success) return claims.data;
  const wrong = claims.error.issues[0]?.path.join('.') ?? '';
  throw unknown(`缺少或无效的声明 Claim missing or invalid: ${wrong}`);
}

/** A terminal is named by its id or its client id. */
async function refuseOtherTerminal(
  deps: AssertionDeps,
  claimed: string | undefined,
  terminalId: string,
): Promise<void> {
  if (claimed === undefined || claimed === terminalId) return;
  const [own] = await deps.db
    .select({ clientId: terminal.clientId })
    .from(terminal)
    .where(eq(terminal.id, terminalId));
  if (own?.clientId !== claimed) throw unknown('凭证属于其他终端 It is another terminal’s');
}

function unknown(detail: string): Refusal {
  return new Refusal('identity/unknown', { detail });
}
