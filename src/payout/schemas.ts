// What finance asks and gets of payouts, on the wire: money as signed yuan strings, legs gross.
import { z } from 'zod';
import {
  businessDateReply,
  businessDateText,
  idOf,
  pageQuery,
  shortText,
  timeReply,
  yuanReply,
} from '../http/schemas.ts';
import { formatYuan } from '../money.ts';
import { legKinds, payoutStatuses } from './payout.ts';
import type { GrossRow, LegRow, PayoutRow } from './payout-store.ts';

const ownerCode = shortText(64);

export const payoutParams = z.object({ payoutId: idOf('payout') });

export const payoutsQuery = pageQuery.extend({
  businessDate: businessDateText.optional(),
  status: z.enum(payoutStatuses).optional(),
  lender: ownerCode.optional(),
  hospitalCode: ownerCode.optional(),
});

export const buildBody = z.strictObject({
  businessDate: businessDateText.meta({ description: '业务日 legs up to and including this day' }),
  lender: ownerCode.optional(),
  hospitalCode: ownerCode.optional(),
});

export const returnedBody = z.strictObject({
  reason: shortText(300),
  bankReference: shortText(64).optional(),
});

const legReply = z.object({
  position: z.int(),
  kind: z.enum(legKinds),
  entryId: z.string().nullable(),
  settlementId: z.string().nullable(),
  receiptNumber: z.string().nullable(),
  carriedFrom: z.string().nullable(),
  amount: yuanReply,
});

export const payoutReply = z.object({
  id: idOf('payout'),
  lender: z.string(),
  hospitalCode: z.string(),
  businessDate: businessDateReply,
  run: z.int().meta({ description: '2 and more: what came later, or came back' }),
  amount: yuanReply.meta({ description: 'net; zero or less is carried into a later payout' }),
  status: z.enum(payoutStatuses),
  gross: z
    .array(z.object({ kind: z.enum(legKinds), count: z.int(), amount: yuanReply }))
    .meta({ description: '分类合计 what it lists, by kind' }),
  maker: z.string(),
  checker: z.string().nullable(),
  carriedInto: z.string().nullable(),
  endToEndId: z.string().meta({ description: 'in the bank’s file and statement' }),
  createdAt: timeReply,
  approvedAt: timeReply.nullable(),
  sentAt: timeReply.nullable(),
  paidAt: timeReply.nullable(),
  bankReference: z.string().nullable(),
  returnedAt: timeReply.nullable(),
  returnReason: z.string().nullable(),
});

export const payoutDetailReply = payoutReply.extend({
  legs: z.array(legReply).meta({ description: 'the first 1,000; all of them at …/legs' }),
});

export const legsReply = z.object({ data: z.array(legReply), nextCursor: z.string().nullable() });
export const madeReply = z.object({ data: z.array(payoutReply) });

export type PayoutView = z.output<typeof payoutReply>;

export function payoutView(row: PayoutRow, gross: readonly GrossRow[]): PayoutView {
  const at = (time: Date | null) => time?.toISOString() ?? null;
  return {
    id: row.id,
    lender: row.lender,
    hospitalCode: row.hospitalCode,
    businessDate: row.businessDate,
    run: row.run,
    amount: formatYuan(row.amount),
    status: row.status as PayoutView['status'],
    gross: gross
      .filter((part) => part.payoutId === row.id)
      .map(({ kind, count, amount }) => ({ kind, count, amount: formatYuan(amount) })),
    maker: row.maker,
    checker: row.checker,
    carriedInto: row.carriedInto,
    endToEndId: row.endToEndId,
    createdAt: row.createdAt.toISOString(),
    approvedAt: at(row.approvedAt),
    sentAt: at(row.sentAt),
    paidAt: at(row.paidAt),
    bankReference: row.bankReference,
    returnedAt: at(row.returnedAt),
    returnReason: row.returnReason,
  };
}

export function legView(row: LegRow): z.output<typeof legReply> {
  return { ...row, amount: formatYuan(row.amount) };
}
