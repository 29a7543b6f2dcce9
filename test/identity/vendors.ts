// A terminal vendor of a test's own: its key, its registration, and assertions as right or as wrong as asked.
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import type { ReplyBody, TestApp, TestReply } from '../support/app.ts';
import type { TestPerson } from '../support/people.ts';

type PrivateKey = Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
type Signer = PrivateKey | Uint8Array;

export interface Vendor {
  issuer: string;
  id: string;
  algorithm: 'ES256' | 'EdDSA';
  privateKey: PrivateKey;
  publicJwk: JWK;
}

export interface AssertionOptions {
  method?: string;
  /** Seconds from now. */
  iat?: number;
  exp?: number;
  claims?: Record<string, unknown>;
  /** Claims that are left out. */
  without?: string[];
  header?: Record<string, unknown>;
  key?: Signer;
}

/** A key pair that nobody has registered. */
export async function newKeys(algorithm: 'ES256' | 'EdDSA' = 'ES256') {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  return { privateKey: pair.privateKey, publicJwk: await exportJWK(pair.publicKey) };
}

export function askToRegister(app: TestApp, token: string, body: object): Promise<TestReply> {
  return app.call('POST', '/v1/terminal-vendors', { token, body });
}

/** A registered vendor. */
export async function newVendor(
  app: TestApp,
  algorithm: 'ES256' | 'EdDSA' = 'ES256',
): Promise<Vendor> {
  const issuer = `https://vendor.example/${crypto.randomUUID()}`;
  const keys = await newKeys(algorithm);
  const token = await app.token('admin');
  const body = { issuer, name: '云鹭终端', keys: [keys.publicJwk] };
  const made = await askToRegister(app, token, body);
  if (made.status !== 201) throw new Error(made.text);
  return { issuer, id: made.body.id, algorithm, ...keys };
}

/** Claims of an assertion about `person`, good for 60 seconds unless told otherwise. */
export function claimsOf(
  app: TestApp,
  issuer: string,
  person: TestPerson,
  options: AssertionOptions = {},
): Record<string, unknown> {
  const now = Math.floor(Date.now() / 1000);
  const claims: Record<string, unknown> = {
    iss: issuer,
    aud: app.url,
    iat: now + (options.iat ?? 0),
    exp: now + (options.exp ?? 60),
    nonce: crypto.randomUUID(),
    method: options.method ?? 'face',
    name: person.name,
    idNumber: person.idNumber,
    ...options.claims,
  };
  for (const name of options.without ?? []) delete claims[name];
  return claims;
}

export function assertionOf(
  app: TestApp,
  vendor: Pick<Vendor, 'issuer' | 'algorithm' | 'privateKey'>,
  person: TestPerson,
  options: AssertionOptions = {},
): Promise<string> {
  return new SignJWT(claimsOf(app, vendor.issuer, person, options))
    .setProtectedHeader({ alg: vendor.algorithm, ...options.header })
    .sign(options.key ?? vendor.privateKey);
}

/** One that the sandbox's own vendor signs. */
export async function sandboxAssertion(
  app: TestApp,
  person: TestPerson,
  more: { kind?: 'face' | 'nfc'; terminalId?: string } = {},
): Promise<ReplyBody> {
  const { kind = 'face', ...rest } = more;
  const body = { kind, citizen: person, ...rest };
  const reply = await app.call('POST', '/sandbox/assertions', { body, key: null });
  if (reply.status !== 200) throw new Error(reply.text);
  return { kind, assertion: reply.body.assertion };
}
