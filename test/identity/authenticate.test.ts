import { Router } from 'express';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, transact } from '../../src/db/db.ts';
import { hospital, terminal } from '../../src/db/schema.ts';
import { issueAccessToken, type TokenDeps } from '../../src/identity/access-tokens.ts';
import { authenticate } from '../../src/identity/authenticate.ts';
import { readCitizen } from '../../src/identity/people.ts';
import { signingKeyOf } from '../../src/identity/signing-keys.ts';
import { registerTerminal, revokeTerminal } from '../../src/identity/terminals.ts';
import { issueSandboxToken, sandboxIssuerRouter } from '../../src/sandbox/issuer.ts';
import { useDatabase } from '../support/database.ts';
import {
  idNumberOf,
  newPerson,
  sandboxEnvironment,
  serve,
  type TestServer,
  tokenDeps,
} from './support.ts';

const { db, url: databaseUrl } = useDatabase();
/** The city's provider, as somebody else runs it: RS256, its own keys and claims. */
let provider: TestServer;
let providerKeys: Awaited<ReturnType<typeof generateKeyPair>>;
let server: TestServer;
let deps: TokenDeps;
let hospitalCode: string;

beforeAll(async () => {
  providerKeys = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(providerKeys.publicKey)), kid: 'p1', alg: 'RS256' };
  provider = await serve((url) => {
    const router = Router();
    const metadata = { issuer: url, jwks_uri: `${url}/keys` };
    router.get('/.well-known/openid-configuration', (_req, res) => res.json(metadata));
    router.get('/keys', (_req, res) => res.json({ keys: [jwk] }));
    return [router];
  });
  server = await serve((url) => {
    deps = tokenDeps(db, url, { env: sandboxEnvironment({ CITIZEN_ISSUER: provider.url }) });
    return [sandboxIssuerRouter(deps)];
  });
  const [first] = await db.select().from(hospital).limit(1);
  hospitalCode = first?.code ?? '';
});
afterAll(async () => {
  await server.close();
  await provider.close();
});

const bearer = (token: string) => authenticate(deps, `Bearer ${token}`);
const now = () => Math.floor(Date.now() / 1000);

async function newTerminal() {
  const { publicKey } = await generateKeyPair('EdDSA', { extractable: true });
  const jwk = await exportJWK(publicKey);
  return transact(db, (tx) => registerTerminal(tx, { hospitalCode, name: '窗口', jwk }));
}

describe('without a token', () => {
  test.each([undefined, '', 'Basic YTpi', 'Bearer', 'Bearer a b'])(
    '%s is missing',
    async (header) => {
      await expect(authenticate(deps, header)).rejects.toMatchObject({
        code: 'access/token-missing',
      });
    },
  );

  test.each(['x', 'a.b.c', '....', '"', 'x'.repeat(100_000)])(
    'garbage is invalid',
    async (token) => {
      await expect(bearer(token)).rejects.toMatchObject({ code: 'access/token-invalid' });
    },
  );
});

