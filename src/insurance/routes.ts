// Role: GET /v1/insurance/routes: is the insurer there, since when, and how many wait for it.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Db, rows } from '../db/db.ts';
import type { Deps } from '../deps.ts';
import { type Role, type Route, route, staffRoles } from '../http/route.ts';
import type { RouteName } from './insurer.ts';
import { outageRoutes } from './outage-routes.ts';
import { windowRoutes } from './outage-windows.ts';

const everybody: readonly Role[] = ['terminal', 'citizen', 'lenderOperator', ...staffRoles];

const routesReply = z.strictObject({
  data: z.array(
    z.strictObject({
      route: z.enum(['local', 'crossRegion']),
      status: z.enum(['online', 'offline', 'recovering']),
      since: z.iso.datetime({ offset: true }),
      awaiting: z.int().min(0),
    }),
  ),
});

interface RouteRow {
  route: RouteName;
  status: string;
  since: string;
  awaiting: number;
  draining: number;
}

export const insuranceRoutes: Route[] = [
  route({
    method: 'get',
    path: '/v1/insurance/routes',
    operationId: 'listInsuranceRoutes',
    summary: '医保通道状态 State of the roads to the insurer',
    tag: 'Counter',
    roles: everybody,
    idempotency: 'none',
    replies: { 200: routesReply },
    problems: [],
    handler: async ({ deps }) => ({ status: 200, body: { data: await readRoutes(deps) } }),
  }),
  ...outageRoutes,
  ...windowRoutes,
];

async function readRoutes(
  deps: Pick<Deps, 'db' | 'breaker'>,
): Promise<z.infer<typeof routesReply>['data']> {
  // Makes the row of a route that nobody used yet, and begins a planned window that is due.
  await Promise.all([deps.breaker.stateOf('local'), deps.breaker.stateOf('crossRegion')]);
  const found = await selectRoutes(deps.db);
  return found.map((row) => ({
    route: row.route,
    status: statusOf(row),
    since: new Date(row.since).toISOString(),
    awaiting: row.awaiting,
  }));
}

/** `draining` are those that wait for the insurer, not for their patient. */
function selectRoutes(db: Db): Promise<RouteRow[]> {
  return rows<RouteRow>(
    db,
    sql`
    select r.route, r.status, r.since, count(c.id)::integer as awaiting,
      count(c.id) filter (where c.status <> 'awaitingPatient')::integer as draining
    from insurance_route r
    left join conversion c
      on c.route = r.route and c.status in ('queued', 'claiming', 'awaitingPatient')
    where r.route in ('local', 'crossRegion')
    group by r.route
    order by r.route desc`,
  );
}

/** Half-open is still offline: only an answer to a money trade closes the breaker (domain.md). */
function statusOf(row: RouteRow): 'online' | 'offline' | 'recovering' {
  if (row.status !== 'online') return 'offline';
  return row.draining > 0 ? 'recovering' : 'online';
}
