// The OAuth face for terminals: token endpoint (RFC 6749, 7523), metadata (RFC 8414), keys.
// It speaks OAuth's own forms and errors, so that a stock client works unmodified.
import express, { type Request, type Response, Router } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { issueAccessToken, type TokenDeps } from './access-tokens.ts';
import { ASSERTION_ALGORITHMS, acceptAssertion, ClientRefused } from './client-assertions.ts';
import { ourNames } from './our-names.ts';
import { signingKeyOf } from './signing-keys.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** A parameter sent twice arrives as an array, which RFC 6749 §3.2 forbids: not a string. */
const tokenForm = z.object({
  grant_type: z.string(),
  client_assertion_type: z.string().optional(),
  client_assertion: z.string().optional(),
  client_id: z.string().optional(),
  scope: z.string().optional(),
});

class OAuthError extends Error {
  readonly status: number;
  readonly error: string;

  constructor(status: number, error: string, description: string) {
    super(description);
    this.status = status;
    this.error = error;
  }
}

type OAuthDeps = TokenDeps & { log: Pick<Logger, 'error'> };

/** POST /oauth/token and the two well-known documents. */
export function oauthRouter(deps: OAuthDeps): express.Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '32kb' });
  router.post('/oauth/token', form, async (req: Request, res: Response) => {
    res.set('Cache-Control', 'no-store');
    try {
      const token = await grant(deps, req);
      res.json({
        access_token: token.accessToken,
        token_type: 'Bearer',
        expires_in: token.expiresIn,
      });
    } catch (error) {
      sendError(deps, res, error);
    }
  });
  const metadata = (req: Request, res: Response) => {
    res.set('Cache-Control', 'public, max-age=300').json(metadataOf(nameAsked(deps, req)));
  };
  router.get('/.well-known/oauth-authorization-server', metadata);
  // Many clients look here first, whatever the server is; the document is the same.
  router.get('/.well-known/openid-configuration', metadata);
  router.get('/.well-known/jwks.json', async (_req: Request, res: Response) => {
    const { publicJwk } = await signingKeyOf(deps, 'accessToken');
    res.set('Cache-Control', 'public, max-age=300').json({ keys: [publicJwk] });
  });
  return router;
}

async function grant(deps: OAuthDeps, req: Request) {
  const isForm = Boolean(req.is('application/x-www-form-urlencoded'));
  const parsed = tokenForm.safeParse(isForm ? req.body : {});
  if (!parsed.success) {
    throw new OAuthError(400, 'invalid_request', 'form-encoded grant_type, each parameter once');
  }
  const { data } = parsed;
  if (data.grant_type !== 'client_credentials') {
    throw new OAuthError(400, 'unsupported_grant_type', 'only client_credentials');
  }
  if (data.client_assertion_type !== ASSERTION_TYPE || !data.client_assertion) {
    throw new OAuthError(401, 'invalid_client', 'private_key_jwt is required');
  }
  const clientId = await acceptAssertion(deps, data.client_assertion, data.client_id);
  return issueAccessToken(deps, { clientId, issuer: nameAsked(deps, req) });
}

function sendError(deps: OAuthDeps, res: Response, error: unknown): void {
  const known =
    error instanceof ClientRefused ? new OAuthError(401, 'invalid_client', error.message) : error;
  if (known instanceof OAuthError) {
    // RFC 6749 lets descriptions be printable ASCII only.
    const description = known.message.replace(/[^\x20-\x7e]|["\\]/g, "'");
    res.status(known.status).json({ error: known.error, error_description: description });
    return;
  }
  deps.log.error({ err: error }, 'token endpoint failed');
  res.status(503).set('Retry-After', '2');
  res.json({ error: 'temporarily_unavailable', error_description: 'try again' });
}

/** The name of ours that the client used; our first name when it used none of them. */
function nameAsked(deps: Pick<TokenDeps, 'publicUrl'>, req: Request): string {
  const names = ourNames(deps.publicUrl);
  const asked = names.find((name) => new URL(name).host === req.headers.host);
  return asked ?? (names[0] as string);
}

function metadataOf(issuer: string) {
  return {
    issuer,
    token_endpoint: `${issuer}/oauth/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: [],
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    service_documentation: `${issuer}/docs`,
  };
}
