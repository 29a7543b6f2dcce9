// Role: the sandbox's banks, score provider and kinship registry behind one HTTP port, with the faults
// that real ones have. They know nothing of our database.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Books } from './books.ts';
import { doors } from './doors.ts';
import { type BankFault, bankFaultSchema } from './fault.ts';

export interface CounterpartiesOptions {
  /** 0: any free port. */
  port: number;
  storeDir: string;
  /** The bearer token of every call. */
  key: string;
}

export interface Counterparties {
  port: number;
  stop(): Promise<void>;
}

/** Listens on 127.0.0.1 and resolves when it is ready. */
export async function startCounterparties(options: CounterpartiesOptions): Promise<Counterparties> {
  const books = new Books(options.storeDir);
  let fault: BankFault = { mode: 'none', forMs: 0 };
  const server = createServer(async (req, res) => {
    try {
      if (req.headers.authorization !== `Bearer ${options.key}`) {
        send(res, 401, {});
        return;
      }
      const body = await readJson(req);
      if (req.method === 'PUT' && req.url === '/faults') {
        fault = bankFaultSchema.parse(body);
        send(res, 200, fault);
        if (fault.mode === 'refuseConnection') refuseFor(server, fault.forMs);
        return;
      }
      answer(req, res, books, body, fault);
    } catch (error) {
      send(res, 400, { detail: error instanceof Error ? error.message : 'bad request' });
    }
  });
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return { port, stop: () => close(server) };
}

function answer(
  req: IncomingMessage,
  res: ServerResponse,
  books: Books,
  body: unknown,
  fault: BankFault,
): void {
  const [url = '', query = ''] = (req.url ?? '').split('?');
  const door = doors.find((d) => d.method === req.method && d.path.test(url));
  if (!door) {
    send(res, 404, { detail: 'no such path' });
    return;
  }
  const caught = (door.path.exec(url) ?? []).slice(1).map(decodeURIComponent);
  const isHere = fault.lender === undefined || fault.lender === caught[0];
  const isHit = door.operation && isHere && (!fault.on || fault.on.includes(door.operation));
  const mode = isHit ? fault.mode : 'none';
  if (mode === 'hang') return;
  if (mode === 'error500') {
    send(res, 500, { detail: 'sandbox fault' });
    return;
  }
  const result = door.handle({
    books,
    body,
    caught,
    isDeclining: mode === 'declined',
    mode,
    query: new URLSearchParams(query),
  });
  if (mode === 'answerLost') res.destroy();
  else if (result.text !== undefined) {
    const type = result.contentType ?? 'text/plain; charset=utf-8';
    res.writeHead(result.status, { 'content-type': type }).end(result.text);
  } else send(res, result.status, result.body);
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : JSON.parse(text);
}

function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
}

/** Closes the port for a while, then opens the same one again. */
function refuseFor(server: Server, forMs: number): void {
  const { port } = server.address() as AddressInfo;
  server.close();
  setImmediate(() => server.closeAllConnections());
  setTimeout(() => server.listen(port, '127.0.0.1'), forMs).unref();
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
