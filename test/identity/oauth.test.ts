import { sql } from 'drizzle-orm';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, transact } from '../../src/db/db.ts';
import { hospital } from '../../src/db/schema.ts';
import type { TokenDeps } from '../../src/identity/access-tokens.ts';
import { authenticate } from '../../src/identity/authenticate.ts';
import { oauthRouter } from '../../src/identity/oauth-router.ts';
import { registerTerminal, revokeTerminal } from '../../src/identity/terminals.ts';
import { useDatabase } from '../support/database.ts';
import { serve, type TestServer, tokenDeps } from './support.ts';

const { db, url: databaseUrl } = useDatabase();
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
let server: TestServer;
let deps: TokenDeps;
let hospitalCode: string;
let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let terminal: { id: string; clientId: string };

beforeAll(async () => {
  server = await serve((url) => {
    const made = tokenDeps(db, url);
    deps = made;
    return [oauthRouter(made)];
  });
  const [first] = await db.select().from(hospital).limit(1);
  hospitalCode = first?.code ?? '';
  keys = await generateKeyPair('EdDSA', { extractable: true });
  terminal = await register(await exportJWK(keys.publicKey));
});
afterAll(() => server.close());

const register = (jwk: unknown) =>
  transact(db, (tx) => registerTerminal(tx, { hospitalCode, name: '一号窗口', jwk }));

interface AssertionChange {
  claims?: JWTPayload;
  header?: Record<string, unknown>;
  key?: Parameters<SignJWT['sign']>[0];
}

function assertion(change: AssertionChange = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: terminal.clientId,
    sub: terminal.clientId,
    aud: server.url,
    jti: crypto.randomUUID(),
    iat: now,
    exp: now + 60,
    ...change.claims,
  };
  const header = { alg: 'EdDSA', ...change.header } as { alg: string };
  return new SignJWT(claims).setProtectedHeader(header).sign(change.key ?? keys.privateKey);
}