describe('a terminal’s token', () => {
  async function tokenWith(change: {
    claims?: JWTPayload;
    header?: object;
    key?: Parameters<SignJWT['sign']>[0];
  }) {
    const { clientId } = await newTerminal();
    const key = await signingKeyOf(deps, 'accessToken');
    const claims = {
      iss: server.url,
      aud: 'egret',
      sub: clientId,
      client_id: clientId,
      jti: crypto.randomUUID(),
      iat: now(),
      exp: now() + 900,
      ...change.claims,
    };
    const header = { alg: 'EdDSA', typ: 'at+jwt', kid: key.kid, ...change.header };
    return new SignJWT(claims).setProtectedHeader(header).sign(change.key ?? key.privateKey);
  }

  test('names the terminal and the hospital that the database says', async () => {
    const { id, clientId } = await newTerminal();
    const { accessToken, expiresIn } = await issueAccessToken(deps, { clientId });
    expect(expiresIn).toBe(900);
    expect(await bearer(accessToken)).toEqual({
      kind: 'terminal',
      client: clientId,
      terminalId: id,
      hospitalCode,
    });
  });

  test('made by hand in the same way is good, so that the next tests refuse for their reason', async () => {
    expect(await bearer(await tokenWith({}))).toMatchObject({ kind: 'terminal' });
  });

  const refused: [string, () => Parameters<typeof tokenWith>[0]][] = [
    ['another type', () => ({ header: { typ: 'JWT' } })],
    ['no type', () => ({ header: { typ: undefined } })],
    ['another audience', () => ({ claims: { aud: 'other' } })],
    ['another issuer', () => ({ claims: { iss: 'https://elsewhere.example' } })],
    ['an end in the past', () => ({ claims: { exp: now() - 1 } })],
    ['no end', () => ({ claims: { exp: undefined } })],
    ['an unknown client', () => ({ claims: { sub: 'nobody' } })],
  ];
  test.each(refused)('with %s is refused', async (_what, change) => {
    const token = await tokenWith(change());
    await expect(bearer(token)).rejects.toMatchObject({ code: 'access/token-invalid' });
  });

  test('with a foreign or no signature is refused', async () => {
    const { privateKey } = await generateKeyPair('EdDSA');
    const forged = await tokenWith({ key: privateKey });
    await expect(bearer(forged)).rejects.toMatchObject({ code: 'access/token-invalid' });
    const [, payload] = (await tokenWith({})).split('.');
    const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    for (const token of [`${header}.${payload}.`, `${header}.${payload}.AAAA`]) {
      await expect(bearer(token)).rejects.toMatchObject({ code: 'access/token-invalid' });
    }
  });

  test('ends after its 15 minutes although it was seen before', async () => {
    const { clientId } = await newTerminal();
    const { accessToken } = await issueAccessToken(deps, { clientId });
    const later = { ...deps, realNow: () => new Date(Date.now() + 901_000) };
    expect(await bearer(accessToken)).toMatchObject({ client: clientId });
    await expect(authenticate(later, `Bearer ${accessToken}`)).rejects.toMatchObject({
      code: 'access/token-invalid',
    });
  });

  test('is refused from the next request on in every process once the terminal is revoked', async () => {
    const other = openDatabase({
      url: databaseUrl,
      schema: 'public',
      poolSize: 2,
      usePrepared: true,
    });
    const twin = { ...deps, db: other };
    const { id, clientId } = await newTerminal();
    const header = `Bearer ${(await issueAccessToken(deps, { clientId })).accessToken}`;
    expect(await authenticate(twin, header)).toMatchObject({ client: clientId });
    expect(await authenticate(deps, header)).toMatchObject({ client: clientId });
    await transact(db, (tx) => revokeTerminal(tx, { terminalId: id, at: new Date() }));
    for (const each of [twin, deps]) {
      await expect(authenticate(each, header)).rejects.toMatchObject({
        code: 'access/token-invalid',
      });
    }
    await other.$client.end();
  });
});

describe('our signing keys', () => {
  test('are made once when two processes start together', async () => {
    const open = () =>
      openDatabase({ url: databaseUrl, schema: 'public', poolSize: 2, usePrepared: true });
    const processes = [open(), open(), open()];
    const keys = await Promise.all(
      processes.map((each) => signingKeyOf({ ...deps, db: each }, 'sandboxIssuer:staff')),
    );
    expect(new Set(keys.map((key) => key.kid)).size).toBe(1);
    expect(keys[0]?.publicJwk).not.toHaveProperty('d');
    await Promise.all(processes.map((each) => each.$client.end()));
  });
});

describe('a citizen of the city’s provider', () => {
  function citizenToken(
    change: { claims?: JWTPayload; header?: object; key?: Parameters<SignJWT['sign']>[0] } = {},
  ) {
    const person = newPerson();
    const claims = {
      iss: provider.url,
      aud: 'egret',
      sub: 'c-1',
      exp: now() + 300,
      name: person.name,
      id_number: person.idNumber,
      phone_number: '13812345678',
      ...change.claims,
    };
    const header = { alg: 'RS256', typ: 'JWT', kid: 'p1', ...change.header };
    return new SignJWT(claims)
      .setProtectedHeader(header)
      .sign(change.key ?? providerKeys.privateKey);
  }

  test('is known by real name', async () => {
    const caller = await bearer(await citizenToken({ claims: { name: '陈真' } }));
    if (caller.kind !== 'citizen') throw new Error(`a ${caller.kind}`);
    expect(caller.client).toBe(`citizen:${caller.citizenId}`);
    expect(await readCitizen(db, deps.keyring, caller.citizenId)).toMatchObject({
      name: '陈真',
      phone: '13812345678',
    });
  });

  const refused: [string, () => Parameters<typeof citizenToken>[0]][] = [
    ['another audience', () => ({ claims: { aud: 'other' } })],
    ['an end in the past', () => ({ claims: { exp: now() - 60 } })],
    ['no end', () => ({ claims: { exp: undefined } })],
    ['the type of a logout token', () => ({ header: { typ: 'logout+jwt' } })],
    ['no type', () => ({ header: { typ: undefined } })],
    ['no ID number', () => ({ claims: { id_number: undefined } })],
    ['a wrong ID number', () => ({ claims: { id_number: '350203199001010010' } })],
    ['no name', () => ({ claims: { name: '' } })],
    ['an unknown key', () => ({ header: { kid: 'p2' } })],
    ['an issuer that is not configured', () => ({ claims: { iss: `${provider.url}/` } })],
  ];
  test.each(refused)('with %s is refused', async (_what, change) => {
    const token = await citizenToken(change());
    await expect(bearer(token)).rejects.toMatchObject({ code: 'access/token-invalid' });
  });

  test('gets no staff role from a claim of its own', async () => {
    const caller = await bearer(await citizenToken({ claims: { roles: ['admin'] } }));
    expect(caller.kind).toBe('citizen');
  });

  test('is told to come back when the provider is away', async () => {
    const away = 'http://127.0.0.1:9';
    const env = sandboxEnvironment({ CITIZEN_ISSUER: away });
    const token = await citizenToken({ claims: { iss: away } });
    await expect(authenticate({ ...deps, env }, `Bearer ${token}`)).rejects.toMatchObject({
      code: 'service/unavailable',
    });
  });

  test('is not taken from a sandbox issuer in production', async () => {
    const { accessToken } = await issueSandboxToken(deps, {
      role: 'citizen',
      citizen: newPerson(),
    });
    expect(await bearer(accessToken)).toMatchObject({ kind: 'citizen' });
    const env = { ...deps.env, EGRET_MODE: 'production' as const };
    await expect(
      authenticate({ ...deps, env, publicUrl: `${deps.publicUrl}/` }, `Bearer ${accessToken}`),
    ).rejects.toMatchObject({ code: 'access/token-invalid' });
  });
});

