// Who registers and revokes the vendors whose assertions are believed, and what a revocation does.
import { beforeAll, describe, expect, test } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';
import { askToRegister, assertionOf, newKeys, newVendor } from './vendors.ts';

const app = useApp({ worker: false });
let admin: string;
let terminal: string;

beforeAll(async () => {
  [admin, terminal] = [await app.token('admin'), await app.token('terminal')];
});

const newIssuer = () => `https://vendor.example/${crypto.randomUUID()}`;
const register = (body: object, token = admin) => askToRegister(app, token, body);
const revoke = (id: string, token = admin) =>
  app.call('DELETE', `/v1/terminal-vendors/${id}`, { token });
const identify = (assertion: string) => {
  const body = { credential: { kind: 'face', assertion } };
  return app.call('POST', '/v1/identifications', { token: terminal, body, key: null });
};

describe('a terminal vendor', () => {
  test('is registered with public keys, which get a kid, and listed page by page', async () => {
    const [own, named] = [await newKeys(), await newKeys('EdDSA')];
    const keys = [own.publicJwk, { ...named.publicJwk, kid: 'k-2', use: 'sig' }];
    const made = await register({ issuer: newIssuer(), name: '云鹭', keys });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ id: expect.stringMatching(/^vnd_/), revokedAt: null });
    expect(made.body.keys).toEqual([
      { ...own.publicJwk, kid: expect.stringMatching(/^[\w-]{43}$/) },
      { ...named.publicJwk, kid: 'k-2' },
    ]);
    await register({ issuer: newIssuer(), name: '又一家', keys: [own.publicJwk] });
    const seen: string[] = [];
    let cursor = '';
    do {
      const list = await app.call('GET', `/v1/terminal-vendors?limit=1${cursor}`, { token: admin });
      seen.push(...list.body.data.map((one: { id: string }) => one.id));
      cursor = list.body.nextCursor ? `&cursor=${list.body.nextCursor}` : '';
    } while (cursor);
    expect(seen).toContain(made.body.id);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('signs with any of its keys, named by kid or not', async () => {
    const [one, two] = [await newKeys(), await newKeys('EdDSA')];
    const issuer = newIssuer();
    const keys = [
      { ...one.publicJwk, kid: 'k-1' },
      { ...two.publicJwk, kid: 'k-2' },
    ];
    await register({ issuer, name: '双钥', keys });
    const first = { issuer, algorithm: 'ES256' as const, ...one };
    const second = { issuer, algorithm: 'EdDSA' as const, ...two };
    const sign = (by: typeof first | typeof second, kid?: string) =>
      assertionOf(app, by, uniquePerson(), kid ? { header: { kid } } : {});
    for (const assertion of [
      await sign(first),
      await sign(second),
      await sign(first, 'k-1'),
      await sign(second, 'k-2'),
    ]) {
      expect((await identify(assertion)).status).toBe(200);
    }
    expect(said(await identify(await sign(first, 'k-2')))).toEqual([422, 'identity/unknown']);
  });

  test('with a secret, symmetric or broken key is refused', async () => {
    const { publicJwk } = await newKeys();
    const bad = [
      { ...publicJwk, d: 'secret' },
      { kty: 'oct', k: 'c2VjcmV0' },
      { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      { ...publicJwk, x: publicJwk.y },
      {},
    ];
    for (const key of bad) {
      const reply = await register({ issuer: newIssuer(), name: '坏', keys: [publicJwk, key] });
      expect(said(reply)).toEqual([422, 'vendor/key-invalid']);
      expect(reply.body.errors[0].pointer).toBe('/keys/1');
    }
    for (const keys of [[], Array.from({ length: 11 }, () => publicJwk)]) {
      expect((await register({ issuer: newIssuer(), name: '坏', keys })).status).toBe(400);
    }
  });

  test('keeps its issuer to itself', async () => {
    const vendor = await newVendor(app);
    const { publicJwk } = await newKeys();
    const again = { issuer: vendor.issuer, name: '冒名', keys: [publicJwk] };
    expect(said(await register(again))).toEqual([409, 'vendor/issuer-taken']);
  });

  test('revoked is not believed from the next assertion on, and may come back with new keys', async () => {
    const vendor = await newVendor(app);
    const sign = (key = vendor.privateKey) => assertionOf(app, vendor, uniquePerson(), { key });
    const early = await sign();
    expect((await identify(await sign())).status).toBe(200);
    expect((await revoke(vendor.id)).status).toBe(204);
    expect((await revoke(vendor.id)).status).toBe(204);
    for (const assertion of [early, await sign()]) {
      expect(said(await identify(assertion))).toEqual([422, 'identity/unknown']);
    }
    const fresh = await newKeys();
    const body = { issuer: vendor.issuer, name: '新钥', keys: [fresh.publicJwk] };
    const back = await register(body);
    expect(back.body).toMatchObject({ id: vendor.id, revokedAt: null });
    expect((await identify(await sign(fresh.privateKey))).status).toBe(200);
    expect(said(await identify(await sign()))).toEqual([422, 'identity/unknown']);
  });

  test('is revoked only where there is one', async () => {
    expect((await revoke('vnd_01jd5z8m2cf0v9k3q7w4x6y8ab')).status).toBe(404);
    expect((await revoke('nonsense')).status).toBe(404);
  });

  test('is the business of the city’s administrators alone', async () => {
    const { publicJwk } = await newKeys();
    const body = { issuer: newIssuer(), name: '越权', keys: [publicJwk] };
    for (const role of ['terminal', 'financeMaker', 'auditor', 'lenderOperator'] as const) {
      expect((await register(body, await app.token(role))).status).toBe(403);
    }
    const ofOne = await app.token('admin', { hospitalCode: 'H35020000001' });
    expect((await register(body, ofOne)).status).toBe(403);
    const vendor = await newVendor(app);
    expect((await revoke(vendor.id, ofOne)).status).toBe(403);
  });

  test('registered twice with one key is one vendor', async () => {
    const { publicJwk } = await newKeys();
    const body = { issuer: newIssuer(), name: '一次', keys: [publicJwk] };
    const ask = () =>
      app.call('POST', '/v1/terminal-vendors', { token: admin, body, key: 'vendor-once' });
    expect((await ask()).text).toBe((await ask()).text);
  });
});
