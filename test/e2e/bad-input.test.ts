// Whatever comes in: a documented 4xx problem of the catalogue, never a 5xx, and nothing changed by it.
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { problems } from '../../src/errors.ts';
import { expectLaws, lineOf, newPatient, type Scene, sceneOf } from '../settlement/support.ts';
import { type ReplyBody, type TestRole, useApp } from '../support/app.ts';
import { everything } from '../visit/support.ts';
import {
  brokenPayloads,
  mutantsOf,
  naughtyValues,
  type Operation,
  operationsOf,
  sample,
  seeded,
  toJson,
  trimmed,
} from './bad-requests.ts';
import { goodBody, realThings } from './good-requests.ts';

const SEED = 20_261_122;
const app = useApp({ worker: false, env: { RATE_LIMIT_PER_SECOND: '1000000' } });
let scene: Scene;
let operations: Operation[];
let tokens: Record<string, string>;
/** Real things, so that a bad request is bad in one place only. */
let real: Record<string, string>;
let goodOf: (operation: Operation) => unknown;
let citizen: string;

beforeAll(async () => {
  scene = await sceneOf(app);
  const document = (await (await fetch(`${app.url}/openapi.json`)).json()) as object;
  operations = operationsOf(document);
  const { person, token } = await newPatient(app);
  citizen = token;
  real = await realThings(scene, person);
  goodOf = (operation) => goodBody(operation, document, person);
  tokens = { terminal: scene.terminal, citizen };
  for (const role of new Set(operations.flatMap(({ roles }) => roles.slice(0, 1)))) {
    tokens[role] ??= await app.token(role as TestRole);
  }
});

let bugs: ReturnType<typeof vi.spyOn>;
beforeEach(() => {
  bugs = vi.spyOn(app.deps.log, 'error');
});
afterEach(() => {
  const alarms = bugs.mock.calls.map((facts: unknown[]) =>
    `${JSON.stringify(facts)}`.slice(0, 300),
  );
  bugs.mockRestore();
  expect(alarms).toEqual([]);
});

const pathOf = ({ path }: Operation, values: Record<string, string> = real): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? 'x'));

interface Sent {
  path?: string;
  raw?: string | Uint8Array;
  type?: string;
  key?: string | null;
}

async function send(operation: Operation, sent: Sent) {
  const { method, takesKey } = operation;
  const [role] = operation.roles;
  const key = sent.key === undefined ? crypto.randomUUID() : sent.key;
  const reply = await fetch(app.url + (sent.path ?? pathOf(operation)), {
    method,
    headers: {
      ...(role ? { authorization: `Bearer ${tokens[role]}` } : {}),
      ...(sent.raw === undefined ? {} : { 'content-type': sent.type ?? 'application/json' }),
      ...(takesKey && key !== null ? { 'idempotency-key': key } : {}),
    },
    ...(sent.raw === undefined ? {} : { body: sent.raw as string }),
  });
  const text = await reply.text();
  const isJson = reply.headers.get('content-type')?.includes('json');
  const body = isJson && text ? (JSON.parse(text) as ReplyBody) : null;
  return { status: reply.status, body, type: reply.headers.get('content-type') ?? '' };
}

const show = (sent: Sent) => `${sent.path ?? ''} ${String(sent.raw ?? '').slice(0, 300)}`;

/** Sends it and expects a documented problem of the catalogue, 4xx. */
async function expectRefused(operation: Operation, sent: Sent): Promise<void> {
  const { status, body, type } = await send(operation, sent);
  const where = `${operation.method} ${operation.path} ${show(sent)} gave ${status} ${toJson(body)}`;
  expect(status, where).toBeGreaterThanOrEqual(400);
  expect(status, where).toBeLessThan(500);
  expect(operation.statuses, where).toContain(status);
  expect(type, where).toContain('application/problem+json');
  const known = problems[body?.code as keyof typeof problems];
  expect([known?.status, body?.status], where).toEqual([status, status]);
}

/** Books, lines, visits, and what finance and the citizen read of them. */
async function state() {
  const auditor = await app.token('auditor');
  const trial = await app.call('GET', '/v1/ledger/trial-balance', { token: auditor });
  return [await everything(app), trial.body.owners, await lineOf(app, citizen)];
}

async function expectUnchanged(work: () => Promise<void>): Promise<void> {
  const before = await state();
  await work();
  expect(await state()).toEqual(before);
}

/** Half a character cannot be percent-encoded. */
const isWellFormed = (text: string) => !/\p{Cs}/u.test(text);
const withBody = () => operations.filter((operation) => operation.hasJsonBody);
const isProblemApi = ({ operationId }: Operation) => operationId !== 'issueToken';

