import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp({ worker: false });
let admin: string;
let hospitalCode: string;

beforeAll(async () => {
  admin = await app.token('admin');
  hospitalCode = (await app.call('GET', '/v1/hospitals?limit=1')).body.data[0].code;
});

const newKey = async () =>
  exportJWK((await generateKeyPair('ES256', { extractable: true })).publicKey);

describe('terminals', () => {
  test('are registered by an administrator and listed page by page', async () => {
    const ids: string[] = [];
    for (const name of ['一号', '二号', '三号']) {
      const body = { hospitalCode, name, jwk: await newKey() };
      const made = await app.call('POST', '/v1/terminals', { token: admin, body });
      expect(made.status).toBe(201);
      ids.push(made.body.id);
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const list = await app.call('GET', `/v1/terminals?limit=2${cursor}`, { token: admin });
      seen.push(...list.body.data.map((one: { id: string }) => one.id));
      cursor = list.body.nextCursor ? `&cursor=${list.body.nextCursor}` : '';
    } while (cursor);
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('registered twice with one key are one terminal', async () => {
    const body = { hospitalCode, name: '四号', jwk: await newKey() };
    const make = () => app.call('POST', '/v1/terminals', { token: admin, body, key: 'terminal-4' });
    expect((await make()).text).toBe((await make()).text);
  });

  test('are revoked, again without harm, and only where there is one', async () => {
    const body = { hospitalCode, name: '五号', jwk: await newKey() };
    const { id } = (await app.call('POST', '/v1/terminals', { token: admin, body })).body;
    const revoke = (which: string) =>
      app.call('DELETE', `/v1/terminals/${which}`, { token: admin });
    expect((await revoke(id)).status).toBe(204);
    expect((await revoke(id)).status).toBe(204);
    expect((await revoke('trm_01jd5z8m2cf0v9k3q7w4x6y8ab')).status).toBe(404);
    expect((await revoke('nonsense')).status).toBe(404);
  });

  test('with a wrong key or hospital are refused', async () => {
    const jwk = await newKey();
    const ask = (body: object) => app.call('POST', '/v1/terminals', { token: admin, body });
    const bad = { hospitalCode, name: '六号', jwk: { ...jwk, d: 'secret' } };
    expect((await ask(bad)).body.code).toBe('terminal/key-invalid');
    const nowhere = { hospitalCode: 'H99999999999', name: '六号', jwk };
    expect((await ask(nowhere)).body.code).toBe('visit/hospital-unknown');
    expect((await ask({ hospitalCode, name: '六号', jwk, more: 1 })).status).toBe(400);
    expect((await ask({ hospitalCode, name: '\u0000', jwk })).status).toBe(400);
  });

  test('are nobody else’s business', async () => {
    for (const role of ['terminal', 'financeMaker', 'auditor'] as const) {
      const token = await app.token(role);
      expect((await app.call('GET', '/v1/terminals', { token })).status).toBe(403);
    }
    expect((await app.call('GET', '/v1/terminals')).body.code).toBe('access/token-missing');
  });
});

describe('hospitals', () => {
  test('are listed for any caller and for none', async () => {
    const tokens = [undefined, await app.token('terminal'), await app.token('auditor')];
    for (const token of tokens) {
      const list = await app.call('GET', '/v1/hospitals?limit=100', token ? { token } : {});
      expect(list.body.data).toContainEqual(
        expect.objectContaining({ code: hospitalCode, level: expect.any(Number) }),
      );
    }
  });

  test('refuse a cursor that is not theirs', async () => {
    expect((await app.call('GET', '/v1/hospitals?cursor=abc')).status).toBe(400);
  });
});

describe('个账授权', () => {
  test('is set by the citizen', async () => {
    const token = await app.token('citizen', { citizen: uniquePerson() });
    const body = { personalAccount: true, familyAccount: false };
    const set = await app.call('PUT', '/v1/me/account-authorisation', { token, body });
    expect(set).toMatchObject({ status: 200, body });
    const wrong = { token, body: { personalAccount: 'yes', familyAccount: false } };
    expect((await app.call('PUT', '/v1/me/account-authorisation', wrong)).status).toBe(400);
  });
});

describe('the access log', () => {
  test('is paged newest first and shows only one’s own lines', async () => {
    const person = uniquePerson();
    const terminal = await app.token('terminal');
    const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
    for (let i = 0; i < 3; i += 1) {
      const body = { credential };
      await app.call('POST', '/v1/identifications', { token: terminal, body, key: null });
    }
    const token = await app.token('citizen', { citizen: person });
    const first = await app.call('GET', '/v1/me/access-log?limit=2', { token });
    const cursor = encodeURIComponent(first.body.nextCursor);
    const second = await app.call('GET', `/v1/me/access-log?limit=2&cursor=${cursor}`, { token });
    expect(first.body.data).toHaveLength(2);
    expect(second.body).toMatchObject({ data: [expect.anything()], nextCursor: null });
    const other = await app.token('citizen', { citizen: uniquePerson() });
    expect((await app.call('GET', '/v1/me/access-log', { token: other })).body.data).toEqual([]);
  });
});
