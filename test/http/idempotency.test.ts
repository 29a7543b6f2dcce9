// One key, one effect: the contract of api.md to the letter, on a real server and database.
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { type ProblemCode, problems, Refusal } from '../../src/errors.ts';
import { requestHash } from '../../src/http/canonical.ts';
import { useDatabase } from '../support/database.ts';
import { countNotes, createNotes, makeGate, noteRoutes, plan } from './notes.ts';
import { useServer } from './server.ts';

const { db } = useDatabase();
const { agent } = useServer(db, noteRoutes);

beforeAll(() => createNotes(db));
beforeEach(() => Object.assign(plan, { gate: null, error: null }));

const body = { text: '挂号', amount: '12.30' };
let serial = 0;
const freshKey = () => `key-${++serial}`;

function write(
  key: string | null,
  note: object = body,
  client = 'terminal:t1',
  path = '/v1/notes',
) {
  const request = agent().post(path).set('Authorization', `Bearer ${client}`);
  if (key !== null) request.set('Idempotency-Key', key);
  return request.send(note);
}

describe('a keyed request', () => {
  it('is refused without its key, before its body is looked at', async () => {
    for (const reply of [await write(null), await write(null, { nonsense: 1 })]) {
      expect(reply.status).toBe(400);
      expect(reply.body.code).toBe('idempotency/key-missing');
    }
  });

  it('is refused with a key that is no key', async () => {
    for (const key of ['"open', '""', '"a\\x"', 'x'.repeat(256), 'ключ', '"a" b']) {
      const reply = await write(Buffer.from(key, 'utf8').toString('latin1'));
      expect([key, reply.status, reply.body.code]).toEqual([key, 400, 'idempotency/key-invalid']);
    }
  });

  it('happens once and is answered again byte for byte', async () => {
    const key = freshKey();
    const before = await countNotes(db);
    const first = await write(key);
    const again = await write(key);
    expect(first.status).toBe(201);
    expect(first.headers['idempotency-replayed']).toBeUndefined();
    expect(again.status).toBe(201);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.text).toBe(first.text);
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
    expect(await countNotes(db)).toBe(before + 1);
  });

  it('means the same with a quoted key, another order of members and other spaces', async () => {
    const key = freshKey();
    const first = await write(key);
    const again = await agent()
      .post('/v1/notes')
      .set('Authorization', 'Bearer terminal:t1')
      .set('Idempotency-Key', `"${key}"`)
      .set('Content-Type', 'application/json')
      .send('{ "amount":"12.30",  "text":"\\u6302号" }');
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.text).toBe(first.text);
  });

  it('is refused with another body, path or method under the same key', async () => {
    const key = freshKey();
    await write(key);
    const before = await countNotes(db);
    const otherBody = await write(key, { ...body, amount: '12.31' });
    const otherPath = await write(key, body, 'terminal:t1', '/v1/others');
    const otherMethod = await agent()
      .put('/v1/notes')
      .set('Authorization', 'Bearer terminal:t1')
      .set('Idempotency-Key', key)
      .send(body);
    for (const reply of [otherBody, otherPath, otherMethod]) {
      expect([reply.status, reply.body.code]).toEqual([422, 'idempotency/key-reused']);
    }
    expect(await countNotes(db)).toBe(before);
    expect((await write(key)).headers['idempotency-replayed']).toBe('true');
  });

  it('belongs to its client: another client may use the same key', async () => {
    const key = freshKey();
    const [one, other] = [await write(key), await write(key, body, 'terminal:t2')];
    expect([one.status, other.status]).toEqual([201, 201]);
    expect(other.text).not.toBe(one.text);
  });

  it('is in flight while the first runs, and replayed when it has finished', async () => {
    const key = freshKey();
    const before = await countNotes(db);
    const gate = makeGate();
    plan.gate = gate;
    const first = write(key).then((reply) => reply);
    await gate.entered;
    const second = await write(key);
    expect([second.status, second.body.code]).toEqual([409, 'idempotency/in-flight']);
    expect(Number(second.headers['retry-after'])).toBeGreaterThan(0);
    gate.release();
    const finished = await first;
    expect(finished.status).toBe(201);
    expect((await write(key)).text).toBe(finished.text);
    expect(await countNotes(db)).toBe(before + 1);
  });

  it('takes effect once when twenty race with one key', async () => {
    const key = freshKey();
    const before = await countNotes(db);
    const replies = await Promise.all(Array.from({ length: 20 }, () => write(key)));
    const done = replies.filter((reply) => reply.status === 201);
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map((reply) => reply.text)).size).toBe(1);
    const others = replies.filter((reply) => reply.status !== 201);
    expect(others.every((reply) => reply.body.code === 'idempotency/in-flight')).toBe(true);
    expect(await countNotes(db)).toBe(before + 1);
  });
});

