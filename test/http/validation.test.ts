// Bad input gets its documented 4xx problem and changes nothing; nothing whatever gives a 5xx.
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/db/db.ts';
import { isLostWrite } from '../../src/db/survive-lost-writes.ts';
import { problems, Refusal } from '../../src/errors.ts';
import { useDatabase } from '../support/database.ts';
import { countNotes, createNotes, makeGate, noteRoutes, plan } from './notes.ts';
import { useServer } from './server.ts';

const { db } = useDatabase();
const server = useServer(db, noteRoutes, { RATE_LIMIT_PER_SECOND: '1000000' });
const { agent } = server;

beforeAll(() => createNotes(db));
beforeEach(() => Object.assign(plan, { gate: null, error: null }));

let serial = 0;
const good = { text: '挂号', amount: '12.30' };

/** Sends raw bytes as they are, which supertest would not. */
async function send(raw: string | Uint8Array, headers: Record<string, string> = {}) {
  const reply = await fetch(`${server.url()}/v1/notes`, {
    method: 'POST',
    headers: {
      Authorization: 'Bearer terminal:t1',
      'Idempotency-Key': `v${++serial}`,
      'Content-Type': 'application/json',
      ...headers,
    },
    body: raw,
  });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, body: text ? JSON.parse(text) : null };
}

describe('who may call', () => {
  it('needs a token, a good token and the role', async () => {
    const missing = await agent().get('/v1/notes');
    const invalid = await agent().get('/v1/notes').set('Authorization', 'Bearer nobody');
    const forbidden = await agent().get('/v1/notes').set('Authorization', 'Bearer terminal:t1');
    expect([missing.status, missing.body.code]).toEqual([401, 'access/token-missing']);
    expect(missing.headers['www-authenticate']).toBe('Bearer');
    expect([invalid.status, invalid.body.code]).toEqual([401, 'access/token-invalid']);
    expect(invalid.headers['www-authenticate']).toContain('invalid_token');
    expect([forbidden.status, forbidden.body.code]).toEqual([403, 'access/forbidden']);
  });

  it('is asked before the key and the body', async () => {
    const reply = await agent().post('/v1/notes').send({ nonsense: true });
    expect(reply.body.code).toBe('access/token-missing');
    const role = await agent().post('/v1/notes').set('Authorization', 'Bearer auditor:a').send({});
    expect(role.body.code).toBe('access/forbidden');
  });

  it('lets a public path be read without a token', async () => {
    expect((await agent().get('/v1/open')).body).toEqual({ ok: true });
  });
});

describe('a body', () => {
  it('names every wrong place by JSON pointer', async () => {
    const { status, body } = await send(
      JSON.stringify({ text: ' ', amount: '1.5', at: '2026-01-01', tags: ['a', 7], 'a/b': 1 }),
    );
    expect([status, body.code, body.instance]).toEqual([400, 'request/invalid', '/v1/notes']);
    const pointers = body.errors.map((error: { pointer: string }) => error.pointer);
    expect(pointers.sort()).toEqual(['/amount', '/at', '/a~1b', '/tags/1', '/text']);
  });

  it.each([
    ['no JSON', '{"text":', 'request/malformed'],
    ['nothing', '', 'request/malformed'],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'request/malformed'],
    ['an array', '[]', 'request/invalid'],
    ['null', 'null', 'request/invalid'],
    ['a text', '"x"', 'request/invalid'],
    ['a number beyond all numbers', '{"text":"a","amount":1e999}', 'request/invalid'],
    ['an amount as number', '{"text":"a","amount":12.3}', 'request/invalid'],
    ['NUL', '{"text":"a\\u0000b","amount":"1.00"}', 'request/invalid'],
    ['half a character', '{"text":"\\ud83d","amount":"1.00"}', 'request/invalid'],
    [
      'NUL where anything goes',
      '{"text":"a","amount":"1.00","extra":{"x":["\\u0000"]}}',
      'request/invalid',
    ],
    ['NUL in a name', '{"text":"a","amount":"1.00","extra":{"\\u0000":1}}', 'request/invalid'],
    ['a prototype', '{"text":"a","amount":"1.00","__proto__":{"a":1}}', 'request/invalid'],
    [
      'a prototype inside',
      '{"text":"a","amount":"1.00","extra":{"__proto__":{}}}',
      'request/invalid',
    ],
    [
      'an escaped prototype',
      '{"text":"a","amount":"1.00","extra":{"\\u005f_proto__":{}}}',
      'request/invalid',
    ],
    ['a constructor', '{"text":"a","amount":"1.00","constructor":{}}', 'request/invalid'],
    [
      'a depth',
      `{"text":"a","amount":"1.00","extra":{"x":${'['.repeat(9000)}${']'.repeat(9000)}}}`,
      'request/malformed',
    ],
  ])('with %s is refused', async (_name, raw, code) => {
    const before = await countNotes(db);
    const reply = await send(raw);
    expect([reply.status, reply.body.code]).toEqual([400, code]);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(await countNotes(db)).toBe(before);
  });

  it('of another type is 415, and over 1 MiB 413', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-16',
    ];
    for (const type of types) {
      const reply = await send(JSON.stringify(good), { 'Content-Type': type });
      expect([reply.status, reply.body.code]).toEqual([415, 'request/unsupported-media-type']);
    }
    const strange = await send('x', { 'Content-Encoding': 'zstd' });
    expect(strange.status).toBe(415);
    const large = await send(JSON.stringify({ ...good, text: 'x'.repeat(1024 * 1024) }));
    expect([large.status, large.body.code]).toEqual([413, 'request/too-large']);
  });

  it('may be absent or {} where none is expected, but may not say anything', async () => {
    const path = '/v1/visits/vis_01jd5z8m2cf0v9k3q7w4x6y8ab/close';
    const close = () =>
      agent()
        .post(path)
        .set('Authorization', 'Bearer terminal:t1')
        .set('Idempotency-Key', `c${++serial}`);
    expect((await close()).status).toBe(204);
    expect((await close().send({})).status).toBe(204);
    expect((await close().send({ force: true })).status).toBe(400);
  });
});

