// What citizens send and get for repayments.
import { z } from 'zod';
import { idOf, positiveYuan, shortText, timeReply, yuanReply } from '../http/schemas.ts';

export const repaymentBody = z.strictObject({
  amount: positiveYuan,
  /** Only these are paid, my own or all of one linked relative; else what I owe, due first, first. */
  receivableIds: z.array(idOf('receivable')).min(1).max(100).optional(),
});
export type RepaymentWish = z.output<typeof repaymentBody>;

export const repaymentReply = z
  .object({
    id: idOf('repayment'),
    amount: yuanReply,
    status: z.enum(['processing', 'paid', 'failed', 'unknown', 'returned']),
    allocations: z.array(z.object({ receivableId: idOf('receivable'), amount: yuanReply })),
  })
  .meta({ id: 'Repayment' });

export const reportParams = z.object({ reportId: idOf('scoreReport') });
export const objectionBody = z.strictObject({ text: shortText(1000) });

export const reportReply = z
  .object({
    id: idOf('scoreReport'),
    status: z.enum([
      'told',
      'objected',
      'dropped',
      'reporting',
      'reported',
      'withdrawing',
      'withdrawn',
      'cleared',
    ]),
    receivableIds: z.array(idOf('receivable')),
    toldAt: timeReply,
    sendAfter: timeReply.meta({ description: '此前可提出异议 nothing is sent before' }),
    objectedAt: timeReply.nullable(),
    reportedAt: timeReply.nullable(),
    endedAt: timeReply.nullable(),
  })
  .meta({ id: 'ScoreReport' });