/** One code of each status and each exception of the contract. */
const kept: ProblemCode[] = [
  'credit/limit-exceeded',
  'resource/not-found',
  'visit/number-taken',
  'charge/amount-mismatch',
];
const passing: ProblemCode[] = [
  'visit/settling',
  'settlement/busy',
  'idempotency/in-flight',
  'request/invalid',
  'access/forbidden',
  'request/precondition-required',
  'request/rate-limited',
  'insurance/offline',
  'service/internal',
];

describe('a refusal', () => {
  it.each(kept)('%s is kept under its key, byte for byte', async (code) => {
    const key = freshKey();
    const before = await countNotes(db);
    plan.error = new Refusal(code, { errors: [{ pointer: '/amount', detail: 'why' }] });
    const first = await write(key);
    plan.error = null;
    const again = await write(key);
    expect(first.status).toBe(problems[code].status);
    expect(again.status).toBe(first.status);
    expect(again.text).toBe(first.text);
    expect(again.headers['content-type']).toContain('application/problem+json');
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.body.instance).toBe('/v1/notes');
    expect(await countNotes(db)).toBe(before);
  });

  it.each(passing)('%s leaves the key free', async (code) => {
    const key = freshKey();
    plan.error = new Refusal(code);
    const first = await write(key);
    plan.error = null;
    const again = await write(key);
    expect(first.status).toBe(problems[code].status);
    expect(again.status).toBe(201);
    expect(again.headers['idempotency-replayed']).toBeUndefined();
  });

  it('of validation leaves the key free for the corrected request', async () => {
    const key = freshKey();
    expect((await write(key, { ...body, amount: '0.00' })).status).toBe(400);
    expect((await write(key)).status).toBe(201);
  });

  it('for a malformed id in the path is a kept 404', async () => {
    const key = freshKey();
    const close = (id: string) => write(key, {}, 'terminal:t1', `/v1/visits/${id}/close`);
    expect((await close('nonsense')).body.code).toBe('resource/not-found');
    expect((await close('nonsense')).headers['idempotency-replayed']).toBe('true');
    expect((await close('other')).body.code).toBe('idempotency/key-reused');
  });

  it('gives way to the reply that another request with the key stored meanwhile', async () => {
    const key = freshKey();
    const gate = makeGate();
    plan.gate = gate;
    const first = write(key).then((reply) => reply);
    await gate.entered;
    // As if the same request had finished elsewhere, between our rollback and our keeping.
    const hash = requestHash('POST', '/v1/notes', body);
    await db.execute(sql`
      insert into idempotency_key (client, key, request_hash, status, content_type, body)
      values ('terminal:t1', ${key}, ${hash}, 201, 'application/json', '{"number":0}')`);
    plan.error = new Refusal('visit/number-taken');
    gate.release();
    const reply = await first;
    expect([reply.status, reply.text]).toEqual([201, '{"number":0}']);
    expect(reply.headers['idempotency-replayed']).toBe('true');
  });
});

it('keeps refusals and replies in rows that hold no instance and no client text', async () => {
  const found = await rows<{ body: string }>(
    db,
    sql`
    select body from idempotency_key where status >= 400`,
  );
  expect(found.length).toBeGreaterThan(0);
  expect(found.every((row) => !row.body.includes('"instance"'))).toBe(true);
});
