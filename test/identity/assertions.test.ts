// Face and NFC: what a registered vendor's device signs is believed, once; everything else is nobody.
import { eq, sql } from 'drizzle-orm';
import { decodeJwt, UnsecuredJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, rows, transact } from '../../src/db/db.ts';
import { spentToken, visit } from '../../src/db/schema.ts';
import { readAssertion, spendAssertion } from '../../src/identity/vendor-assertions.ts';
import { newPatient, nextNumber, openVisit, sceneOf, settle } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { type TestPerson, uniquePerson } from '../support/people.ts';
import { said } from '../visit/support.ts';
import {
  type AssertionOptions,
  assertionOf,
  claimsOf,
  newKeys,
  newVendor,
  sandboxAssertion,
  type Vendor,
} from './vendors.ts';

const app = useApp({ worker: false });
let terminal: string;
let vendor: Vendor;

beforeAll(async () => {
  terminal = await app.token('terminal');
  vendor = await newVendor(app);
});

const identify = (credential: object, token = terminal) =>
  app.call('POST', '/v1/identifications', { token, body: { credential }, key: null });
const face = async (person: TestPerson, options: AssertionOptions = {}, by = vendor) => ({
  kind: 'face',
  assertion: await assertionOf(app, by, person, options),
});
const spentCount = async () =>
  (await rows<{ n: bigint }>(app.db, sql`select count(*) as n from spent_token`))[0]?.n;

/** Whom an assertion names, read at a moment of one's own choosing. */
function readAt(assertion: string, atSeconds: number) {
  const deps = { ...app.deps, realNow: () => new Date(atSeconds * 1000) };
  return readAssertion(deps, { kind: 'face', assertion, terminalId: 'trm_x' });
}

describe('an assertion of a registered vendor', () => {
  test.each(['ES256', 'EdDSA'] as const)('identifies, signed with %s', async (algorithm) => {
    const own = await newVendor(app, algorithm);
    const person = uniquePerson();
    const found = await identify(await face(person, {}, own));
    expect(found.status, found.text).toBe(200);
    const { idNumber } = person;
    expect(found.body.patient.idNumber).toBe(
      `${idNumber.slice(0, 4)}**********${idNumber.slice(-4)}`,
    );
  });

  test('identifies by itself while the insurer is offline', async () => {
    const stranger = uniquePerson();
    await app.fault({ mode: 'refuseConnection' });
    try {
      const nfc = {
        kind: 'nfc',
        assertion: await assertionOf(app, vendor, stranger, { method: 'nfc' }),
      };
      const offline = await identify(nfc);
      expect(offline.body, offline.text).toMatchObject({ insured: { status: 'unknown' } });
      expect((await identify(await face(uniquePerson()))).status).toBe(200);
    } finally {
      await app.fault({ mode: 'none' });
    }
  });

  test('takes the insurer’s word for what is insured, and not for another name', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    expect((await identify(await face(person))).body.insured.status).toBe('active');
    const renamed = { ...person, name: '别人' };
    expect(said(await identify(await face(renamed)))).toEqual([422, 'identity/unknown']);
  });

  test('opens a visit and is kept as what was shown', async () => {
    const scene = await sceneOf(app);
    const person = uniquePerson();
    const opened = await openVisit(scene, person, { credential: await face(person) });
    const [row] = await app.db.select().from(visit).where(eq(visit.id, opened.id));
    expect(row?.credentialKind).toBe('face');
  });

  test('names the patient of a conversion, once', async () => {
    const scene = await sceneOf(app);
    const { person } = await newPatient(app);
    const opened = await openVisit(scene, person);
    await app.call('POST', `/v1/visits/${opened.id}/charges`, {
      token: scene.terminal,
      body: { batch: 'b', items: [chargeLine] },
    });
    const bill = (await settle(scene, opened.id, { insurance: 'skip' })).body;
    const ask = (credential: object) =>
      app.call('POST', `/v1/settlements/${bill.id}/conversion`, {
        token: scene.terminal,
        body: { cause: 'forgottenCredential', credential },
      });
    const shown = await face(person);
    expect((await ask(shown)).status).toBe(202);
    expect(said(await identify(shown))).toEqual([422, 'identity/already-used']);
  });
});

