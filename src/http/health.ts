// For those who run the service: alive, ready, measured. A down insurer does not make us unready.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import type { Express } from 'express';
import { rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { Refusal } from '../errors.ts';
import { sendText } from './send.ts';

type HealthDeps = Pick<Deps, 'db' | 'env' | 'metrics'>;

/** How many migrations this code was written for; a schema with fewer is not ours yet. */
const MIGRATIONS: number = JSON.parse(
  readFileSync(new URL('../../migrations/meta/_journal.json', import.meta.url), 'utf8'),
).entries.length;

/** GET /healthz, /readyz and /metrics: outside the rate limit, because probes come from one address. */
export function mountHealth(app: Express, deps: HealthDeps): void {
  app.get('/healthz', (_req, res) => sendJson(res, { status: 'ok' }));
  app.get('/readyz', async (_req, res) => {
    const [row] = await rows<{ applied: number }>(
      deps.db,
      sql`select count(*)::int as applied from migration`,
    );
    if ((row?.applied ?? 0) < MIGRATIONS) {
      throw new Refusal('service/unavailable', {
        detail: '数据库迁移未完成 Migrations are missing',
      });
    }
    sendJson(res, { status: 'ready' });
  });
  app.get('/metrics', async (req, res) => {
    checkMetricsToken(deps, req.headers.authorization);
    const { registry } = deps.metrics;
    sendText(res, 200, registry.contentType, await deps.metrics.text());
  });
}

function sendJson(res: Parameters<typeof sendText>[0], body: unknown): void {
  sendText(res, 200, 'application/json; charset=utf-8', JSON.stringify(body));
}

/** Production always has a token (config.ts); a sandbox without one is open. */
function checkMetricsToken({ env }: HealthDeps, authorization: string | undefined): void {
  if (env.METRICS_TOKEN === undefined) return;
  if (authorization === undefined) throw new Refusal('access/token-missing');
  const digest = (text: string) => createHash('sha256').update(text).digest();
  if (!timingSafeEqual(digest(authorization), digest(`Bearer ${env.METRICS_TOKEN}`))) {
    throw new Refusal('access/token-invalid');
  }
}
