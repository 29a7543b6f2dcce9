// The whole service for one test file: own database, own insurer and banks as processes, a real port.
// Every JSON reply is checked against the OpenAPI document.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import type { Response } from 'supertest';
import { afterAll, beforeAll } from 'vitest';
import { buildDeps, closeDeps, createApp } from '../../src/app.ts';
import { readEnvironment } from '../../src/config.ts';
import type { Db } from '../../src/db/db.ts';
import type { Deps } from '../../src/deps.ts';
import { prepareSandbox } from '../../src/sandbox/start.ts';
import { startWorker } from '../../src/worker.ts';
import { conformanceOf } from './conformance.ts';
import { nameDatabase } from './database.ts';
import type { TestPerson } from './people.ts';
import { waitFor } from './wait-for.ts';

export interface AppOptions {
  env?: Partial<Record<string, string>>;
  /** False: no background work, for tests that call `runWorkerOnce` themselves. */
  worker?: boolean;
  /** True: ending a fault leaves an open breaker open, until a trial closes it. */
  keepsBreaker?: boolean;
}

export interface CallOptions {
  token?: string;
  /** An object is sent as JSON, text as it is. */
  body?: unknown;
  /** Absent: a fresh key on POST. null: none. */
  key?: string | null;
  headers?: Record<string, string>;
}

export interface TestReply {
  status: number;
  body: ReplyBody;
  text: string;
  headers: Headers;
}

/** A reply's JSON, read by field as a client does; the conformance check types it. */
export type ReplyBody = Response['body'];

export type TestRole =
  | 'terminal'
  | 'citizen'
  | 'lenderOperator'
  | 'financeMaker'
  | 'financeChecker'
  | 'auditor'
  | 'admin';

export interface TokenOptions {
  citizen?: TestPerson;
  hospitalCode?: string;
  subject?: string;
}

export interface RegisterOptions {
  phone?: string;
  score?: number;
  insurance?: {
    status: 'active' | 'paused' | 'none';
    type?: 'employee' | 'resident';
    region?: string;
    accountBalance?: string;
  };
  kin?: { idNumber: string; relation: 'parent' | 'child' }[];
}

export interface TestApp {
  readonly url: string;
  readonly deps: Deps;
  readonly db: Db;
  call(method: string, path: string, options?: CallOptions): Promise<TestReply>;
  token(role: TestRole, options?: TokenOptions): Promise<string>;
  /** Makes the person known to the insurer, the score provider, the bank and the registry. */
  register(person: TestPerson, options?: RegisterOptions): Promise<void>;
  /** PUT /sandbox/insurer/fault; `{mode: 'none'}` ends it. */
  fault(fault: Record<string, unknown>): Promise<void>;
  /** Moves business time to this many seconds from real time. */
  clock(offsetSeconds: number): Promise<void>;
  /** The insurer's own books. */
  claims(query: { hospitalCode?: string; visitNumber?: string }): Promise<ReplyBody[]>;
}

interface RunningApp extends TestApp {
  stop(): Promise<void>;
}

/** Call it at the top of a file: `const app = useApp()`. Usable from the first hook on. */
export function useApp(options: AppOptions = {}): TestApp {
  let running: RunningApp | null = null;
  const now = () => {
    if (!running) throw new Error('the app is there from the first hook or test on');
    return running;
  };
  beforeAll(async () => {
    running = await startApp(options);
  });
  afterAll(() => running?.stop());
  return {
    get url() {
      return now().url;
    },
    get deps() {
      return now().deps;
    },
    get db() {
      return now().db;
    },
    call: (...args) => now().call(...args),
    token: (...args) => now().token(...args),
    register: (...args) => now().register(...args),
    fault: (...args) => now().fault(...args),
    clock: (...args) => now().clock(...args),
    claims: (...args) => now().claims(...args),
  };
}

/** Starts an app of one's own; the caller ends it. */
async function startApp(options: AppOptions = {}): Promise<RunningApp> {
  const ends: (() => unknown)[] = [];
  const stop = async () => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const client = await startParts(options, ends);
    return { ...client, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(options: AppOptions, ends: (() => unknown)[]): Promise<TestApp> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-app-'));
  ends.push(() => rmSync(dataDir, { recursive: true, force: true }));
  const clone = nameDatabase();
  await clone.create();
  ends.push(clone.drop);
  const env = readEnvironment({
    EGRET_MODE: 'sandbox',
    EGRET_DATA_DIR: dataDir,
    DATABASE_URL: clone.url,
    DATABASE_POOL_SIZE: '10',
    LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
    ...options.env,
  });
  const sandbox = await prepareSandbox(env);
  ends.push(sandbox.stop);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const publicUrl = env.PUBLIC_URL ?? url;
  const deps = await buildDeps(env, { publicUrl, databaseUrl: clone.url, ...sandbox.parties });
  ends.splice(2, 0, () => closeDeps(deps));
  server.on('request', createApp(deps, sandbox.links));
  if (options.worker !== false) {
    const worker = startWorker(deps);
    ends.push(() => worker.stop());
  }
  return clientOf(url, deps, options);
}

/** The insurer is back and everybody knows at once: no conversion or visit has to try first. */
async function closeBreaker(deps: Deps): Promise<void> {
  await deps.db.execute(sql`update insurance_route set status = 'online', failures = 0,
    trial_at = null, trial_token = null, trial_until = null, outage_id = null`);
  await deps.db.execute(sql`update outage set ends_at = clock_timestamp() where ends_at is null`);
  await waitFor(async () => {
    const states = [await deps.breaker.stateOf('local'), await deps.breaker.stateOf('crossRegion')];
    return states.every((state) => !state.isOpen);
  });
}

async function clientOf(url: string, deps: Deps, options: AppOptions): Promise<TestApp> {
  const check = conformanceOf((await (await fetch(`${url}/openapi.json`)).json()) as object);

  const call = async (method: string, target: string, options: CallOptions = {}) => {
    const { token, body, key = method === 'POST' ? crypto.randomUUID() : null } = options;
    const reply = await fetch(url + target, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === null ? {} : { 'idempotency-key': key }),
        ...options.headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    const contentType = reply.headers.get('content-type') ?? '';
    const isJson = contentType.includes('json') && text !== '';
    const parsed = isJson ? JSON.parse(text) : undefined;
    check({ method, path: target, status: reply.status, contentType, body: parsed });
    return { status: reply.status, body: parsed, text, headers: reply.headers } as TestReply;
  };
  const must = async (method: string, target: string, body?: unknown) => {
    const reply = await call(method, target, body === undefined ? {} : { body });
    if (reply.status >= 300) throw new Error(`${method} ${target}: ${reply.status} ${reply.text}`);
    return reply.body;
  };

  return {
    url,
    deps,
    db: deps.db,
    call,
    async token(role, options = {}) {
      return (await must('POST', '/sandbox/tokens', { role, ...options })).accessToken as string;
    },
    async register(person, options = {}) {
      await must('POST', '/sandbox/people', { ...person, ...options });
    },
    async fault(fault) {
      await must('PUT', '/sandbox/insurer/fault', fault);
      if (fault.mode === 'none' && !options.keepsBreaker) await closeBreaker(deps);
    },
    async clock(offsetSeconds) {
      await must('PUT', '/sandbox/clock', { offsetSeconds });
    },
    async claims(query) {
      const found = await must('GET', `/sandbox/insurer/claims?${new URLSearchParams(query)}`);
      return found.data as ReplyBody[];
    },
  };
}
