// Role: the transport. It knows exactly whether a byte of a message was written, because that alone
// divides "surely not executed" from "nobody knows" (domain.md, Answers). One message is sent once.
import { Pool } from 'undici';
import type { ExchangeEvent } from './classify.ts';
import { readResponse } from './wire.ts';

/** A stay of 2,000 lines answers about 1 MB; eight times that is no answer any more. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** More than one counter request per connection at a time is not needed: the city has 62 hospitals. */
const MAX_CONNECTIONS = 128;
/** A gateway in the same city that does not take a connection in 2 s is down. */
const CONNECT_TIMEOUT_MS = 2_000;

export interface Gateway {
  /** Posts a body; never throws and never waits longer than the deadline. */
  post(
    path: string,
    headers: Record<string, string>,
    body: string,
    deadlineMs: number,
  ): Promise<ExchangeEvent>;
  close(): Promise<void>;
}

/** Opens a pool of keep-alive connections to the insurer's base URL (its path is a prefix). */
export function openGateway(url: string): Gateway {
  const base = new URL(url);
  const prefix = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, {
    connections: MAX_CONNECTIONS,
    pipelining: 1,
    // The deadline of each message governs, so the pool's own clocks are off.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_TIMEOUT_MS },
  });
  return {
    post: (path, headers, body, deadlineMs) =>
      exchange(pool, { path: prefix + path, headers, body }, deadlineMs),
    close: () => pool.close(),
  };
}

function exchange(
  pool: Pool,
  request: { path: string; headers: Record<string, string>; body: string },
  deadlineMs: number,
): Promise<ExchangeEvent> {
  if (deadlineMs <= 0) return Promise.resolve({ kind: 'timeoutBeforeSend' });
  return new Promise((resolve) => {
    let isSent = false;
    let isOver = false;
    let status = 0;
    let isFile = false;
    let size = 0;
    const chunks: Buffer[] = [];
    let abort: (reason: Error) => void = () => {};
    const finish = (event: ExchangeEvent) => {
      isOver = true;
      clearTimeout(timer);
      resolve(event);
    };
    const timer = setTimeout(() => {
      finish(isSent ? { kind: 'timeout' } : { kind: 'timeoutBeforeSend' });
      abort(new Error('deadline'));
    }, deadlineMs);

    pool.dispatch(
      { ...request, method: 'POST' },
      {
        // Called just before the first byte is written; an abort here means that none is.
        onRequestStart(controller) {
          if (isOver || isSent) return controller.abort(new Error('not to be sent'));
          isSent = true;
          abort = (reason) => controller.abort(reason);
        },
        onResponseStart(_controller, statusCode, headers) {
          status = statusCode;
          isFile = /octet-stream|zip/.test(String(headers['content-type'] ?? ''));
        },
        onResponseData(controller, chunk) {
          size += chunk.length;
          chunks.push(chunk);
          if (size <= MAX_BODY_BYTES || isOver) return;
          finish({ kind: 'nonJson' });
          controller.abort(new Error('answer too large'));
        },
        onResponseEnd() {
          if (isOver) return;
          const body = Buffer.concat(chunks);
          const isGiven = isFile && status === 200;
          finish(isGiven ? fileEvent(body) : readResponse(status, body.toString('utf8')));
        },
        onResponseError(_controller, error) {
          if (!isOver) finish(eventOfError(error, isSent));
        },
      },
    );
  });
}

/** 9102 answers with the bytes themselves and no envelope (nhsa.md §5.2); here they are one output field. */
function fileEvent(body: Buffer): ExchangeEvent {
  const output = { file: body.toString('base64') };
  return { kind: 'reply', reply: { infcode: '0', errMsg: '', output } };
}

/** A failure before the first byte is sure; after it, it is not. */
function eventOfError(error: Error, isSent: boolean): ExchangeEvent {
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  if (isSent) return { kind: 'reset', reason: code };
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT')
    return { kind: 'timeoutBeforeSend' };
  return { kind: 'refused', reason: code };
}
