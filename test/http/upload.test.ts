// Law: a file comes to rest whole before anything is done with it, and its bytes are part of its request.
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { once } from '../../src/http/idempotency.ts';
import { route } from '../../src/http/route.ts';
import { statementTypes } from '../../src/http/upload.ts';
import { useDatabase } from '../support/database.ts';
import { waitFor } from '../support/wait-for.ts';
import { useServer } from './server.ts';

const MEGABYTE = 1024 * 1024;
const seen: { sha256: string; bytes: number; chunks: number }[] = [];

const takeFile = (path: string, isOptional: boolean) =>
  route({
    method: 'post',
    path,
    operationId: `take${path.slice(4)}`,
    summary: '收文件 Takes a file',
    tag: 'Finance',
    roles: ['auditor'],
    idempotency: 'required',
    query: z.strictObject({ day: z.string().max(3).optional() }),
    file: { maxBytes: 8 * MEGABYTE, contentTypes: statementTypes, isOptional },
    replies: { 202: z.object({ bytes: z.int().nullable() }) },
    problems: [],
    handler: async (call) => {
      const hash = createHash('sha256');
      let chunks = 0;
      for await (const chunk of call.file ?? []) {
        hash.update(chunk);
        chunks += 1;
      }
      const bytes = call.file?.bytes ?? null;
      return once(call, async () => {
        seen.push({ sha256: hash.digest('hex'), bytes: bytes ?? 0, chunks });
        return { status: 202, body: { bytes } };
      });
    },
  });

const { db } = useDatabase();
const server = useServer(db, [takeFile('/v1/files', false), takeFile('/v1/perhaps', true)]);

let serial = 0;
async function send(
  body: Uint8Array | string | undefined,
  headers: Record<string, string> = {},
  path = '/v1/files',
) {
  const reply = await fetch(server.url() + path, {
    method: 'POST',
    headers: {
      authorization: 'Bearer auditor:a1',
      'idempotency-key': `f${++serial}`,
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const read = (await reply.json()) as { code?: string; bytes?: number };
  return { status: reply.status, headers: reply.headers, body: read };
}

describe('a body that is a file', () => {
  it('is read whole, byte for byte, and more than once', async () => {
    const bytes = randomBytes(3 * MEGABYTE + 17);
    const reply = await send(bytes, { 'content-type': 'application/zip' });
    expect(reply).toMatchObject({ status: 202, body: { bytes: bytes.length } });
    const last = seen.at(-1);
    expect(last?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(last?.chunks).toBeGreaterThan(5);
  });

  it('may say its type with parameters, or none', async () => {
    expect((await send('a,b', { 'content-type': 'Text/CSV; charset=gbk' })).status).toBe(202);
    expect((await send(new Uint8Array([1]))).status).toBe(202);
  });

  it('of JSON or compressed is 415, empty 400', async () => {
    const json = await send('{}', { 'content-type': 'application/json' });
    expect([json.status, json.body.code]).toEqual([415, 'request/unsupported-media-type']);
    const packed = await send('x', { 'content-type': 'text/csv', 'content-encoding': 'gzip' });
    expect(packed.status).toBe(415);
    const none = await send(undefined);
    expect([none.status, none.body.code]).toEqual([400, 'request/malformed']);
  });

  it('is null where it may be absent', async () => {
    expect((await send(undefined, {}, '/v1/perhaps')).body).toEqual({ bytes: null });
  });

  it('beyond the limit is 413, whether it says its length or not', async () => {
    const told = await send(new Uint8Array(8 * MEGABYTE + 1), { 'content-type': 'text/csv' });
    expect([told.status, told.body.code]).toEqual([413, 'request/too-large']);
    const before = seen.length;
    const status = await sendChunked(9);
    expect([status, seen.length]).toEqual([413, before]);
    // The rest of what was sent is read away, so the connection serves the next request.
    expect(await sendChunked(9)).toBe(413);
  });

  it('is part of what its key stands for', async () => {
    const headers = { 'content-type': 'text/csv', 'idempotency-key': 'same' };
    const first = await send('a,b\n1,2', headers);
    const before = seen.length;
    const again = await send('a,b\n1,2', headers);
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await send('a,b\n1,3', headers);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency/key-reused']);
    expect(seen.length).toBe(before);
  });

  it('is looked at only after role, key and query', async () => {
    const body = new Uint8Array(100);
    const role = await send(body, { authorization: 'Bearer terminal:t1' });
    expect(role.body.code).toBe('access/forbidden');
    expect((await send(body, { 'idempotency-key': '' })).body.code).toBe('idempotency/key-missing');
    expect((await send(body, {}, '/v1/files?day=long')).body.code).toBe('request/invalid');
  });

  it('leaves nothing when its sender goes away midway', async () => {
    const before = seen.length;
    await sendHalf();
    await waitFor(() => server.logs.some((line) => line.includes('"status":499')));
    expect(seen.length).toBe(before);
    expect((await send('still there', { 'content-type': 'text/csv' })).status).toBe(202);
  });

  it('is described as raw bytes in the API document', async () => {
    const reply = await fetch(`${server.url()}/openapi.json`);
    const document = (await reply.json()) as Document;
    const { requestBody } = document.paths['/v1/files'].post;
    expect(requestBody.required).toBe(true);
    expect(Object.keys(requestBody.content)).toContain('text/csv');
    expect(document.paths['/v1/perhaps'].post.requestBody.required).toBe(false);
  });
});

interface Operation {
  post: { requestBody: { required: boolean; content: object } };
}
interface Document {
  paths: Record<'/v1/files' | '/v1/perhaps', Operation>;
}

function upload() {
  return request(`${server.url()}/v1/files`, {
    method: 'POST',
    headers: {
      authorization: 'Bearer auditor:a1',
      'idempotency-key': `f${++serial}`,
      'content-type': 'text/csv',
      'transfer-encoding': 'chunked',
    },
  });
}

/** Sends without a length; resolves with the status of the reply. */
function sendChunked(megabytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = upload();
    sent.on('response', (reply) => {
      reply.resume();
      resolve(reply.statusCode ?? 0);
    });
    sent.on('error', reject);
    for (let i = 0; i < megabytes; i += 1) sent.write(Buffer.alloc(MEGABYTE));
    sent.end();
  });
}

/** Sends a piece and breaks the connection. */
function sendHalf(): Promise<void> {
  return new Promise((resolve) => {
    const sent = upload();
    sent.on('error', () => resolve());
    sent.write(Buffer.alloc(MEGABYTE), () => sent.destroy(new Error('gone')));
  });
}
