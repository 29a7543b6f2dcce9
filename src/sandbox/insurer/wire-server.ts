// Role: the insurer's public port: plain node:http with keep-alive, the gateway check, the faults.
// Law (api.md, Sandbox): refuseConnection, hang, error500, garbage and reject execute nothing;
// answerLost and slow execute, whoever still listens.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Books } from './books.ts';
import type { Fault, MessageView } from './control-schemas.ts';
import { Dresser, type Envelope, readEnvelope, routeOf } from './envelope.ts';
import { type Executed, execute, refusalBody } from './execute.ts';
import { defaultSlowMs, Faults } from './faults.ts';
import { isNode, textOf } from './fields.ts';
import { MessageLog } from './message-log.ts';
import { readBody } from './read-body.ts';
import { Refusal, refusals } from './refusals.ts';
import { type GatewayKeys, gatewayError } from './signature.ts';

const PATH = /^\/fsi\/api\/rsfComIfsService\/callService(?:\/(\w{4,5}))?\/?(?:\?.*)?$/;

/** A batch of some thousand charge lines; the standard's own 40,000 is widely exceeded. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** The client closes idle connections first, else its next call meets a closing socket. */
const KEEP_ALIVE_MS = 600_000;

/** Five seconds in all: a borrowed port is free again within a connection's life. */
const MAX_OPEN_TRIES = 20;
const OPEN_RETRY_MS = 250;

export class WireServer {
  readonly #books: Books;
  readonly #keys: GatewayKeys;
  readonly #isSignInRequired: boolean;
  readonly #server: Server;
  readonly #dresser = new Dresser();
  readonly #slow = new Set<NodeJS.Timeout>();
  #turn: Promise<void> = Promise.resolve();
  readonly faults = new Faults();
  readonly messages = new MessageLog();
  #port: number;

  constructor(
    books: Books,
    options: { port: number; keys: GatewayKeys; isSignInRequired: boolean },
  ) {
    this.#books = books;
    this.#keys = options.keys;
    this.#isSignInRequired = options.isSignInRequired;
    this.#port = options.port;
    this.#server = createServer((req, res) => {
      this.#serve(req, res).catch(() => res.destroy());
    });
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
  }

  get port(): number {
    return this.#port;
  }

  /** Listens; the first time on any free port when the port is 0, afterwards on that same one. */
  async open(): Promise<void> {
    if (this.#server.listening) return;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops listening and cuts every open connection, so that the next connect is refused. */
  async shut(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** One change at a time: opening must not overtake a closing that is still under way. */
  setFault(fault: Fault): Promise<void> {
    const change = async () => {
      this.faults.set(fault);
      if (fault.mode === 'refuseConnection') await this.shut();
      else await this.#reopen();
    };
    this.#turn = this.#turn.then(change, change);
    return this.#turn;
  }

  /** While closed, somebody's outgoing connection may have borrowed the port for a moment. */
  async #reopen(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.open();
      } catch (error) {
        if (tries === MAX_OPEN_TRIES) throw error;
        await delay(OPEN_RETRY_MS);
      }
    }
  }

  /** Drops what is waiting (slow) and forgets the messages seen. */
  forget(): void {
    for (const timer of this.#slow) clearTimeout(timer);
    this.#slow.clear();
    this.messages.clear();
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const startMs = this.#books.nowMs();
    const path = PATH.exec(req.url ?? '');
    const body = await readBody(req, MAX_BODY_BYTES);
    if (body === null) return send(res, 413, { code: 413, message: '请求报文过大!' });
    if (path === null) return send(res, 404, { code: 404, message: '接口不存在!' });
    if (req.method !== 'POST') return send(res, 405, { code: 405, message: '请求方法不支持!' });
    const infno = path[1] ?? null;
    const refused = gatewayError(req.headers, this.#keys, infno, Date.now());
    if (refused !== null) return send(res, 401, { code: 401, message: refused });
    const envelope = this.#read(res, body, infno, startMs);
    if (envelope !== null) this.#take(res, envelope, startMs);
  }

  #read(res: ServerResponse, body: string, infno: string | null, startMs: number): Envelope | null {
    try {
      return readEnvelope(parseJson(body), infno);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      send(res, 200, refusalBody(this.#books, this.#dresser, null, startMs, error.message));
      return null;
    }
  }

  /** Notes the message, then lets the fault decide whether it is executed and answered. */
  #take(res: ServerResponse, envelope: Envelope, startMs: number): void {
    const fault = this.faults.hit(
      envelope.infno,
      routeOf(envelope.treatRegion, regionOf(envelope)),
    );
    const message = this.messages.add({
      receivedAt: new Date().toISOString(),
      infno: envelope.infno,
      msgid: envelope.msgid,
      fixmedinsCode: envelope.hospitalCode,
      fault: fault?.mode ?? null,
      fate: 'notExecuted',
      input: envelope.input,
    });
    this.#answer(res, envelope, message, { ...fault, mode: fault?.mode ?? 'none' }, startMs);
  }

  #answer(
    res: ServerResponse,
    envelope: Envelope,
    message: MessageView,
    fault: Fault,
    startMs: number,
  ): void {
    const run = () => this.#execute(envelope, message, startMs);
    switch (fault.mode) {
      case 'none':
      case 'brokenInvariant':
      case 'noSetlId':
        send(res, 200, run().body);
        break;
      case 'answerLost':
        run();
        res.socket?.destroy();
        break;
      case 'slow':
        this.#executeLater(res, message, run, fault.delayMs ?? defaultSlowMs);
        break;
      case 'reject': {
        const reason = fault.reason ?? refusals.catalogueRefused;
        send(res, 200, refusalBody(this.#books, this.#dresser, envelope, startMs, reason));
        break;
      }
      case 'error500':
        send(res, 500, { code: 500, message: '系统异常!' });
        break;
      case 'garbage':
        res.writeHead(200, { 'content-type': 'text/html;charset=UTF-8' });
        res.end('<html><body>前置机维护中 gateway is being served</body></html>');
        break;
      case 'hang':
        break;
      case 'refuseConnection':
        res.socket?.destroy();
        break;
      default:
        fault.mode satisfies never;
    }
  }

  #executeLater(
    res: ServerResponse,
    message: MessageView,
    run: () => Executed,
    delayMs: number,
  ): void {
    message.fate = 'pending';
    const timer = setTimeout(() => {
      this.#slow.delete(timer);
      const { body } = run();
      if (!res.destroyed) send(res, 200, body);
    }, delayMs);
    this.#slow.add(timer);
  }

  #execute(envelope: Envelope, message: MessageView, startMs: number): Executed {
    const executed = execute(this.#books, this.#dresser, envelope, {
      startMs,
      isSignInRequired: this.#isSignInRequired,
      fault: message.fault,
    });
    message.fate = executed.isDone ? 'done' : 'refused';
    return executed;
  }
}

/** Where the header names no region, some trades (inpatient) repeat it in their data. */
function regionOf(envelope: Envelope): string {
  const { data } = envelope.input;
  if (envelope.insuredRegion !== '' || !isNode(data)) return envelope.insuredRegion;
  return textOf(data, 'insuplc_admdvs');
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Refusal(refusals.malformed('报文不是JSON'));
  }
}

function send(res: ServerResponse, status: number, body: unknown): void {
  const isFile = Buffer.isBuffer(body);
  const bytes = isFile ? body : Buffer.from(JSON.stringify(body));
  res.writeHead(status, {
    'content-type': isFile ? 'application/octet-stream' : 'application/json;charset=UTF-8',
    'content-length': bytes.length,
  });
  res.end(bytes);
}
