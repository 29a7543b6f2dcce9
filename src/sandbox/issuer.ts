// Role: the sandbox's own OIDC issuers, one for citizens and one for staff and lenders, and the
// tokens that POST /sandbox/tokens gives away. Exists only with EGRET_MODE=sandbox.
import { createHash } from 'node:crypto';
import { asc, eq } from 'drizzle-orm';
import express, { type Request, type Response, Router } from 'express';
import { SignJWT } from 'jose';
import { hospital, lender, terminal } from '../db/schema.ts';
import { Refusal } from '../errors.ts';
import type { StaffRole } from '../http/route.ts';
import { type IssuedToken, issueAccessToken, type TokenDeps } from '../identity/access-tokens.ts';
import { parseIdNumber } from '../identity/id-number.ts';
import { type IssuerKind, sandboxIssuer, sandboxIssuerPath } from '../identity/our-names.ts';
import { SIGNING_ALGORITHM, signingKeyOf } from '../identity/signing-keys.ts';
import { refuseUnknownHospital } from '../identity/terminals.ts';
import { newId } from '../ids.ts';

/** A working day: whoever tries the sandbox should not run into an expired token at lunch. */
const OIDC_TOKEN_SECONDS = 8 * 3600;
/** Registered without a key: this client gets its tokens here and never at /oauth/token. */
const NO_KEY = { kty: 'none' };

export interface SandboxTokenRequest {
  role: 'terminal' | 'citizen' | 'lenderOperator' | StaffRole;
  citizen?: { name: string; idNumber: string; phone?: string | undefined } | undefined;
  hospitalCode?: string | undefined;
  subject?: string | undefined;
  lender?: string | undefined;
}

/** Discovery document and keys of both issuers. */
export function sandboxIssuerRouter(deps: TokenDeps): express.Router {
  const router = Router();
  for (const kind of ['citizen', 'staff'] as const) {
    const path = sandboxIssuerPath(kind);
    const issuer = sandboxIssuer(deps.publicUrl, kind);
    router.get(`${path}/.well-known/openid-configuration`, (_req: Request, res: Response) => {
      res.json({
        issuer,
        jwks_uri: `${issuer}/jwks`,
        authorization_endpoint: `${issuer}/authorize`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [SIGNING_ALGORITHM],
      });
    });
    router.get(`${path}/jwks`, async (_req: Request, res: Response) => {
      const { publicJwk } = await signingKeyOf(deps, `sandboxIssuer:${kind}`);
      res.json({ keys: [publicJwk] });
    });
  }
  return router;
}

/**
 * A token of a role. The same role, hospital and subject (default: one a role and hospital, or the
 * citizen) is the same client, also after a restart. 422 visit/hospital-unknown.
 */
export async function issueSandboxToken(
  deps: TokenDeps,
  request: SandboxTokenRequest,
): Promise<IssuedToken> {
  const { hospitalCode } = request;
  if (hospitalCode !== undefined) await refuseUnknownHospital(deps.db, hospitalCode);
  if (request.role === 'terminal') return issueTerminalToken(deps, hospitalCode, request.subject);
  if (request.role === 'citizen') return issueCitizenToken(deps, request.citizen);
  const roles = [request.role];
  const subject = request.subject ?? `${request.role}:${hospitalCode ?? 'city'}`;
  if (request.role !== 'lenderOperator') {
    return sign(deps, 'staff', subject, {
      roles,
      ...(hospitalCode ? { hospital: hospitalCode } : {}),
    });
  }
  const code = await lenderOf(deps, request.lender ?? request.subject);
  const operator = request.subject ?? `lenderOperator:${code}`;
  return sign(deps, 'staff', operator, { roles, lender: code });
}

async function issueTerminalToken(
  deps: TokenDeps,
  hospitalCode: string | undefined,
  subject = 'counter-1',
): Promise<IssuedToken> {
  const code = hospitalCode ?? (await firstHospital(deps));
  const mark = createHash('sha256').update(`${code}\n${subject}`).digest('base64url').slice(0, 22);
  const clientId = `sandbox-${mark}`;
  await deps.db
    .insert(terminal)
    .values({
      id: newId('terminal'),
      clientId,
      hospitalCode: code,
      name: `沙盒终端 Sandbox ${subject}`,
      jwk: NO_KEY,
    })
    .onConflictDoNothing();
  return issueAccessToken(deps, { clientId });
}

function issueCitizenToken(
  deps: TokenDeps,
  citizen: SandboxTokenRequest['citizen'],
): Promise<IssuedToken> {
  const parsed = parseIdNumber(citizen?.idNumber ?? '');
  if (!citizen || !parsed) {
    throw new Refusal('request/invalid', {
      errors: [{ pointer: '/citizen', detail: 'expects {name, idNumber} with a valid ID number' }],
    });
  }
  const subject = deps.keyring.blindIndex(`sandbox subject ${parsed.number}`).toString('hex');
  return sign(deps, 'citizen', subject.slice(0, 32), {
    name: citizen.name,
    id_number: parsed.number,
    ...(citizen.phone ? { phone_number: citizen.phone } : {}),
  });
}

async function sign(
  deps: TokenDeps,
  kind: IssuerKind,
  subject: string,
  claims: Record<string, unknown>,
): Promise<IssuedToken> {
  const key = await signingKeyOf(deps, `sandboxIssuer:${kind}`);
  const now = Math.floor(deps.realNow().getTime() / 1000);
  const accessToken = await new SignJWT(claims)
    .setProtectedHeader({ alg: SIGNING_ALGORITHM, typ: 'at+jwt', kid: key.kid })
    .setIssuer(sandboxIssuer(deps.publicUrl, kind))
    .setAudience(deps.env.TOKEN_AUDIENCE)
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + OIDC_TOKEN_SECONDS)
    .sign(key.privateKey);
  return { accessToken, expiresIn: OIDC_TOKEN_SECONDS };
}

async function firstHospital(deps: TokenDeps): Promise<string> {
  const [row] = await deps.db
    .select({ code: hospital.code })
    .from(hospital)
    .orderBy(asc(hospital.code))
    .limit(1);
  if (!row) throw new Refusal('visit/hospital-unknown', { detail: 'the city has no hospital' });
  return row.code;
}

/** The lender named, if there is one of that code, else the first. */
async function lenderOf(deps: TokenDeps, wanted: string | undefined): Promise<string> {
  const [named] = wanted ? await deps.db.select().from(lender).where(eq(lender.code, wanted)) : [];
  if (named) return named.code;
  const [first] = await deps.db.select().from(lender).orderBy(asc(lender.code)).limit(1);
  if (!first) throw new Refusal('credit/lender-unknown');
  return first.code;
}