describe('a path and its query', () => {
  const get = (path: string, client = 'terminal:t1') =>
    agent().get(path).set('Authorization', `Bearer ${client}`);

  it('with a malformed id is the path of nothing', async () => {
    for (const id of ['x', 'set_01jd5z8m2cf0v9k3q7w4x6y8ab', '%00', '%F0%9F%98%80', 'VIS_01']) {
      const reply = await get(`/v1/visits/${id}`);
      expect([id, reply.status, reply.body.code]).toEqual([id, 404, 'resource/not-found']);
    }
  });

  it('with malformed percent-encoding is malformed', async () => {
    for (const path of ['/v1/visits/%E0%A4%A', '/%zz', '/v1/notes?text=%ff']) {
      const reply = await get(path, 'auditor:a');
      expect([path, reply.status, reply.body.code]).toEqual([path, 400, 'request/malformed']);
    }
  });

  it('refuses unknown, repeated and mistyped query fields', async () => {
    const queries = [
      'x=1',
      'limit=0',
      'limit=101',
      'limit=1e1',
      'limit=',
      'limit=5&limit=6',
      'text=%00',
      '__proto__=1',
      'text[]=1',
      'cursor=!!',
      'cursor=bm9uc2Vuc2U',
      'cursor=WyJhIl0',
      'cursor=WzFlOTldCg',
    ];
    for (const query of queries) {
      const reply = await get(`/v1/notes?${query}`, 'auditor:a');
      expect([query, reply.status, reply.body.code]).toEqual([query, 400, 'request/invalid']);
    }
  });

  it('that nobody serves is 404, and with a wrong method 405 with Allow', async () => {
    const nowhere = await get('/v1/nowhere');
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'route/not-found']);
    const wrong = await agent().delete('/v1/notes').set('Authorization', 'Bearer terminal:t1');
    expect([wrong.status, wrong.body.code]).toEqual([405, 'route/method-not-allowed']);
    expect(wrong.headers.allow).toBe('POST, PUT, GET, HEAD');
  });

  it('is named by the problem without its query', async () => {
    const reply = await get('/v1/notes?text=350203199001011234&x=1', 'auditor:a');
    expect(reply.body.instance).toBe('/v1/notes');
  });
});

describe('an error of ours', () => {
  it('is 500 without details, and logged with its stack', async () => {
    plan.error = new Error('secret detail');
    const reply = await agent().get('/v1/open');
    expect([reply.status, reply.body.code]).toEqual([500, 'service/internal']);
    expect(reply.text).not.toContain('secret detail');
    const line = JSON.parse(server.logs.find((log) => log.includes('"bug"')) ?? '{}');
    expect(line.err.stack).toContain('at ');
  });

  it.each([['ECONNREFUSED'], ['CONNECTION_ENDED'], ['CONNECT_TIMEOUT'], ['CONNECTION_CLOSED']])(
    'of a lost database (%s) is 503 with Retry-After',
    async (code) => {
      plan.error = new Error('query failed', { cause: Object.assign(new Error('lost'), { code }) });
      const reply = await agent().get('/v1/open');
      expect([reply.status, reply.body.code]).toEqual([503, 'service/unavailable']);
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    },
  );

  it('carries Retry-After wherever the contract says "not now"', async () => {
    for (const code of ['visit/settling', 'settlement/busy', 'insurance/offline'] as const) {
      plan.error = new Refusal(code);
      const reply = await agent().get('/v1/open');
      expect([reply.status, reply.body.code]).toEqual([problems[code].status, code]);
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    }
  });
});

