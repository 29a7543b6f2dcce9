// What operators see and rely on: health, metrics, logs without personal data, traces, limits.
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeLogger, scrub } from '../../src/http/logging.ts';
import { readTrace } from '../../src/http/trace.ts';
import { useDatabase } from '../support/database.ts';
import { createNotes, noteRoutes, plan } from './notes.ts';
import { useServer } from './server.ts';

const { db } = useDatabase();
const { agent, logs, deps } = useServer(db, noteRoutes);
const tokened = useServer(db, noteRoutes, {
  METRICS_TOKEN: 'a-long-enough-token',
  RATE_LIMIT_PER_SECOND: '5',
});

beforeAll(() => createNotes(db));
beforeEach(() => Object.assign(plan, { gate: null, error: null }));

describe('health', () => {
  it('is alive and ready on a migrated database', async () => {
    expect((await agent().get('/healthz')).body).toEqual({ status: 'ok' });
    expect((await agent().get('/readyz')).body).toEqual({ status: 'ready' });
  });

  it('is alive but not ready while a migration is missing', async () => {
    await db.execute(sql`create table migration_copy as select * from migration`);
    await db.execute(sql`delete from migration`);
    const reply = await agent().get('/readyz');
    expect([reply.status, reply.body.code]).toEqual([503, 'service/unavailable']);
    expect((await agent().get('/healthz')).status).toBe(200);
    await db.execute(sql`insert into migration select * from migration_copy`);
    expect((await agent().get('/readyz')).status).toBe(200);
  });
});

describe('metrics', () => {
  it('count requests by route pattern, never by path', async () => {
    const path = '/v1/visits/vis_01jd5z8m2cf0v9k3q7w4x6y8ab';
    await agent().get(path).set('Authorization', 'Bearer terminal:t1');
    deps.metrics.countTrade('2207', 'ok', 0.1);
    deps.metrics.countJob('convert', 'done');
    const { text, headers } = await agent().get('/metrics');
    expect(headers['content-type']).toContain('text/plain');
    expect(text).toContain('route="/v1/visits/{visitId}",status="404"');
    expect(text).toContain('egret_insurer_trade_seconds_count{infno="2207",outcome="ok"} 1');
    expect(text).toContain('egret_jobs_total{kind="convert",outcome="done"} 1');
    expect(text).not.toContain('vis_01');
  });

  it('need their token where one is set', async () => {
    const get = (token?: string) => {
      const request = tokened.agent().get('/metrics');
      return token === undefined ? request : request.set('Authorization', token);
    };
    expect((await get()).status).toBe(401);
    expect((await get('Bearer wrong')).status).toBe(401);
    expect((await get('Bearer a-long-enough-token')).status).toBe(200);
  });

  it('read a gauge when asked, and do without one that cannot be read', async () => {
    deps.metrics.watch('egret_test_good', 'good', async () => 7);
    deps.metrics.watch('egret_test_bad', 'bad', () => Promise.reject(new Error('away')));
    const { text, status } = await agent().get('/metrics');
    expect(status).toBe(200);
    expect(text).toContain('egret_test_good 7');
  });
});

