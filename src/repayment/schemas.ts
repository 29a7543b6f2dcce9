// What citizens send and get for repayments.
import { z } from 'zod';
import { idOf, positiveYuan, yuanReply } from '../http/schemas.ts';

export const repaymentBody = z.strictObject({
  amount: positiveYuan,
  /** Only these are paid; else what is due first. */
  receivableIds: z.array(idOf('receivable')).min(1).max(100).optional(),
});
export type RepaymentWish = z.output<typeof repaymentBody>;

export const repaymentReply = z
  .object({
    id: idOf('repayment'),
    amount: yuanReply,
    status: z.enum(['processing', 'paid', 'failed', 'unknown']),
    allocations: z.array(z.object({ receivableId: idOf('receivable'), amount: yuanReply })),
  })
  .meta({ id: 'Repayment' });
