// A tiny real HTTP server whose behaviour a test sets per request.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';

export interface Received {
  infno: string;
  headers: IncomingMessage['headers'];
  body: { [field: string]: unknown };
}
type Behaviour = (response: ServerResponse, received: Received) => void;

export const json =
  (value: unknown, status = 200): Behaviour =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
export const ok = (output: unknown = {}): Behaviour => json({ infcode: 0, err_msg: '', output });

/** `received` and `behave` are reset before each test; 9001 always succeeds unless told otherwise. */
export function useFakeGateway() {
  let server: Server;
  const fake = {
    url: '',
    received: [] as Received[],
    behave: new Map<string, Behaviour>(),
    connections: 0,
  };
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const infno = request.url?.split('/').at(-1) ?? '';
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Received['body'];
      const received = { infno, headers: request.headers, body };
      fake.received.push(received);
      (fake.behave.get(infno) ?? ok())(response, received);
    });
    server.on('connection', () => {
      fake.connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/gateway/`;
  });
  beforeEach(() => {
    fake.received.length = 0;
    fake.behave = new Map([['9001', ok({ signinoutb: { sign_no: 'S-1' } })]]);
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return fake;
}
