// What citizens get on the phone: bills, settlements as patient and as payer, notices, the export.
import { z } from 'zod';
import { conversionReply } from '../conversion/schemas.ts';
import { visitKinds } from '../credit/policy.ts';
import { businessDateReply, idOf, timeReply, yuanReply } from '../http/schemas.ts';
import { refundReply, settlementReply } from '../settlement/schemas.ts';

const place = z.object({ code: z.string(), name: z.string() });
const proxy = z
  .object({ name: z.string() })
  .optional()
  .meta({ description: '代办人 who stood at the counter for the patient; masked' });

const itemReply = z.object({
  batch: z.string(),
  lineNumber: z.int(),
  code: z.string(),
  name: z.string(),
  quantity: z.string(),
  unitPrice: z.string(),
  amount: yuanReply,
});

export const billReply = z
  .object({
    id: idOf('visit'),
    visitId: idOf('visit').meta({ description: '与 id 相同 the same as id, for the settlement' }),
    status: z.enum(['open', 'settling']),
    hospital: place,
    businessDate: businessDateReply,
    patient: z.object({ relation: z.enum(['self', 'child']), name: z.string() }),
    payer: z.string().nullable(),
    held: yuanReply.nullable(),
    total: yuanReply.meta({ description: '待结算 what no settlement has closed yet' }),
    proxy,
    visitNumber: z.string().optional(),
    kind: z.enum(visitKinds).optional(),
    startedAt: timeReply.optional(),
    batches: z.array(z.string()).optional(),
    charges: z
      .array(itemReply)
      .optional()
      .meta({ description: '本人或未满十四岁的孩子 of oneself and of a child under 14' }),
  })
  .meta({ id: 'Bill' });

const cameBack = z.array(
  z.object({
    cause: z.enum(['refund', 'conversion', 'repayment']),
    why: z.string(),
    kind: z.string(),
    amount: yuanReply,
    isReduction: z.boolean().meta({ description: '只减少应付 only less is owed' }),
    status: z.enum(['pending', 'sent', 'done', 'failed', 'voucher']),
    at: timeReply,
    voucherCode: z.string().optional(),
  }),
);

const patientSettlement = settlementReply
  .extend({
    role: z.literal('patient'),
    hospital: place,
    proxy,
    refunds: z.array(refundReply),
    cameBack,
    conversion: conversionReply
      .nullable()
      .meta({ description: '转医保及其凭证 the newest conversion with its proof' }),
  })
  .meta({ id: 'MySettlement' });

const payerSettlement = z
  .object({
    id: idOf('settlement'),
    role: z.enum(['payer', 'guardian']),
    hospital: place,
    amount: yuanReply.meta({ description: '由您的额度承担 what your line carried' }),
    settledAt: timeReply,
    businessDate: businessDateReply,
    receivableId: idOf('receivable').optional(),
    total: yuanReply.optional(),
    items: z
      .array(
        itemReply.omit({ batch: true }).extend({
          refunded: yuanReply,
        }),
      )
      .optional()
      .meta({ description: '仅未满十四岁孩子的监护人 only for the guardian of a child under 14' }),
    cameBack,
  })
  .meta({ id: 'PaidForSomebody' });

export const mySettlementReply = z.union([patientSettlement, payerSettlement]);

export const noticeReply = z
  .object({
    id: idOf('event'),
    type: z.string(),
    at: timeReply,
    title: z.string(),
    text: z.string(),
    hospital: place.nullable(),
    settlementId: idOf('settlement').optional(),
  })
  .meta({ id: 'Notice' });
