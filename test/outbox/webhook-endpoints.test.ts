// Law: an endpoint belongs to the client that made it, its secret is told once and kept sealed, and
// it may not point into a private network.

import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { problems } from '../../src/errors.ts';
import { guardedLookup, isReachable, refusalOfUrl } from '../../src/outbox/webhook-address.ts';
import { sendWebhook } from '../../src/outbox/webhook-sender.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';

const app = useApp({ worker: false });
let terminal: string;
let admin: string;

beforeAll(async () => {
  terminal = await app.token('terminal');
  admin = await app.token('admin');
});
afterEach(() => app.db.execute(sql`delete from webhook_endpoint`));

const order = { url: 'http://127.0.0.1:9/hook', eventTypes: ['visit.opened'] };
const path = '/v1/webhook-endpoints';
const register = (token: string, body: object = order, key?: string | null) =>
  app.call('POST', path, { token, body, ...(key === undefined ? {} : { key }) });

describe('registering an endpoint', () => {
  it('answers with its id and a secret that only the caller has', async () => {
    const reply = await register(terminal, {
      ...order,
      eventTypes: ['visit.opened', 'hold.placed', 'visit.opened'],
    });
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      url: order.url,
      eventTypes: ['visit.opened', 'hold.placed'],
    });
    expect(Buffer.from(reply.body.secret.replace('whsec_', ''), 'base64')).toHaveLength(32);
    const kept = await rows<{ text: string }>(
      app.db,
      sql`
      select row_to_json(w)::text || encode(w.secret, 'escape') as text from webhook_endpoint w
      union all select row_to_json(k)::text from idempotency_key k`,
    );
    expect(kept.length).toBeGreaterThanOrEqual(2);
    expect(kept.filter(({ text }) => text.includes('whsec_'))).toEqual([]);
    const listed = await app.call('GET', path, { token: terminal });
    expect(listed.body.data).toMatchObject([{ id: reply.body.id, status: 'active' }]);
    expect(listed.text).not.toContain('secret');
  });

  it('again with the same key gives the same bytes and no second endpoint', async () => {
    const first = await register(terminal, order, 'once');
    const again = await register(terminal, order, 'once');
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    await app.call('DELETE', `${path}/${first.body.id}`, { token: terminal });
    expect((await register(terminal, order, 'once')).text).toBe(first.text);
    const other = await register(terminal, { ...order, eventTypes: ['hold.placed'] }, 'once');
    expect(other.body.code).toBe('idempotency/key-reused');
  });

  it('needs a key of a terminal and takes an admin without one', async () => {
    expect((await register(terminal, order, null)).body.code).toBe('idempotency/key-missing');
    expect((await register(admin, order, null)).status).toBe(201);
  });

  it('is for terminals and admins', async () => {
    const citizen = await app.token('citizen', { citizen: uniquePerson() });
    const others = [citizen, await app.token('auditor'), await app.token('lenderOperator')];
    for (const token of others) expect((await register(token)).status).toBe(403);
  });

  it.each([
    ['another scheme', { url: 'ftp://his.example/x' }, 400],
    ['a script', { url: 'javascript:alert(1)' }, 400],
    ['a URL without a host', { url: 'http://' }, 400],
    ['a URL with a blank', { url: 'http://a b/' }, 400],
    ['a URL of more than 2,000 characters', { url: `http://x.example/${'x'.repeat(1_984)}` }, 400],
    ['no event types', { eventTypes: [] }, 400],
    ['an event that is told to citizens only', { eventTypes: ['line.enrolled'] }, 400],
    ['an unknown event', { eventTypes: ['visit.*'] }, 400],
    ['an unknown field', { secret: 'mine' }, 400],
    ['credentials in the URL', { url: 'http://user:pass@his.example/' }, 422],
    ['a private address', { url: 'http://10.0.0.8/x' }, 422],
    ['a link-local address', { url: 'http://169.254.169.254/latest' }, 422],
    ['a private address in disguise', { url: 'http://0x0a000001/x' }, 422],
    ['a private IPv6 address', { url: 'http://[fd00::1]/x' }, 422],
  ])('refuses %s', async (_, wrong, status) => {
    const reply = await register(terminal, { ...order, ...wrong });
    expect(reply.status).toBe(status);
    expect(reply.body.code).toBe(status === 400 ? 'request/invalid' : 'webhook/url-refused');
    expect((await app.call('GET', path, { token: terminal })).body.data).toEqual([]);
  });

  it('takes a URL of 2,000 characters', async () => {
    const url = `http://x.example/${'x'.repeat(1_983)}`;
    expect(url).toHaveLength(2_000);
    expect((await register(terminal, { ...order, url })).body.url).toBe(url);
  });

  it('stops at twenty a client, whatever races', async () => {
    const replies = await Promise.all(Array.from({ length: 25 }, () => register(terminal)));
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(20);
    const refused = replies.filter((reply) => reply.body.code === 'webhook/too-many-endpoints');
    expect(refused).toHaveLength(5);
    expect(refused[0]?.status).toBe(problems['webhook/too-many-endpoints'].status);
    expect((await register(admin)).status).toBe(201);
  });
});

