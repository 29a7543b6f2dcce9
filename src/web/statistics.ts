// Public city figures: counts and sums only, nothing that points to a person or to one hospital.
import { z } from 'zod';
import { route } from '../http/route.ts';
import { timeReply, yuanReply } from '../http/schemas.ts';
import { cityFigures } from './city-figures.ts';

const count = z.int().min(0);
const seconds = z.number().min(0).nullable();

const statisticsReply = z
  .object({
    asOf: timeReply,
    hospitals: count,
    enrolled: count.meta({ description: '开通人数 citizens with an open credit line' }),
    creditGranted: yuanReply,
    creditHeld: yuanReply,
    creditOwed: yuanReply,
    families: z
      .object({ payers: count, links: count })
      .meta({ description: '亲情付 payers with an active link, and their links' }),
    visits: count.meta({ description: '就诊人次 visits that were not cancelled' }),
    settlements: count,
    settledTotal: yuanReply,
    awaitingInsurance: count.meta({ description: '待转医保 settlements that await insurance' }),
    fees: z
      .object({
        insuranceFund: yuanReply,
        insuranceAccounts: yuanReply,
        hospitalBorne: yuanReply,
        credit: yuanReply,
        selfPaid: yuanReply,
        sponsors: yuanReply,
        dueAtCounter: yuanReply,
      })
      .meta({ description: '费用来源 what settledTotal was settled by, as settled or converted' }),
    counterSeconds: z
      .object({ settlements: count, p50: seconds, p99: seconds })
      .meta({ description: '窗口用时（秒） of the last 30 days; null: none yet' }),
    outages: z
      .object({ count, minutes: count, settlements: count, converted: count })
      .meta({ description: '医保中断 outages, and what was settled in them all the same' }),
  })
  .meta({ id: 'Statistics' });

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
  handler: async ({ deps }) => ({ status: 200, body: await cityFigures(deps.reportDb) }),
});
