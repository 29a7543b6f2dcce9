// Role: the demo's only way to the service: HTTP with tokens, idempotency keys and expected statuses.
import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';

export interface Sent {
  token?: string;
  body?: unknown;
  /** Fixed idempotency key; POSTs get a fresh one when it is left out. */
  key?: string;
  /** Statuses that the story expects; anything else is a failed step. */
  expect: readonly number[];
}

export interface Got<T> {
  status: number;
  body: T;
  text: string;
  isReplayed: boolean;
  elapsedMs: number;
}

/** A step that got a status the story does not expect, or no answer at all. */
export class StepError extends Error {}

export interface SandboxCitizen {
  name: string;
  idNumber: string;
}

const STEP_TIMEOUT_MS = 60_000;

export class DemoClient {
  readonly baseUrl: string;
  /** How often each operation was called: method and path with ids left out. */
  requests = 0;
  private readonly agent = new Agent({ connections: 16, pipelining: 1 });
  private readonly tokens = new Map<string, Promise<string>>();

  constructor(baseUrl: string) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
  }

  get<T>(path: string, sent: Sent): Promise<Got<T>> {
    return this.send<T>('GET', path, sent);
  }

  post<T>(path: string, sent: Sent): Promise<Got<T>> {
    return this.send<T>('POST', path, { key: randomUUID(), ...sent });
  }

  put<T>(path: string, sent: Sent): Promise<Got<T>> {
    return this.send<T>('PUT', path, sent);
  }

  patch<T>(path: string, sent: Sent): Promise<Got<T>> {
    return this.send<T>('PATCH', path, sent);
  }

  delete<T>(path: string, sent: Sent): Promise<Got<T>> {
    return this.send<T>('DELETE', path, sent);
  }

  /** Token of a hospital's terminal. */
  terminal(hospitalCode: string): Promise<string> {
    return this.token(`terminal ${hospitalCode}`, { role: 'terminal', hospitalCode });
  }

  citizen(citizen: SandboxCitizen): Promise<string> {
    const { name, idNumber } = citizen;
    return this.token(`citizen ${idNumber}`, { role: 'citizen', citizen: { name, idNumber } });
  }

  staff(role: 'auditor' | 'admin'): Promise<string> {
    return this.token(role, { role });
  }

  close(): Promise<void> {
    return this.agent.close();
  }

  private token(cacheKey: string, body: unknown): Promise<string> {
    const cached = this.tokens.get(cacheKey);
    if (cached) return cached;
    const fresh = this.post<{ accessToken: string }>('/sandbox/tokens', {
      body,
      expect: [200, 201],
    }).then((got) => got.body.accessToken);
    this.tokens.set(cacheKey, fresh);
    return fresh;
  }

  private async send<T>(method: string, path: string, sent: Sent): Promise<Got<T>> {
    this.requests += 1;
    const startedAt = performance.now();
    const got = await this.exchange(method, path, sent).catch((error: unknown) => {
      throw new StepError(`${method} ${path}: no answer (${String(error)})`, { cause: error });
    });
    const elapsedMs = performance.now() - startedAt;
    if (!sent.expect.includes(got.status)) {
      throw new StepError(`${method} ${path}: ${got.status}, not ${sent.expect}: ${got.text}`);
    }
    return { ...got, body: parsed(got.text) as T, elapsedMs };
  }

  private async exchange(method: string, path: string, sent: Sent) {
    const reply = await request(`${this.baseUrl}${path}`, {
      method: method as 'GET',
      dispatcher: this.agent,
      headersTimeout: STEP_TIMEOUT_MS,
      bodyTimeout: STEP_TIMEOUT_MS,
      headers: {
        ...(sent.token ? { authorization: `Bearer ${sent.token}` } : {}),
        ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(sent.key ? { 'idempotency-key': sent.key } : {}),
      },
      ...(sent.body === undefined ? {} : { body: JSON.stringify(sent.body) }),
    });
    const isReplayed = reply.headers['idempotency-replayed'] === 'true';
    return { status: reply.statusCode, text: await reply.body.text(), isReplayed };
  }
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
