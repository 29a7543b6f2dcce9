// Who a citizen, a lender's operator or a staff member is, read from the claims of a verified token.
import { jwtVerify } from 'jose';
import { z } from 'zod';
import { transact } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { type Caller, type StaffRole, staffRoles } from '../http/route.ts';
import type { TokenDeps } from './access-tokens.ts';
import { parseIdNumber } from './id-number.ts';
import { keysOfIssuer } from './oidc-issuer.ts';
import type { IssuerKind } from './our-names.ts';
import { findOrCreateCitizen } from './people.ts';

const ALGORITHMS = ['EdDSA', 'ES256', 'RS256', 'PS256'];
/** Access tokens by RFC 9068, and the "JWT" that most OIDC providers still write. */
const TYPES = new Set(['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt']);
/** Two machines' clocks are never the same. */
const CLOCK_TOLERANCE_SECONDS = 5;

const citizenClaims = z.object({
  name: z.string().trim().min(1).max(50),
  id_number: z.string(),
  phone_number: z
    .string()
    .regex(/^\+?[\d-]{5,20}$/)
    .optional(),
});
/** Text that may go into our rows: no control characters, no halves of a character. */
const plainText = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,200}$/u);
const staffClaims = z.object({
  sub: plainText,
  roles: z.array(z.string()).default([]),
  hospital: plainText.nullish(),
  lender: plainText.nullish(),
});

/** Verifies an OIDC provider's token strictly and reads who it is, until when (seconds). */
export async function readOidcToken(
  deps: TokenDeps,
  token: string,
  issuer: string,
  kind: IssuerKind,
): Promise<{ caller: Caller; expiresAt: number }> {
  const keys = await keysOfIssuer(issuer);
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    algorithms: ALGORITHMS,
    issuer,
    audience: deps.env.TOKEN_AUDIENCE,
    requiredClaims: ['sub', 'exp'],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    currentDate: deps.realNow(),
  });
  if (!TYPES.has(String(protectedHeader.typ).toLowerCase())) throw invalid('typ');
  const caller = kind === 'citizen' ? await citizenOf(deps, payload) : staffOf(payload);
  return { caller, expiresAt: Number(payload.exp) };
}

async function citizenOf(deps: TokenDeps, payload: unknown): Promise<Caller> {
  const claims = citizenClaims.safeParse(payload);
  const idNumber = claims.success ? parseIdNumber(claims.data.id_number) : null;
  if (!claims.success || !idNumber) throw invalid('real-name claims name and id_number');
  const { citizenId } = await transact(deps.db, (tx) =>
    findOrCreateCitizen(tx, deps.keyring, {
      name: claims.data.name,
      idNumber: idNumber.number,
      phone: claims.data.phone_number,
      source: 'realName',
    }),
  );
  return { kind: 'citizen', client: `citizen:${citizenId}`, citizenId };
}

function staffOf(payload: unknown): Caller {
  const claims = staffClaims.safeParse(payload);
  if (!claims.success) throw invalid('sub and roles');
  const { sub, roles, hospital, lender } = claims.data;
  const known = staffRoles.filter((role): role is StaffRole => roles.includes(role));
  if (known.length === 0 && roles.includes('lenderOperator') && lender) {
    return { kind: 'lenderOperator', client: `lender:${sub}`, subject: sub, lender };
  }
  return {
    kind: 'staff',
    client: `staff:${sub}`,
    subject: sub,
    roles: known,
    hospitalCode: hospital ?? null,
  };
}

function invalid(what: string): Refusal {
  return new Refusal('access/token-invalid', { detail: `访问令牌无效 Token refused: ${what}` });
}
