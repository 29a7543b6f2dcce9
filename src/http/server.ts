// The Express application around the routes: one order of middleware for everything that is served.
import express, { type ErrorRequestHandler, type Express, type Router } from 'express';
import helmet from 'helmet';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { failureOf } from './failures.ts';
import { mountHealth } from './health.ts';
import { localsOf } from './locals.ts';
import { type Authenticate, mountRoutes } from './mount.ts';
import { oauthPaths } from './oauth-paths.ts';
import { observe } from './observe.ts';
import { openApiDocument } from './openapi.ts';
import { mountPages } from './pages.ts';
import { limitRate } from './rate-limit.ts';
import type { Route } from './route.ts';
import { sendRefusal } from './send.ts';

export interface ServerParts {
  routes: readonly Route[];
  authenticate: Authenticate;
  /** Routers of standards with forms of their own (OAuth, the sandbox's issuer); they come first. */
  routers: readonly Router[];
  /** Operations that one of the routers serves, for the API document. */
  documented?: readonly Route[];
}

/** Builds the application; it serves nothing that is not in `parts` or in http/. */
export function buildServer(deps: Deps, parts: ServerParts): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', 'simple');
  app.use(observe(deps.log, deps.metrics));
  app.use(
    helmet({
      // Hospitals reach us by plain http inside their network: assets must not turn https.
      contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
    }),
  );
  app.use(refuseBadUrl);
  mountHealth(app, deps);
  for (const router of parts.routers) app.use(router);
  const rateLimit = limitRate(deps.env.RATE_LIMIT_PER_SECOND);
  mountRoutes(app, parts.routes, { deps, authenticate: parts.authenticate, rateLimit });
  const documented = [...parts.routes, ...(parts.documented ?? [])];
  mountPages(app, openApiDocument(documented, deps.publicUrl, oauthPaths));
  app.use(() => {
    throw new Refusal('route/not-found');
  });
  app.use(answerFailure(deps));
  return app;
}

/** Percent-encoding that is not UTF-8 is refused in one place, path and query alike. */
const refuseBadUrl: express.RequestHandler = (req, _res, next) => {
  if (req.url.includes('%')) {
    try {
      decodeURIComponent(req.url);
    } catch {
      throw new Refusal('request/malformed', { detail: 'URL 编码错误 Malformed percent-encoding' });
    }
  }
  next();
};

/** Every error leaves here as a problem of the catalogue; bugs are logged with their stack. */
function answerFailure(deps: Deps): ErrorRequestHandler {
  return (error, req, res, _next) => {
    const { refusal, isBug } = failureOf(error);
    const { route, trace } = localsOf(res);
    if (isBug) deps.log.error({ err: error, route, trace: trace.traceId }, 'bug');
    else if (refusal.status === 503) {
      deps.log.warn({ err: error, route, trace: trace.traceId }, 'unavailable');
    }
    if (res.headersSent) res.destroy();
    else sendRefusal(req, res, refusal);
  };
}
