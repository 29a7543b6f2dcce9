// Role: the insurer's control port: faults, people, clock, catalogue, rules, and its own books to
// read. It stays open whatever the wire port does.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Books } from './books.ts';
import { claimsOf } from './claims.ts';
import {
  catalogueSchema,
  claimsQuerySchema,
  clockSchema,
  faultSchema,
  hospitalsSchema,
  messagesQuerySchema,
  personSchema,
  rulesSchema,
  statementRulesSchema,
} from './control-schemas.ts';
import { knowPerson } from './know-person.ts';
import { readBody } from './read-body.ts';
import type { WireServer } from './wire-server.ts';

interface Reply {
  status: number;
  body: unknown;
}
type Handler = (input: unknown) => Reply | Promise<Reply>;

/** A catalogue of 100,000 items fits. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

const ok = (body: unknown): Reply => ({ status: 200, body });

/** Makes the server; `listen` is the caller's. Input is the JSON body, of a GET the query. */
export function createControlServer(books: Books, wire: WireServer): Server {
  const handlers = handlersOf(books, wire);
  return createServer((req, res) => {
    answer(req, handlers)
      .catch((error: unknown) => ({ status: 500, body: { error: String(error) } }))
      .then((reply) => send(res, reply));
  });
}

function handlersOf(books: Books, wire: WireServer): ReadonlyMap<string, Handler> {
  return new Map<string, Handler>([
    ['GET /health', () => ok({ ready: true })],
    ['GET /fault', () => ok(wire.faults.current)],
    [
      'PUT /fault',
      async (input) => {
        const fault = faultSchema.parse(input);
        await wire.setFault(fault);
        return ok(fault);
      },
    ],
    [
      'POST /people',
      (input) => ({ status: 201, body: knowPerson(books, personSchema.parse(input)) }),
    ],
    [
      'PUT /clock',
      (input) => {
        const { offsetSeconds } = clockSchema.parse(input);
        books.record({ type: 'clockSet', offsetSeconds });
        return ok({ offsetSeconds });
      },
    ],
    [
      'PUT /catalogue',
      (input) => {
        const { items } = catalogueSchema.parse(input);
        books.record({ type: 'catalogueLoaded', items });
        return ok({ items: items.length });
      },
    ],
    [
      'PUT /hospitals',
      (input) => {
        const { items } = hospitalsSchema.parse(input);
        books.record({ type: 'hospitalsLoaded', items });
        return ok({ items: items.length });
      },
    ],
    [
      'PUT /rules',
      (input) => {
        const rules = rulesSchema.parse(input);
        books.record({ type: 'rulesSet', rules });
        return ok(rules);
      },
    ],
    [
      'PUT /statement-faults',
      (input) => {
        books.statements = statementRulesSchema.parse(input);
        return ok(books.statements);
      },
    ],
    ['GET /claims', (input) => ok({ data: claimsOf(books, claimsQuerySchema.parse(input)) })],
    [
      'GET /messages',
      (input) => {
        const { msgid, infno } = messagesQuerySchema.parse(input);
        return ok({ data: wire.messages.find(msgid, infno) });
      },
    ],
    [
      'POST /reset',
      async () => {
        wire.forget();
        books.reset();
        await wire.setFault({ mode: 'none' });
        return ok({});
      },
    ],
  ]);
}

async function answer(
  req: IncomingMessage,
  handlers: ReadonlyMap<string, Handler>,
): Promise<Reply> {
  const url = new URL(req.url ?? '/', 'http://control');
  const handler = handlers.get(`${req.method} ${url.pathname}`);
  const text = await readBody(req, MAX_BODY_BYTES);
  if (handler === undefined) return { status: 404, body: { error: 'no such control' } };
  if (text === null) return { status: 413, body: { error: 'body too large' } };
  try {
    const isQuery = req.method === 'GET';
    return await handler(isQuery ? Object.fromEntries(url.searchParams) : parseJson(text));
  } catch (error) {
    if (error instanceof z.ZodError) return { status: 400, body: { error: messageOf(error) } };
    if (error instanceof SyntaxError) return { status: 400, body: { error: 'body is not JSON' } };
    throw error;
  }
}

function parseJson(text: string): unknown {
  return text === '' ? {} : JSON.parse(text);
}

function messageOf(error: z.ZodError): string {
  return error.issues
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`)
    .join('; ');
}

function send(res: ServerResponse, { status, body }: Reply): void {
  const bytes = Buffer.from(JSON.stringify(body));
  res.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  res.end(bytes);
}