/** Stands in for the process's guard, because vitest counts what that one lets pass. */
function catchLostWrites(): { lost: unknown[]; restore: () => void } {
  const lost: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => void lost.push(error));
  const restore = () => {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  };
  return { lost, restore };
}

describe('a database that is away', () => {
  const away = openDatabase({
    url: 'postgres://nobody@127.0.0.1:9/nothing',
    schema: 'public',
    poolSize: 1,
    usePrepared: true,
  });
  const lonely = useServer(away, noteRoutes);
  afterAll(() => away.$client.end({ timeout: 0 }));

  it('makes requests 503 with Retry-After, and the service not ready but alive', async () => {
    const list = await lonely.agent().get('/v1/notes').set('Authorization', 'Bearer auditor:a');
    const ready = await lonely.agent().get('/readyz');
    for (const reply of [list, ready]) {
      expect([reply.status, reply.body.code]).toEqual([503, 'service/unavailable']);
      expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect((await lonely.agent().get('/healthz')).status).toBe(200);
  });

  it('leaves the key free when it goes away in the middle', async () => {
    const gate = makeGate();
    plan.gate = gate;
    const before = await countNotes(db);
    const post = () =>
      agent()
        .post('/v1/notes')
        .set('Authorization', 'Bearer terminal:t1')
        .set('Idempotency-Key', 'cut off')
        .send(good);
    const first = post().then((reply) => reply);
    await gate.entered;
    const { lost, restore } = catchLostWrites();
    await db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and state = 'idle in transaction'`);
    gate.release();
    expect((await first).status).toBe(503);
    plan.gate = null;
    expect(await countNotes(db)).toBe(before);
    const again = await post();
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([201, undefined]);
    restore();
    expect(lost.every(isLostWrite)).toBe(true);
  });
});

/** Texts that have broken other people's systems. */
const naughty = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\ud800',
    '\u202e',
    '﻿',
    '1e999',
    '-0.00',
    '0x10',
    'NaN',
    "'; drop table note;--",
    '../../etc/passwd',
    '__proto__',
    'constructor',
    '=cmd()',
    '%00',
    '{{7*7}}',
    '<script>',
    '１２.３０',
    '9'.repeat(400),
    '12.30\n',
    '9999-99-99T99:99:99Z',
    '2026-02-30T00:00:00Z',
    '0000-01-01T00:00:00Z',
  ),
);
const anything = fc.oneof(
  naughty,
  fc.jsonValue(),
  fc.dictionary(naughty, fc.jsonValue(), { maxKeys: 4 }),
  fc.constantFrom(null, true, -1, 1e308, 2 ** 53, {}, []),
);
const field = fc.option(anything, { nil: undefined });

describe('no request whatever', () => {
  it('gives a 5xx by its body', async () => {
    const bodies = fc.oneof(
      anything,
      fc.record({ text: field, amount: field, at: field, tags: field, extra: field }),
    );
    await fc.assert(
      fc.asyncProperty(bodies, async (value) => {
        const { status, body } = await send(JSON.stringify(value) ?? '');
        expect(status === 201 || (status >= 400 && status < 500)).toBe(true);
        if (status !== 201) expect(problems).toHaveProperty([body.code]);
      }),
      { numRuns: 300 },
    );
  });

  it('gives a 5xx by its raw bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 80 }), async (raw) => {
        expect((await send(raw)).status).toBeLessThan(500);
      }),
      { numRuns: 100 },
    );
  });

  it('gives a 5xx by its path, query or cursor', async () => {
    await fc.assert(
      fc.asyncProperty(naughty, naughty, async (a, b) => {
        const safe = (text: string) => encodeURIComponent(Buffer.from(text).toString());
        const headers = { Authorization: 'Bearer auditor:a' };
        for (const path of [
          `/v1/visits/${safe(a)}`,
          `/${safe(a)}/${safe(b)}`,
          `/v1/notes?${safe(a)}=${safe(b)}`,
          `/v1/notes?cursor=${Buffer.from(a).toString('base64url')}`,
        ]) {
          const reply = await fetch(server.url() + path, { headers });
          expect([path, reply.status < 500]).toEqual([path, true]);
          await reply.text();
        }
      }),
      { numRuns: 100 },
    );
  });
});