describe('bad input', () => {
  it('has a good body of every operation to start from', () => {
    for (const operation of withBody()) {
      const { operationId, takes } = operation;
      expect([operationId, takes(goodOf(operation))]).toEqual([operationId, true]);
    }
  });

  it('in the body is refused wherever the document refuses it', { timeout: 120_000 }, async () => {
    for (const operation of withBody()) {
      const random = seeded(SEED + operation.operationId.length);
      await expectUnchanged(async () => {
        const mutants = mutantsOf(goodOf(operation), random, 2);
        const bad = mutants.filter((m) => !operation.takes(m) && !operation.takes(trimmed(m)));
        expect(bad.length).toBeGreaterThan(10);
        for (const mutant of bad) await expectRefused(operation, { raw: toJson(mutant) });
      });
    }
  });

  it('that is no JSON of ours is refused as such', { timeout: 60_000 }, async () => {
    for (const operation of withBody()) {
      await expectUnchanged(async () => {
        for (const { raw, type } of brokenPayloads) {
          await expectRefused(operation, { raw, type });
        }
        if (operation.isBodyRequired) await expectRefused(operation, { raw: '' });
      });
    }
  });

  it('in the path finds nothing', { timeout: 60_000 }, async () => {
    const random = seeded(SEED);
    const isText = (v: unknown): v is string => typeof v === 'string' && v !== '';
    const texts = naughtyValues.filter(isText).filter(isWellFormed);
    for (const operation of operations.filter(({ path }) => path.includes('{'))) {
      const good = goodOf(operation);
      const raw = good === undefined ? {} : { raw: toJson(good) };
      await expectUnchanged(async () => {
        for (const name of operation.path.match(/(?<=\{)\w+/g) ?? []) {
          for (const text of sample(texts, random, 15)) {
            const path = pathOf(operation, { ...real, [name]: text.slice(0, 3000) });
            await expectRefused(operation, { path, ...raw });
          }
          for (const bad of ['%', '%ff', '%c0%80', '%ed%a0%80']) {
            const path = pathOf(operation, { ...real, [name]: 'BAD' }).replace('BAD', bad);
            await expectRefused(operation, { path, ...raw });
          }
        }
      });
    }
  });

  it('in the query is refused, cursors of nothing too', { timeout: 60_000 }, async () => {
    const texts = naughtyValues.filter((v): v is string => typeof v === 'string');
    const made = [
      ...['[]', '[1]', '{}', '[[[]]]', '["\\u0000"]', '["2026-02-30T00:00:00Z","x"]'],
      ...['["2026-01-01T00:00:00Z","\\u0000"]', '["0000-01-01T00:00:00Z","x"]'],
    ].map((text) => Buffer.from(text).toString('base64url'));
    const random = seeded(SEED);
    for (const operation of operations.filter((o) => o.method === 'GET' && o.query.length > 0)) {
      await expectUnchanged(async () => {
        const ask = (query: Record<string, string>) =>
          send(operation, { path: `${pathOf(operation)}?${new URLSearchParams(query)}` });
        const isPaged = operation.query.includes('limit');
        const surely = [
          { nonsense: '1' },
          ...(isPaged ? sample(texts, random, 5).map((limit) => ({ limit })) : []),
          ...(isPaged ? [{ limit: '0' }, { limit: '101' }] : []),
        ];
        for (const query of surely) {
          const path = `${pathOf(operation)}?${new URLSearchParams(query as Record<string, string>)}`;
          await expectRefused(operation, { path });
        }
        for (const name of operation.query.filter((q) => q !== 'limit')) {
          const some = sample(texts, random, 12);
          for (const text of name === 'cursor' ? [...some, ...made] : some) {
            const { status } = await ask({ [name]: text.slice(0, 3000) });
            expect([operation.path, name, text, status < 500]).toEqual([
              operation.path,
              name,
              text,
              true,
            ]);
          }
        }
      });
    }
  });

  it('in the key is refused before anything is done', async () => {
    for (const operation of operations.filter((o) => o.needsKey && isProblemApi(o))) {
      const good = goodOf(operation);
      const raw = good === undefined ? {} : { raw: toJson(good) };
      await expectUnchanged(async () => {
        for (const key of [null, '"', '"a', '"a"b"', 'x'.repeat(256), 'schl\u00fcssel', '""']) {
          await expectRefused(operation, { ...raw, key });
        }
      });
    }
  });
});

describe('odd but lawful input', () => {
  it('never gives a 5xx, and every law holds afterwards', { timeout: 120_000 }, async () => {
    const isLeftOut = (o: Operation) => o.path.startsWith('/sandbox/');
    for (const operation of withBody().filter((o) => !isLeftOut(o))) {
      const random = seeded(SEED + 7 + operation.operationId.length);
      const lawful = mutantsOf(goodOf(operation), random, 3).filter(operation.takes);
      for (const mutant of lawful) {
        const { status, body } = await send(operation, { raw: toJson(mutant) });
        const where = `${operation.operationId} ${toJson(mutant)} gave ${status} ${toJson(body)}`;
        expect(status, where).toBeLessThan(500);
        expect(operation.statuses, where).toContain(status);
      }
    }
    await expectLaws(app);
  });

  it('at the token endpoint gets an OAuth error', async () => {
    const forms = naughtyValues.map(
      (value) =>
        `grant_type=client_credentials&client_assertion=${encodeURIComponent(
          typeof value === 'string' && isWellFormed(value) ? value : toJson(value),
        )}`,
    );
    for (const form of ['', 'grant_type=password', 'a=1&a=2', ...forms]) {
      const reply = await fetch(`${app.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: form,
      });
      expect([400, 401], form).toContain(reply.status);
      expect(((await reply.json()) as ReplyBody).error).toEqual(expect.any(String));
    }
  });
});