describe('an endpoint', () => {
  it('is listed and removed by its own client only', async () => {
    const { body } = await register(terminal);
    const other = await app.token('terminal', { subject: 'another counter' });
    for (const token of [other, admin]) {
      expect((await app.call('GET', path, { token })).body.data).toEqual([]);
      expect((await app.call('DELETE', `${path}/${body.id}`, { token })).status).toBe(404);
    }
    expect((await app.call('DELETE', `${path}/${body.id}`, { token: terminal })).status).toBe(204);
    expect((await app.call('DELETE', `${path}/${body.id}`, { token: terminal })).status).toBe(404);
  });

  it('comes in pages', async () => {
    for (let i = 0; i < 3; i += 1) await register(admin);
    const first = await app.call('GET', `${path}?limit=2`, { token: admin });
    const cursor = first.body.nextCursor;
    const second = await app.call('GET', `${path}?limit=2&cursor=${cursor}`, { token: admin });
    const ids = [...first.body.data, ...second.body.data].map((each) => each.id);
    expect(new Set(ids).size).toBe(3);
    expect(second.body.nextCursor).toBeNull();
  });
});

describe('in production a webhook', () => {
  it('goes to https only', () => {
    expect(refusalOfUrl('http://his.example/', 'production')).not.toBeNull();
    expect(refusalOfUrl('https://his.example/', 'production')).toBeNull();
    expect(refusalOfUrl('https://127.0.0.1/', 'production')).not.toBeNull();
    expect(refusalOfUrl('https://[::1]/', 'production')).not.toBeNull();
    expect(refusalOfUrl('http://127.0.0.1/', 'sandbox')).toBeNull();
  });

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:db8::1',
    'not an address',
  ])('never goes to %s', (address) => {
    expect(isReachable(address, 'production')).toBe(false);
  });

  it.each(['1.1.1.1', '172.32.0.1', '100.128.0.1', '2400:3200::1'])('goes to %s', (address) => {
    expect(isReachable(address, 'production')).toBe(true);
  });

  it('does not connect to a name that resolves to our own machine', async () => {
    let connections = 0;
    const server = createServer();
    server.on('connection', () => {
      connections += 1;
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const message = {
      secret: 'whsec_c2VjcmV0',
      id: 'evt_1',
      body: '{}',
      sentAt: new Date(),
      deadlineMs: 5_000,
    };
    const sent = await sendWebhook({ ...message, url: `https://localhost:${port}/` }, 'production');
    expect(sent).toEqual({ outcome: 'failed', reason: 'ADDRESS_REFUSED' });
    expect(connections).toBe(0);
    server.close();
  });

  it('refuses a name as soon as one of its addresses is private', () => {
    const answers: LookupAddress[][] = [
      [{ address: '1.1.1.1', family: 4 }],
      [
        { address: '1.1.1.1', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ],
      [],
    ];
    const resolve = ((
      _name: string,
      _options: object,
      done: (e: null, a: LookupAddress[]) => void,
    ) => done(null, answers.shift() ?? [])) as unknown as Parameters<typeof guardedLookup>[1];
    const lookup = guardedLookup('production', resolve);
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i += 1) {
      lookup('his.example', { all: true }, (error, found) => seen.push(error?.name ?? found));
    }
    expect(seen).toEqual([[{ address: '1.1.1.1', family: 4 }], 'Error', 'Error']);
  });
});