async function ask(form: Record<string, string> | string, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/oauth/token`, {
    method: 'POST',
    body: typeof form === 'string' ? form : new URLSearchParams(form),
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

const askWith = (client_assertion: string, more: Record<string, string> = {}) =>
  ask({
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION_TYPE,
    client_assertion,
    ...more,
  });

describe('a stock client', () => {
  test.each([
    ['EdDSA', '127.0.0.1', 'oauth2'],
    ['ES256', 'localhost', 'oauth2'],
    ['ES256', '127.0.0.1', 'oidc'],
  ] as const)('with %s at %s finds us, gets a token and finds it valid', async (alg, host, how) => {
    const pair = await generateKeyPair(alg, { extractable: true });
    const { clientId } = await register(await exportJWK(pair.publicKey));
    const base = server.url.replace('127.0.0.1', host);
    const config = await client.discovery(
      new URL(base),
      clientId,
      undefined,
      client.PrivateKeyJwt(pair.privateKey),
      { algorithm: how, execute: [client.allowInsecureRequests] },
    );
    const token = await client.clientCredentialsGrant(config);
    expect(token.token_type).toBe('bearer');
    expect(token.expires_in).toBe(900);
    const as = config.serverMetadata() as oauth.AuthorizationServer;
    const request = new Request(`${base}/v1/visits`, {
      headers: { authorization: `Bearer ${token.access_token}` },
    });
    const claims = await oauth.validateJwtAccessToken(as, request, 'egret', {
      [oauth.allowInsecureRequests]: true,
    });
    expect(claims).toMatchObject({ client_id: clientId, sub: clientId, aud: 'egret' });
    expect(await authenticate(deps, `Bearer ${token.access_token}`)).toMatchObject({
      kind: 'terminal',
      client: clientId,
      hospitalCode,
    });
  });
});

describe('a client assertion', () => {
  test('gets a token once; the second time it is refused, also by another process', async () => {
    const once = await assertion();
    const other = openDatabase({
      url: databaseUrl,
      schema: 'public',
      poolSize: 5,
      usePrepared: true,
    });
    const twin = await serve(() => [oauthRouter({ ...tokenDeps(other, server.url) })]);
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: once,
    });
    const answers = await Promise.all(
      [server.url, twin.url, server.url, twin.url].map((url) =>
        fetch(`${url}/oauth/token`, { method: 'POST', body: form }),
      ),
    );
    await twin.close();
    await other.$client.end();
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 401, 401, 401]);
  });

  test('may name the issuer or the token endpoint as its audience', async () => {
    for (const aud of [server.url, `${server.url}/`, `${server.url}/oauth/token`]) {
      expect((await askWith(await assertion({ claims: { aud } }))).status).toBe(200);
    }
  });

  const now = () => Math.floor(Date.now() / 1000);
  const refused: [string, () => AssertionChange | Promise<AssertionChange>][] = [
    ['for another audience', () => ({ claims: { aud: 'https://elsewhere.example' } })],
    ['without an audience', () => ({ claims: { aud: undefined } })],
    ['that has expired', () => ({ claims: { exp: now() - 60 } })],
    ['without an end', () => ({ claims: { exp: undefined } })],
    ['that lives longer than five minutes', () => ({ claims: { exp: now() + 600 } })],
    ['without a jti', () => ({ claims: { jti: undefined } })],
    ['from another issuer', () => ({ claims: { iss: 'somebody' } })],
    ['of an unknown client', () => ({ claims: { iss: 'nobody', sub: 'nobody' } })],
    ['with a NUL in its subject', () => ({ claims: { iss: 'a\u0000', sub: 'a\u0000' } })],
    [
      'signed with a foreign key',
      async () => ({ key: (await generateKeyPair('EdDSA')).privateKey }),
    ],
    [
      'signed with another algorithm',
      async () => ({
        header: { alg: 'RS256' },
        key: (await generateKeyPair('RS256')).privateKey,
      }),
    ],
    [
      'signed with the public key as a shared secret',
      async () => ({
        header: { alg: 'HS256' },
        key: Buffer.from(JSON.stringify(await exportJWK(keys.publicKey))),
      }),
    ],
  ];
  test.each(refused)('%s is refused', async (_what, change) => {
    const answer = await askWith(await assertion(await change()));
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('without a signature is refused', async () => {
    const [, payload] = (await assertion()).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    expect((await askWith(`${header}.${payload}.`)).body.error).toBe('invalid_client');
  });

  test('of a revoked terminal is refused', async () => {
    const pair = await generateKeyPair('EdDSA', { extractable: true });
    const { id, clientId } = await register(await exportJWK(pair.publicKey));
    const claims = { iss: clientId, sub: clientId };
    const key = pair.privateKey;
    expect((await askWith(await assertion({ claims, key }))).status).toBe(200);
    await transact(db, (tx) => revokeTerminal(tx, { terminalId: id, at: new Date() }));
    expect((await askWith(await assertion({ claims, key }))).status).toBe(401);
  });

  test('is forgotten only after it has expired', async () => {
    await db.execute(sql`insert into spent_token (hash, kind, expires_at)
      select decode(lpad(to_hex(n), 64, '0'), 'hex'), 'clientAssertion', now() - interval '1 hour'
      from generate_series(1, 50) n`);
    for (let i = 0; i < 3; i += 1) await askWith(await assertion());
    const [{ left } = { left: -1 }] = (await db.execute(
      sql`select count(*)::int as left from spent_token where expires_at < now()`,
    )) as unknown as { left: number }[];
    expect(left).toBe(0);
  });
});

describe('the token endpoint speaks OAuth’s errors', () => {
  test.each([
    ['no grant type', {}, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['no assertion', { grant_type: 'client_credentials' }, 401, 'invalid_client'],
    [
      'an assertion that is no JWT',
      {
        grant_type: 'client_credentials',
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: 'x',
      },
      401,
      'invalid_client',
    ],
    [
      'a shared secret',
      { grant_type: 'client_credentials', client_id: 'a', client_secret: 'b' },
      401,
      'invalid_client',
    ],
  ] as const)('%s', async (_what, form, status, error) => {
    expect(await ask(form)).toMatchObject({ status, body: { error } });
  });

  test('a parameter sent twice', async () => {
    const form = 'grant_type=client_credentials&grant_type=client_credentials';
    expect(await ask(form)).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  test('a client_id that is not the assertion’s', async () => {
    const answer = await askWith(await assertion(), { client_id: 'somebody' });
    expect(answer).toMatchObject({ status: 401, body: { error: 'invalid_client' } });
  });

  test('JSON instead of a form', async () => {
    const answer = await ask('{"grant_type":"client_credentials"}', {
      'content-type': 'application/json',
    });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});

describe('a terminal’s key', () => {
  test.each([
    ['a private key', async () => exportJWK(keys.privateKey)],
    ['a shared secret', async () => ({ kty: 'oct', k: 'c2VjcmV0' })],
    [
      'an RSA key',
      async () => exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey),
    ],
    [
      'a key on another curve',
      async () => exportJWK((await generateKeyPair('ES384', { extractable: true })).publicKey),
    ],
    [
      'a point that is not on the curve',
      async () => ({ kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'B'.repeat(43) }),
    ],
    ['nothing', async () => ({})],
  ])('is refused when it is %s', async (_what, jwk) => {
    await expect(register(await jwk())).rejects.toMatchObject({ code: 'terminal/key-invalid' });
  });

  test('needs a hospital of the city', async () => {
    const jwk = await exportJWK(keys.publicKey);
    const order = { hospitalCode: 'H99999999999', name: '窗口', jwk };
    const made = transact(db, (tx) => registerTerminal(tx, order));
    await expect(made).rejects.toMatchObject({ code: 'visit/hospital-unknown' });
  });
});