describe('logs', () => {
  const idNumber = '350203199003074213';

  it('have one line a request, with closed fields', async () => {
    logs.length = 0;
    await agent()
      .get(`/v1/notes?text=${idNumber}`)
      .set('Authorization', 'Bearer auditor:a')
      .set('traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
    const lines = logs.map((line) => JSON.parse(line)).filter((line) => line.msg === 'request');
    expect(lines).toHaveLength(1);
    const { time, ms, ...rest } = lines[0];
    expect(rest).toEqual({
      level: 'info',
      service: 'egret',
      method: 'GET',
      route: '/v1/notes',
      status: 200,
      client: 'auditor:a',
      trace: 'a'.repeat(32),
      msg: 'request',
    });
    expect([typeof time, typeof ms]).toEqual(['string', 'number']);
  });

  it('hold no personal data of a request, whatever becomes of it', async () => {
    logs.length = 0;
    const secrets = ['张小明', idNumber, '13859912345', 'hunter2token', 'secret-key-1'];
    const body = { text: `张小明 ${idNumber} 13859912345`, amount: '1.00' };
    const write = (token: string) =>
      agent()
        .post(`/v1/notes`)
        .query({})
        .set('Authorization', `Bearer ${token}`)
        .set('Idempotency-Key', 'secret-key-1')
        .send(body);
    await write('terminal:t1');
    await write('hunter2token');
    plan.error = new Error(`duplicate row of ${idNumber}, phone 13859912345`);
    await agent().get(`/v1/open`);
    await agent().get(`/v1/nowhere/${idNumber}?name=张小明`.replace('张小明', '%E5%BC%A0'));
    await db
      .execute(sql`select ${idNumber}::text, ${'张小明'}::text from nowhere`)
      .catch((error) => {
        plan.error = error;
      });
    await agent().get('/v1/open');
    expect(logs.length).toBeGreaterThanOrEqual(5);
    for (const secret of secrets) expect(logs.join('')).not.toContain(secret);
    expect(logs.join('')).toContain('42P01');
  });

  it('redact named fields and scrub numbers of people, not of things', () => {
    const lines: string[] = [];
    const log = makeLogger('info', { write: (line: string) => void lines.push(line) });
    log.info(
      { person: { name: '张小明', idNumber, phone: '13859912345' }, token: 'x.y.z' },
      idNumber,
    );
    expect(lines[0]).not.toMatch(/张小明|350203|138599|x\.y\.z/);
    const things = 'H35020000001 set_01jd5z8m2c 1763766000123 350200 20261122083000123456';
    expect(scrub(things)).toBe(things);
  });
});

describe('a trace', () => {
  it('goes on from the caller and is named in the reply', async () => {
    const caller = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`;
    const { headers } = await agent().get('/v1/open').set('traceparent', caller);
    expect(headers.traceparent).toMatch(/^00-1{32}-[0-9a-f]{16}-01$/);
    expect(headers.traceparent).not.toBe(caller);
  });

  it('begins anew when the header is absent or broken', () => {
    const broken = ['', 'x', `00-${'0'.repeat(32)}-${'2'.repeat(16)}-01`, `ff-${'1'.repeat(32)}-x`];
    for (const header of [undefined, ...broken]) {
      expect(readTrace(header).traceId).toMatch(/^(?!0{32})(?!1{32})[0-9a-f]{32}$/);
    }
  });
});

describe('the rate limit', () => {
  const knock = (client: string) =>
    tokened.agent().get('/v1/notes').set('Authorization', `Bearer ${client}`);

  it('refuses one client what is too much, and lets the others in', async () => {
    const replies = await Promise.all(Array.from({ length: 90 }, () => knock('auditor:a')));
    const refused = replies.filter((reply) => reply.status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(replies.length - refused.length).toBeGreaterThanOrEqual(5);
    const [one] = refused;
    expect(one?.body.code).toBe('request/rate-limited');
    expect(Number(one?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await knock('auditor:b')).status).toBe(200);
  });

  it('tells every client where it stands', async () => {
    const { headers } = await knock('auditor:c');
    expect(headers['ratelimit-policy']).toMatch(/"per-second"; q=5; w=1/);
    expect(headers.ratelimit).toMatch(/"per-second"; r=\d+; t=\d/);
  });

  it('lets one client send 250 at once by default', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 250 }, () =>
        agent()
          .get('/v1/open')
          .then((reply) => reply.status),
      ),
    );
    expect(statuses.every((status) => status === 200)).toBe(true);
  });

  it('counts requests without a good token, too', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 90 }, () => knock('nobody').then((reply) => reply.status)),
    );
    expect(statuses).toContain(401);
    expect(statuses).toContain(429);
  });
});
