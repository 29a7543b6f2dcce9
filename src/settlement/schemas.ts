// What terminals send and get for settlements, payments and refunds (the contract's field names).
import { z } from 'zod';
import {
  businessDateText,
  idOf,
  positiveYuan,
  quantityText,
  shortText,
  timeReply,
  yuanReply,
} from '../http/schemas.ts';
import { batchText } from '../visit/schemas.ts';
import { counterKinds, tenderKinds } from './waterfall.ts';

const counterTender = z.strictObject({
  kind: z.enum(counterKinds),
  amount: positiveYuan,
  reference: shortText(64),
});

const distinct = (texts: readonly string[]) => new Set(texts).size === texts.length;

export const settlementFields = {
  counterTenders: z
    .array(counterTender)
    .max(20)
    .refine(
      (all) => distinct(all.map((t) => `${t.kind} ${t.reference}`)),
      'a reference occurs twice',
    )
    .optional(),
  insurance: z.enum(['claim', 'skip']).optional(),
  whenInsuranceOffline: z.enum(['selfPay', 'wait']).optional(),
  interim: z.boolean().optional(),
  receiptNumber: shortText(64).optional(),
};

export const settlementBody = z.strictObject({
  batches: z.array(batchText).min(1).max(500).refine(distinct, 'a batch occurs twice').optional(),
  ...settlementFields,
});
export type SettlementRequest = z.output<typeof settlementBody>;

const settlementStatuses = ['settled', 'awaitingPayment', 'partlyRefunded', 'refunded'] as const;
const insuranceStatuses = [
  'claimed',
  'awaitingInsurance',
  'converted',
  'rejected',
  'notInsured',
  'skipped',
  'reversed',
] as const;

const tenderReply = z.object({
  kind: z.enum(tenderKinds),
  amount: yuanReply,
  reference: z.string().optional(),
});

const splitFields = {
  visitId: idOf('visit'),
  batches: z.array(z.string()),
  total: yuanReply,
  dueAtCounter: yuanReply,
  tenders: z.array(tenderReply),
  unused: z.array(
    z.object({
      kind: z.enum(counterKinds),
      amount: yuanReply,
      reference: z.string(),
      /** A deposit's surplus: the last day on which the hospital gives it back. */
      refundBy: businessDateText.optional(),
    }),
  ),
  insurance: z.object({
    status: z.enum(insuranceStatuses),
    claimId: z.string().optional(),
    reason: z.string().optional(),
  }),
  payer: z.string().optional(),
};

export const previewReply = z.object(splitFields).meta({ id: 'SettlementPreview' });

export const settlementReply = z
  .object({
    id: idOf('settlement'),
    ...splitFields,
    status: z.enum(settlementStatuses),
    interim: z.boolean().optional(),
    receivableId: idOf('receivable').optional(),
    conversionId: idOf('conversion').optional(),
    receiptNumber: z.string().optional(),
    invoice: z.object({ code: z.string(), number: z.string() }).optional(),
    stillDue: yuanReply.meta({ description: '柜台仍应收 what the counter may still collect' }),
    refundable: yuanReply,
    settledAt: timeReply,
    businessDate: businessDateText,
  })
  .meta({ id: 'Settlement' });

export const paymentBody = counterTender;

export const invoiceBody = z.strictObject({ code: shortText(20), number: shortText(30) });

const refundLine = z.strictObject({
  lineNumber: z.int().min(1).max(2_000_000_000),
  quantity: quantityText.optional(),
});

export const refundBody = z.union([
  z.strictObject({
    lines: z
      .array(refundLine)
      .min(1)
      .max(2_000)
      .refine((lines) => distinct(lines.map((l) => String(l.lineNumber))), 'a line occurs twice'),
    reason: shortText(200),
  }),
  z.strictObject({ all: z.literal(true), reason: shortText(200) }),
]);
export type RefundRequest = z.output<typeof refundBody>;

export const refundReply = z
  .object({
    id: idOf('refund'),
    settlementId: idOf('settlement'),
    status: z.enum(['processing', 'completed', 'failed']),
    amount: yuanReply.meta({ description: '退费金额 charges taken off the bill' }),
    tenders: z.array(
      z.object({
        kind: z.enum([...tenderKinds, 'dueAtCounter']),
        amount: yuanReply,
        status: z.enum(['pending', 'sent', 'done', 'failed', 'voucher']),
        voucherCode: z.string().optional(),
      }),
    ),
    reason: z.string(),
    failure: z.string().optional(),
  })
  .meta({ id: 'Refund' });

export const settlementParams = z.object({ settlementId: idOf('settlement') });
