// What the identity tests share: keys, a small Deps, and an HTTP server around routers.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Router } from 'express';
import { type Environment, readEnvironment } from '../../src/config.ts';
import type { Db } from '../../src/db/db.ts';
import type { TokenDeps } from '../../src/identity/access-tokens.ts';
import { checkCharacter } from '../../src/identity/id-number.ts';
import { type Keyring, makeKeyring } from '../../src/identity/keyring.ts';

export const key = (id: string) => `${id}:${randomBytes(32).toString('base64')}`;
export const secret = () => randomBytes(32).toString('base64');

/** A fresh keyring of one data key. */
export function newKeyring(): Keyring {
  return makeKeyring(key('k1'), secret());
}

export function sandboxEnvironment(more: Record<string, string> = {}): Environment {
  return readEnvironment({ EGRET_MODE: 'sandbox', ...more });
}

export interface TestServer {
  url: string;
  close(): Promise<void>;
}

/** Serves routers on a free port of 127.0.0.1; they are made once the port is known. */
export async function serve(make: (url: string) => Router[]): Promise<TestServer> {
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const router of make(url)) app.use(router);
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Token deps on a database; the clock may be moved. */
export function tokenDeps(
  db: Db,
  publicUrl: string,
  more: Partial<TokenDeps> = {},
): TokenDeps & { log: { error: () => void } } {
  return {
    env: sandboxEnvironment(),
    publicUrl,
    db,
    keyring: newKeyring(),
    realNow: () => new Date(),
    log: { error: () => {} },
    ...more,
  };
}

/** A valid ID number of an area, birth date (YYYYMMDD) and serial. */
export function idNumberOf(area: string, birth: string, serial: string): string {
  const digits = `${area}${birth}${serial}`;
  return digits + checkCharacter(digits);
}

let serial = 0;
/** A person that no other test of this process uses. */
export function newPerson(birth = '19900101'): { name: string; idNumber: string } {
  serial += 1;
  return {
    name: `张小${serial}`,
    idNumber: idNumberOf('350203', birth, String(serial).padStart(3, '0')),
  };
}
