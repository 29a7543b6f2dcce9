// One client cannot take the service away from the others: a fixed window of one second per client.
import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { Refusal } from '../errors.ts';
import { localsOf } from './locals.ts';

/** One second: a burst of a whole counter hall passes, and a wait is never long. */
const WINDOW_MS = 1000;

/** Draft-8 RateLimit headers; 429 request/rate-limited with Retry-After above `perSecond`. */
export function limitRate(perSecond: number): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MS,
    limit: perSecond,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    identifier: 'per-second',
    keyGenerator: (_req, res) => {
      const { client } = localsOf(res);
      // A household with IPv6 has a whole /56 of addresses.
      return client.startsWith('ip:') ? `ip:${ipKeyGenerator(client.slice(3))}` : client;
    },
    // Addresses are the socket's own; a forwarding header is neither trusted nor a mistake.
    validate: { xForwardedForHeader: false, forwardedHeader: false, trustProxy: false },
    handler: () => {
      throw new Refusal('request/rate-limited', { retryAfterSeconds: WINDOW_MS / 1000 });
    },
  });
}