const chargeLine = {
  lineNumber: 1,
  code: 'X1',
  name: '项目',
  quantity: '1',
  unitPrice: '10.00',
  amount: '10.00',
};

describe('is nobody’s', () => {
  const person = uniquePerson();
  const wrong: [string, AssertionOptions][] = [
    ['audience', { claims: { aud: 'https://elsewhere.example' } }],
    ['audience, none at all', { without: ['aud'] }],
    ['audience that is our token endpoint', { claims: { aud: 'TOKEN' } }],
    ['issuer that nobody registered', { claims: { iss: 'https://unknown.example' } }],
    ['issuer, none at all', { without: ['iss'] }],
    ['method', { method: 'nfc' }],
    ['method that there is not', { method: 'voice' }],
    ['method, none at all', { without: ['method'] }],
    ['ID number', { claims: { idNumber: '350203199001010010' } }],
    ['ID number, none at all', { without: ['idNumber'] }],
    ['name, none at all', { without: ['name'] }],
    ['name that cannot be printed', { claims: { name: 'a\u0000b' } }],
    ['name that is no text', { claims: { name: ['张三'] } }],
    ['nonce and jti, neither of them', { without: ['nonce'] }],
    ['nonce that is no text', { claims: { nonce: 7 } }],
    ['exp, none at all', { without: ['exp'] }],
    ['iat, none at all', { without: ['iat'] }],
    ['life of 61 seconds', { exp: 61 }],
    ['life of no second', { exp: 0 }],
    ['terminal', { claims: { terminal: 'trm_01jd5z8m2cf0v9k3q7w4x6y8ab' } }],
    ['key id', { header: { kid: 'another' } }],
  ];

  test.each(wrong)('with a wrong %s', async (_, options) => {
    const before = await spentCount();
    const claims =
      options.claims?.aud === 'TOKEN' ? { aud: `${app.url}/oauth/token` } : options.claims;
    const shown = await face(person, { ...options, ...(claims ? { claims } : {}) });
    expect(said(await identify(shown))).toEqual([422, 'identity/unknown']);
    expect(await spentCount()).toBe(before);
  });

  test('with no signature (alg none)', async () => {
    const claims = claimsOf(app, vendor.issuer, person);
    const assertion = new UnsecuredJWT(claims).encode();
    expect(said(await identify({ kind: 'face', assertion }))).toEqual([422, 'identity/unknown']);
  });

  test('signed with the public key as an HMAC secret (HS256)', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(vendor.publicJwk));
    const shown = await face(person, { header: { alg: 'HS256' }, key: secret });
    expect(said(await identify(shown))).toEqual([422, 'identity/unknown']);
  });

  test('signed with another vendor’s key, registered or not', async () => {
    const other = await newVendor(app);
    for (const { privateKey } of [other, await newKeys()]) {
      const shown = await face(person, { key: privateKey });
      expect(said(await identify(shown))).toEqual([422, 'identity/unknown']);
    }
  });

  test('with a changed payload', async () => {
    const { assertion } = await face(person);
    const [header, , signature] = assertion.split('.');
    const claims = { ...decodeJwt(assertion), idNumber: uniquePerson().idNumber };
    const payload = Buffer.from(JSON.stringify(claims)).toString('base64url');
    const forged = { kind: 'face', assertion: `${header}.${payload}.${signature}` };
    expect(said(await identify(forged))).toEqual([422, 'identity/unknown']);
  });

  test('with a header or a payload that is not JSON', async () => {
    const { assertion } = await face(person);
    const [header, payload, signature] = assertion.split('.');
    for (const parts of [
      ['!!!!', payload, signature],
      ['W10', payload, signature],
      [header, '!!!!', signature],
    ]) {
      const shown = { kind: 'face', assertion: parts.join('.') };
      expect(said(await identify(shown))).toEqual([422, 'identity/unknown']);
    }
  });

  test('shown as the other kind', async () => {
    const { assertion } = await face(person);
    expect(said(await identify({ kind: 'nfc', assertion }))).toEqual([422, 'identity/unknown']);
  });

  test('from the sandbox’s vendor in production', async () => {
    const { assertion } = await sandboxAssertion(app, person);
    const env = { ...app.deps.env, EGRET_MODE: 'production' as const };
    const shown = { kind: 'face' as const, assertion, terminalId: 'trm_x' };
    await expect(readAssertion({ ...app.deps, env }, shown)).rejects.toMatchObject({
      code: 'identity/unknown',
    });
  });
});

