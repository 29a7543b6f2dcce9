// A hospital's own webhook receiver: a real HTTP server that keeps what it got.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { ReplyBody } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';

export interface Got {
  path: string;
  headers: IncomingHttpHeaders;
  text: string;
  body: ReplyBody;
}

/** How to answer: a status, or by hand. A path that ends in /hang is never answered. */
type Manner = number | ((response: ServerResponse) => void);

export interface Receiver {
  url: string;
  got: Got[];
  answerWith(manner: Manner): void;
  /** What arrived at this path. */
  at(path: string): Got[];
  /** Waits until `count` messages have arrived at the path, and returns all of them. */
  waitAt(path: string, count: number): Promise<Got[]>;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const got: Got[] = [];
  let manner: Manner = 204;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const path = request.url ?? '';
    const how = path.endsWith('/hang') ? 'hang' : manner;
    got.push({ path, headers: request.headers, text, body: text === '' ? null : JSON.parse(text) });
    if (how === 'hang') return;
    if (typeof how === 'number') response.writeHead(how).end();
    else how(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const at = (path: string) => got.filter((each) => each.path === path);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    answerWith(next) {
      manner = next;
    },
    at,
    async waitAt(path, count) {
      await waitFor(() => at(path).length >= count, { what: `${count} webhooks at ${path}` });
      return at(path);
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The message as a receiver may trust it; throws when the signature is wrong. */
export function verified(secret: string, got: Got): ReplyBody {
  return new Webhook(secret).verify(got.text, got.headers as Record<string, string>);
}
