// Public city figures: counts and sums only, nothing that points to a person or to one hospital.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { rows } from '../db/db.ts';
import { route } from '../http/route.ts';
import { timeReply, yuanReply } from '../http/schemas.ts';
import { formatYuan } from '../money.ts';

const count = z.int().min(0);

const statisticsReply = z
  .object({
    asOf: timeReply,
    hospitals: count,
    enrolled: count.meta({ description: '开通人数 citizens with an open credit line' }),
    creditGranted: yuanReply,
    visits: count.meta({ description: '就诊人次 visits that were not cancelled' }),
    settlements: count,
    settledTotal: yuanReply,
    awaitingInsurance: count.meta({ description: '待转医保 settlements that await insurance' }),
  })
  .meta({ id: 'Statistics' });

interface Figures {
  now: string;
  hospitals: number;
  enrolled: number;
  granted: string;
  visits: number;
  settlements: number;
  settled: string;
  awaiting: number;
}

/** GET /v1/statistics */
export const statisticsRoute = route({
  method: 'get',
  path: '/v1/statistics',
  operationId: 'getStatistics',
  summary: '全市统计 City figures',
  tag: 'Operations',
  roles: 'public',
  idempotency: 'none',
  replies: { 200: statisticsReply },
  problems: [],
  handler: async ({ deps }) => {
    const [found] = await rows<Figures>(
      deps.db,
      sql`
      select business_now() as now,
        (select count(*)::int from hospital) as hospitals,
        l.enrolled, l.granted, s.settlements, s.settled, s.awaiting,
        (select count(*)::int from visit where status <> 'cancelled') as visits
      from
        (select count(*)::int as enrolled, coalesce(sum("limit"), 0)::text as granted
         from credit_line where status <> 'closed') l,
        (select count(*)::int as settlements, coalesce(sum(total), 0)::text as settled,
           (count(*) filter (where insurance_status = 'awaitingInsurance'))::int as awaiting
         from settlement) s`,
    );
    if (!found) throw new Error('a select without a where gives one row');
    const { now, granted, settled, awaiting, ...counts } = found;
    const body = {
      asOf: new Date(now).toISOString(),
      ...counts,
      creditGranted: formatYuan(BigInt(granted)),
      settledTotal: formatYuan(BigInt(settled)),
      awaitingInsurance: awaiting,
    };
    return { status: 200, body };
  },
});