describe('the times', () => {
  const now = Math.floor(Date.now() / 1000);
  const signedNow = (options: AssertionOptions = {}) =>
    assertionOf(app, vendor, uniquePerson(), {
      ...options,
      claims: { iat: now + (options.iat ?? 0), exp: now + (options.exp ?? 60) },
    });

  test('hold to the second, with five for clocks that are off', async () => {
    const assertion = await signedNow();
    await expect(readAt(assertion, now + 64)).resolves.toBeTruthy();
    await expect(readAt(assertion, now + 65)).rejects.toMatchObject({ code: 'identity/expired' });
    await expect(readAt(assertion, now - 5)).resolves.toBeTruthy();
    await expect(readAt(assertion, now - 6)).rejects.toMatchObject({ code: 'identity/unknown' });
  });

  test('of a shorter life are its own', async () => {
    const assertion = await signedNow({ exp: 10 });
    await expect(readAt(assertion, now + 14)).resolves.toBeTruthy();
    await expect(readAt(assertion, now + 15)).rejects.toMatchObject({ code: 'identity/expired' });
  });

  test('that are over are said so over HTTP', async () => {
    const shown = await face(uniquePerson(), { iat: -70, exp: -10 });
    expect(said(await identify(shown))).toEqual([422, 'identity/expired']);
  });
});

describe('single use', () => {
  test('is spent by the identification, which goes on in its place', async () => {
    const shown = await face(uniquePerson());
    const { body } = await identify(shown);
    expect(said(await identify(shown))).toEqual([422, 'identity/already-used']);
    expect((await identify({ kind: 'identification', id: body.id })).status).toBe(200);
  });

  test('counts the nonce, not the signature: signed anew it is the same one', async () => {
    const person = uniquePerson();
    const claims = { nonce: crypto.randomUUID() };
    const [one, two] = [await face(person, { claims }), await face(person, { claims, exp: 50 })];
    expect(one.assertion).not.toBe(two.assertion);
    expect((await identify(one)).status).toBe(200);
    expect(said(await identify(two))).toEqual([422, 'identity/already-used']);
  });

  test('counts a jti where there is no nonce, and each vendor’s for itself', async () => {
    const person = uniquePerson();
    const options = { without: ['nonce'], claims: { jti: crypto.randomUUID() } };
    expect((await identify(await face(person, options))).status).toBe(200);
    expect(said(await identify(await face(person, options)))[1]).toBe('identity/already-used');
    const other = await newVendor(app);
    expect((await identify(await face(person, options, other))).status).toBe(200);
  });

  test('is left unspent by a visit that was refused', async () => {
    const scene = await sceneOf(app);
    const person = uniquePerson();
    const taken = await openVisit(scene, person);
    const shown = await face(person);
    const open = (visitNumber: string) =>
      app.call('POST', '/v1/visits', {
        token: scene.terminal,
        body: { visitNumber, kind: 'outpatient', credential: shown },
      });
    expect(said(await open(taken.visitNumber))).toEqual([409, 'visit/number-taken']);
    expect((await open(nextNumber('F'))).status).toBe(201);
  });

  test('of twenty racing counters is one’s', async () => {
    const shown = await face(uniquePerson());
    const replies = await Promise.all(Array.from({ length: 20 }, () => identify(shown)));
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(1);
    const codes = replies.flatMap((reply) => (reply.status === 200 ? [] : [reply.body.code]));
    expect(new Set(codes)).toEqual(new Set(['identity/already-used']));
  });

  test('of twenty transactions of two processes is one’s', async () => {
    const { assertion } = await face(uniquePerson());
    const shown = { kind: 'face' as const, assertion, terminalId: 'trm_x' };
    const url = app.deps.env.DATABASE_URL ?? '';
    const other = openDatabase({ url, schema: 'public', poolSize: 10, usePrepared: true });
    const pools = [app.db, other];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, async (_, i) => {
        const db = pools[i % 2] ?? app.db;
        const { thing } = await readAssertion({ ...app.deps, db }, shown);
        await transact(db, (tx) => spendAssertion(tx, thing, new Date()));
      }),
    );
    const replayed = readAssertion({ ...app.deps, db: other }, shown);
    await expect(replayed).rejects.toMatchObject({ code: 'identity/already-used' });
    await other.$client.end();
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      expect(outcome.reason).toMatchObject({ code: 'identity/already-used' });
    }
  });

  test('is remembered for longer than the assertion could be believed', async () => {
    const { assertion } = await face(uniquePerson());
    await identify({ kind: 'face', assertion });
    const { exp = 0 } = decodeJwt(assertion);
    const notes = await app.db.select().from(spentToken);
    const newest = Math.max(...notes.map((note) => note.expiresAt.getTime() / 1000));
    expect(newest).toBeGreaterThanOrEqual(exp + 5);
  });
});

