// Role: GET /v1/insurance/routes: is the insurer there, since when, and how many wait for it.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { type Db, rows } from '../db/db.ts';
import { type Role, type Route, route, staffRoles } from '../http/route.ts';
import type { RouteName } from './insurer.ts';

const everybody: readonly Role[] = ['terminal', 'citizen', 'lenderOperator', ...staffRoles];
const processStart = new Date();

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
    handler: async ({ deps }) => ({ status: 200, body: { data: await readRoutes(deps.db) } }),
  }),
];

/** Both routes; one that no breaker ever touched is online since this process started. */
async function readRoutes(db: Db): Promise<z.infer<typeof routesReply>['data']> {
  let found = await selectRoutes(db);
  if (found.length < 2) {
    await db.execute(sql`
      insert into insurance_route (route, status, since, detail)
      select name, 'online', ${processStart.toISOString()}::timestamptz, '{}'::jsonb
      from (values ('local'), ('crossRegion')) known (name)
      on conflict (route) do nothing`);
    found = await selectRoutes(db);
  }
  return found.map((row) => ({
    route: row.route,
    status: statusOf(row),
    since: new Date(row.since).toISOString(),
    awaiting: row.awaiting,
  }));
}

function selectRoutes(db: Db): Promise<RouteRow[]> {
  return rows<RouteRow>(
    db,
    sql`
    select r.route, r.status, r.since, (
      select count(*)::integer from conversion c
      where c.route = r.route and c.status in ('queued', 'claiming', 'awaitingPatient')
    ) as awaiting
    from insurance_route r
    where r.route in ('local', 'crossRegion')
    order by r.route desc`,
  );
}

/** Half-open is still offline: only an answer to a money trade closes the breaker (domain.md). */
function statusOf(row: RouteRow): 'online' | 'offline' | 'recovering' {
  if (row.status !== 'online') return 'offline';
  return row.awaiting > 0 ? 'recovering' : 'online';
}
