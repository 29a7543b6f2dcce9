// A small real server for tests of http/: routes of its own, callers named by their token.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import supertest from 'supertest';
import { afterAll, beforeAll } from 'vitest';
import { readEnvironment } from '../../src/config.ts';
import type { Db } from '../../src/db/db.ts';
import type { Deps } from '../../src/deps.ts';
import { Refusal } from '../../src/errors.ts';
import { makeLogger } from '../../src/http/logging.ts';
import { makeMetrics } from '../../src/http/metrics.ts';
import type { Caller, Route, StaffRole } from '../../src/http/route.ts';
import { buildServer } from '../../src/http/server.ts';

/** "Bearer terminal:t1", "Bearer citizen:c1", "Bearer auditor:a1". */
async function callerByName(_deps: Deps, header: string | undefined): Promise<Caller> {
  if (header === undefined) throw new Refusal('access/token-missing');
  const [, kind = '', name] = /^Bearer (\w+):(\w+)$/.exec(header) ?? [];
  const client = `${kind}:${name}`;
  if (kind === 'terminal') {
    return { kind, client, terminalId: `trm_${name}`, hospitalCode: 'H35020000001' };
  }
  if (kind === 'citizen') return { kind, client, citizenId: `cit_${name}` };
  if (kind !== 'auditor' && kind !== 'admin') throw new Refusal('access/token-invalid');
  const roles: StaffRole[] = [kind];
  return { kind: 'staff', client, subject: String(name), roles, hospitalCode: null };
}

export interface TestServer {
  url: () => string;
  agent: () => ReturnType<typeof supertest>;
  deps: Deps;
  /** Every log line since the start, as written. */
  logs: string[];
}

export function useServer(
  db: Db,
  routes: readonly Route[],
  settings: Record<string, string> = {},
): TestServer {
  const logs: string[] = [];
  const env = readEnvironment({ EGRET_MODE: 'sandbox', ...settings });
  const parts = {
    env,
    publicUrl: 'http://127.0.0.1:8080',
    db,
    reportDb: db,
    log: makeLogger('info', { write: (line: string) => void logs.push(line) }),
    metrics: makeMetrics(),
    realNow: () => new Date(),
  };
  const deps = parts as unknown as Deps;
  let server: Server;
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  beforeAll(async () => {
    const app = buildServer(deps, { routes, authenticate: callerByName, routers: [] });
    await new Promise<void>((resolve) => {
      server = app.listen(0, '127.0.0.1', () => resolve());
    });
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  });
  return { url, agent: () => supertest(url()), deps, logs };
}
