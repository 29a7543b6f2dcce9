// The service as a process group of its own on one data folder: killed from outside at any moment and
// started again, with a client that knows how to come again with the same key.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { openDataFolder, runningPostmaster } from '../../src/db/data-folder.ts';
import type { ReplyBody } from '../support/app.ts';
import { ready } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';

const ROOT = path.join(import.meta.dirname, '../..');

export interface Answered {
  status: number;
  text: string;
  body: ReplyBody;
  isReplay: boolean;
}

export interface Request {
  method: string;
  path: string;
  token: string;
  key: string;
  body: unknown;
}

export class KillableService {
  readonly dataDir: string;
  #child: ChildProcess | null = null;
  #port = 0;
  #output = '';
  /** Milliseconds from the start to ready, of each start. */
  readonly starts: number[] = [];

  constructor(dataDir: string) {
    this.dataDir = dataDir;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get isUp(): boolean {
    return this.#child !== null;
  }

  /** Starts on the data folder as it lies; resolves when the service has said that it is ready. */
  async start(): Promise<void> {
    this.#port ||= await freePort();
    const began = performance.now();
    const child = spawn(process.execPath, ['--import', 'tsx', 'src/main.ts'], {
      cwd: ROOT,
      // A group of its own, so that the whole of it can be killed by its id.
      detached: true,
      env: {
        PATH: process.env.PATH,
        EGRET_MODE: 'sandbox',
        EGRET_DATA_DIR: this.dataDir,
        HOST: '127.0.0.1',
        PORT: `${this.#port}`,
        INSURANCE_QUIET_MS: '200',
        LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        this.#output += chunk;
      });
    }
    this.#child = child;
    await ready({ child, output: () => this.#output });
    this.starts.push(performance.now() - began);
  }

  /** `kill -9` of the whole process group. Nothing in it gets a chance to say goodbye. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child?.pid) return;
    this.#child = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  }

  /** What the service wrote since its last start: errors, as it logs nothing else here. */
  get errors(): string[] {
    return this.#output.split('\n').filter((line) => line.includes('"level":"error"'));
  }

  /** Leases of dead processes and quiet times run out, as if time had passed. */
  async letLeasesRunOut(): Promise<void> {
    const folder = openDataFolder(this.dataDir);
    const { port } = runningPostmaster(folder) ?? {};
    const password = readFileSync(folder.passwordFile, 'utf8').trim();
    const url = `postgres://egret:${password}@127.0.0.1:${port}/egret`;
    const client = postgres(url, { max: 1, onnotice: () => {} });
    try {
      await client.unsafe(`
        update intent set lease_until = clock_timestamp() - interval '1 second'
          where status = 'running';
        update idempotency_key set lease_until = clock_timestamp() - interval '1 second'
          where status is null;
        update repayment set created_at = clock_timestamp() - interval '1 minute'
          where status in ('processing', 'unknown');
        update job set next_attempt_at = clock_timestamp() - interval '1 second'
          where done_at is null`);
    } finally {
      await client.end();
    }
  }

  /** One try. Null when the service died before it answered. */
  async send(request: Request): Promise<Answered | null> {
    try {
      const reply = await fetch(this.url + request.path, {
        method: request.method,
        headers: {
          authorization: `Bearer ${request.token}`,
          'content-type': 'application/json',
          'idempotency-key': request.key,
        },
        body: JSON.stringify(request.body),
      });
      const text = await reply.text();
      const isReplay = reply.headers.get('idempotency-replayed') === 'true';
      return { status: reply.status, text, body: text ? JSON.parse(text) : null, isReplay };
    } catch {
      return null;
    }
  }

  /** Comes again with the same key until the answer is one that stays. */
  sendUntilKept(request: Request): Promise<Answered> {
    return waitFor(
      async () => {
        const answer = await this.send(request);
        if (answer === null) throw new Error(`${request.path}: the service is down`);
        const { status, body } = answer;
        const forNow = ['idempotency/in-flight', 'settlement/busy', 'visit/settling'];
        if (status < 500 && !forNow.includes(body?.code)) return answer;
        if (status === 500) throw new Error(`${request.path}: ${answer.text}\n${this.errors}`);
        await this.letLeasesRunOut();
        return null;
      },
      { timeoutMs: 60_000, what: `an answer to ${request.path}` },
    );
  }

  /** A call that must succeed. */
  async call(
    method: string,
    target: string,
    options: { token?: string; body?: unknown } = {},
  ): Promise<ReplyBody> {
    const reply = await fetch(this.url + target, {
      method,
      headers: {
        ...(options.token ? { authorization: `Bearer ${options.token}` } : {}),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(method === 'POST' ? { 'idempotency-key': crypto.randomUUID() } : {}),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${target}: ${reply.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }
}

/** Lets real time pass: when a process is killed is all that a crash test may choose. */
export const realTime = (ms: number): Promise<void> => delay(ms);

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}
