// One log line and one measurement for each request, when its reply has left or its client has gone.
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { localsOf } from './locals.ts';
import type { Metrics } from './metrics.ts';
import { readTrace, traceparentOf } from './trace.ts';

/** Opens the request's locals and honours `traceparent`; the reply names its trace, too. */
export function observe(log: Logger, metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const trace = readTrace(req.get('traceparent'));
    const client = `ip:${req.socket.remoteAddress ?? 'unknown'}`;
    Object.assign(localsOf(res), {
      startedAt: performance.now(),
      trace,
      route: '',
      client,
      caller: { kind: 'anonymous', client },
      accessError: null,
      code: undefined,
    });
    res.setHeader('traceparent', traceparentOf(trace));
    res.once('close', () => {
      const { startedAt, route: known, client: scope, code } = localsOf(res);
      // Standards' routers (OAuth) and probes are known to Express only.
      const route: string = known || (req.route?.path ?? 'unmatched');
      const ms = performance.now() - startedAt;
      // 499, as nginx counts it: the client left before the reply did.
      const status = res.writableFinished ? res.statusCode : 499;
      metrics.countRequest(req.method, route, status, ms / 1000);
      const line = { method: req.method, route, status, ms: Math.round(ms * 10) / 10 };
      const level = status >= 500 ? 'warn' : 'info';
      log[level]({ ...line, client: scope, trace: trace.traceId, code }, 'request');
    });
    next();
  };
}