describe('the sandbox’s tokens', () => {
  const callerOf = async (request: Parameters<typeof issueSandboxToken>[1]) =>
    bearer((await issueSandboxToken(deps, request)).accessToken);

  test('are the same client for the same role, hospital and subject', async () => {
    const rows = await db.select({ code: hospital.code }).from(hospital).limit(2);
    const [a, b] = rows.map((row) => row.code);
    const first = await callerOf({ role: 'terminal', hospitalCode: a });
    expect(await callerOf({ role: 'terminal', hospitalCode: a })).toEqual(first);
    expect(await callerOf({ role: 'terminal', hospitalCode: b })).toMatchObject({
      hospitalCode: b,
    });
    expect((await callerOf({ role: 'terminal', hospitalCode: b })).client).not.toBe(first.client);
    const named = await callerOf({ role: 'terminal', hospitalCode: a, subject: '二号' });
    expect(named.client).not.toBe(first.client);
    const person = newPerson();
    const citizen = await callerOf({ role: 'citizen', citizen: person });
    expect(await callerOf({ role: 'citizen', citizen: person })).toEqual(citizen);
  });

  test('of thirty racing requests are one terminal', async () => {
    const request = { role: 'terminal' as const, hospitalCode, subject: 'race' };
    const callers = await Promise.all(Array.from({ length: 30 }, () => callerOf(request)));
    expect(new Set(callers.map((caller) => JSON.stringify(caller))).size).toBe(1);
    const rows = await db.select({ name: terminal.name }).from(terminal);
    expect(rows.filter((row) => row.name.endsWith(' race'))).toHaveLength(1);
  });

  test('limit a finance role to one hospital only when one is named', async () => {
    expect(await callerOf({ role: 'financeMaker' })).toMatchObject({
      kind: 'staff',
      roles: ['financeMaker'],
      hospitalCode: null,
    });
    expect(await callerOf({ role: 'financeMaker', hospitalCode })).toMatchObject({ hospitalCode });
  });

  test('keep maker and checker apart, unless the same subject is named', async () => {
    const subjectOf = async (role: 'financeMaker' | 'financeChecker', subject?: string) => {
      const caller = await callerOf({ role, subject });
      return caller.kind === 'staff' ? caller.subject : '';
    };
    expect(await subjectOf('financeMaker')).not.toBe(await subjectOf('financeChecker'));
    expect(await subjectOf('financeMaker', '王')).toBe(await subjectOf('financeChecker', '王'));
  });

  test('let a lender’s operator speak for one lender', async () => {
    const first = await callerOf({ role: 'lenderOperator' });
    expect(first).toMatchObject({ kind: 'lenderOperator', lender: expect.stringMatching(/./) });
  });

  test('are refused for an unknown hospital and an invalid ID number', async () => {
    await expect(
      issueSandboxToken(deps, { role: 'terminal', hospitalCode: 'H99999999999' }),
    ).rejects.toMatchObject({ code: 'visit/hospital-unknown' });
    const citizen = {
      name: '张三',
      idNumber: `${idNumberOf('350203', '19900101', '001').slice(0, 17)}A`,
    };
    await expect(issueSandboxToken(deps, { role: 'citizen', citizen })).rejects.toMatchObject({
      code: 'request/invalid',
    });
    await expect(issueSandboxToken(deps, { role: 'citizen' })).rejects.toMatchObject({
      code: 'request/invalid',
    });
  });
});