describe('a terminal claim', () => {
  test('is good at that terminal and nowhere else', async () => {
    const clientId = String(decodeJwt(terminal).sub);
    const claims = { terminal: clientId };
    const elsewhere = await app.token('terminal', { subject: 'window-2' });
    const shown = await face(uniquePerson(), { claims });
    expect(said(await identify(shown, elsewhere))).toEqual([422, 'identity/unknown']);
    expect((await identify(shown)).status).toBe(200);
  });
});

describe('POST /sandbox/assertions', () => {
  test('mints what a vendor’s terminal would sign', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    for (const kind of ['face', 'nfc'] as const) {
      const shown = await sandboxAssertion(app, person, { kind });
      expect((await identify(shown)).body.insured.status).toBe('active');
      expect(said(await identify(shown))).toEqual([422, 'identity/already-used']);
    }
    const bound = await sandboxAssertion(app, person, { terminalId: 'trm_other' });
    expect(said(await identify(bound))).toEqual([422, 'identity/unknown']);
  });

  test('is documented, and refuses what is no person', async () => {
    const { paths } = (await app.call('GET', '/openapi.json')).body;
    expect(paths['/sandbox/assertions'].post.operationId).toBe('mintSandboxAssertion');
    const body = { kind: 'face', citizen: { name: '张三', idNumber: '1' } };
    expect((await app.call('POST', '/sandbox/assertions', { body })).status).toBe(400);
  });

  test('signs in vain once the sandbox’s vendor is revoked', async () => {
    const admin = await app.token('admin');
    const person = uniquePerson();
    const early = await sandboxAssertion(app, person);
    const listed = await app.call('GET', '/v1/terminal-vendors?limit=100', { token: admin });
    const own = listed.body.data.find(
      (one: { issuer: string }) => one.issuer === 'urn:egret:sandbox-vendor',
    );
    await app.call('DELETE', `/v1/terminal-vendors/${own.id}`, { token: admin });
    for (const shown of [early, await sandboxAssertion(app, person)]) {
      expect(said(await identify(shown))).toEqual([422, 'identity/unknown']);
    }
  });
});

test('what was said of a face is stored as a hash only', async () => {
  const { assertion } = await face(uniquePerson());
  await identify({ kind: 'face', assertion });
  const [dump] = await rows<{ text: string }>(
    app.db,
    sql`select string_agg(s::text, '') || string_agg(encode(hash, 'escape'), '') as text
      from spent_token s`,
  );
  const { nonce } = decodeJwt(assertion);
  expect(dump?.text).not.toContain(String(nonce));
});
