// The service as a process group of its own: killed from outside at any moment and started again at the
// same address, with a client that knows how to come again with the same key.
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReplyBody } from '../support/app.ts';
import { ready, type Service } from '../support/service.ts';
import { waitFor } from '../support/wait-for.ts';

const ROOT = path.join(import.meta.dirname, '../..');
/** The slowest lawful way to an answer that stays: several restarts and outages on a busy machine. */
const PATIENCE_MS = 60_000;

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

interface Loaded extends Service {
  child: ChildProcess;
}

export class KillableService {
  readonly #settings: Record<string, string>;
  #port = 0;
  #running: Loaded | null = null;
  /** The next life, loaded while this one works. */
  #standby: Loaded | null = null;
  /** Milliseconds from the start to ready, of each start. */
  readonly starts: number[] = [];

  constructor(settings: Record<string, string>) {
    this.#settings = settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get isUp(): boolean {
    return this.#running !== null;
  }

  /** Starts on what lies there; resolves when the service has said that it is ready. */
  async start(): Promise<void> {
    this.#port ||= await freePort();
    const began = performance.now();
    this.#running = this.#standby ?? this.#load();
    this.#running.child.stdin?.write('start\n');
    await ready(this.#running);
    this.starts.push(performance.now() - began);
    this.#standby = this.#load();
  }

  #load(): Loaded {
    const child = spawn(process.execPath, ['--import', 'tsx', 'test/e2e/warm-service.ts'], {
      cwd: ROOT,
      // A group of its own, so that the whole of it can be killed by its id.
      detached: true,
      env: {
        PATH: process.env.PATH,
        EGRET_MODE: 'sandbox',
        HOST: '127.0.0.1',
        PORT: `${this.#port}`,
        INSURANCE_QUIET_MS: '200',
        LOG_LEVEL: 'warn',
        ...this.#settings,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        text += chunk;
      });
    }
    child.stdin?.on('error', () => {});
    return { child, output: () => text };
  }

  /** `kill -9` of the whole process group. Nothing in it gets a chance to say goodbye. */
  async kill(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running) await killGroup(running.child);
  }

  /** Kills also the life that was to come. */
  async end(): Promise<void> {
    await this.kill();
    if (this.#standby) await killGroup(this.#standby.child);
    this.#standby = null;
  }

  /** The last that the service complained of, but for an insurer that is away. */
  get complaints(): string {
    const lines = this.#running?.output().split('\n') ?? [];
    const isSomething = (line: string) =>
      line.startsWith('{') && !line.includes('insurance/offline');
    return lines.filter(isSomething).slice(-5).join('\n').slice(-5_000);
  }

  /** One try. Null when the service died before it answered. */
  async send(request: Request): Promise<Answered | null> {
    try {
      const reply = await fetch(this.url + request.path, {
        method: request.method,
        headers: {
          authorization: `Bearer ${request.token}`,
          ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(request.method === 'POST' ? { 'idempotency-key': request.key } : {}),
        },
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      const text = await reply.text();
      const isReplay = reply.headers.get('idempotency-replayed') === 'true';
      return { status: reply.status, text, body: text ? JSON.parse(text) : null, isReplay };
    } catch {
      return null;
    }
  }

  /** Comes again with the same key until the answer is one that stays; `meanwhile` after each that does not. */
  sendUntilKept(request: Request, meanwhile: () => Promise<void>): Promise<Answered> {
    let last = '';
    return waitFor(
      async () => {
        const answer = await this.send(request);
        if (answer === null) throw new Error(`${request.path}: the service is down`);
        last = answer.text;
        if (isKept(answer)) return answer;
        if (answer.status === 500) throw new Error(`${request.path}: ${last}\n${this.complaints}`);
        await meanwhile();
        return null;
      },
      { timeoutMs: PATIENCE_MS, what: `an answer to ${request.path}` },
    ).catch((error: unknown) => {
      throw new Error(`${error}; the last one was ${last}`, { cause: error });
    });
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
    if (!reply.ok) {
      throw new Error(`${method} ${target}: ${reply.status} ${text}\n${this.complaints}`);
    }
    return text ? JSON.parse(text) : null;
  }
}

const FOR_NOW = [
  'idempotency/in-flight',
  'settlement/busy',
  'visit/settling',
  'conversion/fate-unknown',
];

/** Not "later, please": the same request gets the same answer from now on. */
export function isKept({ status, body }: Answered): boolean {
  return status < 500 && !FOR_NOW.includes(body?.code);
}

/** Lets real time pass: when a process is killed is all that a crash test may choose. */
export const realTime = (ms: number): Promise<void> => delay(ms);

async function killGroup(child: ChildProcess): Promise<void> {
  if (!child.pid || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

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
