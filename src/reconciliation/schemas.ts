// What finance sends and gets about files compared with our books, and about breaks.
import { z } from 'zod';
import {
  businessDateReply,
  businessDateText,
  idOf,
  pageQuery,
  positiveYuan,
  shortText,
  timeReply,
  yuanReply,
} from '../http/schemas.ts';
import { counterKinds } from '../settlement/waterfall.ts';
import { adjustable } from './adjustment.ts';
import { breakKinds, counterparties, remedies } from './break-catalogue.ts';

const code = z.string().regex(/^[A-Za-z0-9]{1,20}$/, 'expects a code');

export const runParams = z.object({ reconciliationId: idOf('reconciliation') });
export const breakParams = z.object({ breakId: idOf('reconciliationBreak') });

export const importQuery = z.strictObject({
  counterparty: z.enum(counterparties),
  businessDate: businessDateText,
  hospital: code.optional().meta({ description: 'code of the hospital whose file it is' }),
  lender: code.optional().meta({ description: "bank: the lender whose account's statement it is" }),
  format: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,30}$/)
    .optional()
    .meta({ description: 'default: found out from the file' }),
});

const runStatuses = ['running', 'done', 'failed'] as const;
export const runsQuery = pageQuery.extend({
  counterparty: z.enum(counterparties).optional(),
  businessDate: businessDateText.optional(),
  status: z.enum(runStatuses).optional(),
});

/** The contract's reply to a file. */
export const acceptedReply = z
  .object({ id: idOf('reconciliation'), status: z.enum(runStatuses) })
  .meta({ id: 'ReconciliationAccepted' });

const side = z.object({ count: z.int(), amount: yuanReply });

export const runReply = z
  .object({
    id: idOf('reconciliation'),
    counterparty: z.string(),
    businessDate: businessDateReply,
    hospital: z.string().nullable(),
    lender: z.string().nullable(),
    format: z.string(),
    status: z.enum(runStatuses),
    totals: z.object({ ours: side, theirs: side }).nullable(),
    matched: z.int().nullable().meta({ description: 'rows of the file that agree' }),
    breaks: z.object({ total: z.int(), byKind: z.partialRecord(z.enum(breakKinds), z.int()) }),
    fileHash: z.string().meta({ description: 'SHA-256 of the file as received, hex' }),
    problem: z.looseObject({}).nullable().meta({ description: 'why the file was refused' }),
    createdBy: z.string(),
    createdAt: timeReply,
    finishedAt: timeReply.nullable(),
  })
  .meta({ id: 'Reconciliation' });

const breakStatuses = ['open', 'cleared', 'resolved'] as const;
export const runBreaksQuery = pageQuery.extend({
  status: z.enum(breakStatuses).optional(),
  kind: z.enum(breakKinds).optional(),
});
export const breaksQuery = runBreaksQuery.extend({
  counterparty: z.enum([...counterparties, 'counter']).optional(),
  businessDate: businessDateText.optional(),
  hospital: code.optional(),
  owner: shortText(200).optional().meta({ description: 'a client, or "none"' }),
  age: z
    .string()
    .regex(/^\d{1,4}$/)
    .transform(Number)
    .optional()
    .meta({ description: 'whole days open, at least', example: '3' }),
});

export const breakReply = z
  .object({
    id: idOf('reconciliationBreak'),
    reconciliationId: idOf('reconciliation').nullable(),
    counterparty: z.string(),
    kind: z.enum(breakKinds),
    title: z.string(),
    businessDate: businessDateReply,
    hospitalCode: z.string().nullable(),
    lender: z.string().nullable(),
    settlementId: z.string().nullable(),
    subject: z.string(),
    ourAmount: yuanReply.nullable(),
    theirAmount: yuanReply.nullable(),
    status: z.enum(breakStatuses),
    owner: z.string().nullable(),
    desk: z.string().meta({ description: 'whose desk it usually lands on' }),
    ageDays: z.int(),
    isLate: z.boolean(),
    isSelfClearing: z.boolean(),
    remedy: z.string().meta({ description: 'suggested' }),
    evidence: z.looseObject({}),
    openedAt: timeReply,
    resolvedAt: timeReply.nullable(),
    resolution: z.looseObject({}).nullable(),
  })
  .meta({ id: 'Break' });

export const ownerBody = z.strictObject({ owner: shortText(100).nullable() });

const leg = z.strictObject({
  owner: code,
  account: z.enum(adjustable),
  side: z.enum(['debit', 'credit']),
  amount: positiveYuan,
  counterparty: code.optional(),
});

export const remedyBody = z.strictObject({
  remedy: z.enum(remedies),
  reason: shortText(200),
  legs: z.array(leg).min(2).max(20).optional().meta({ description: 'adjust, returnMoney' }),
  settlementId: idOf('settlement').optional().meta({ description: 'collectPayment' }),
  payment: z
    .strictObject({ kind: z.enum(counterKinds), amount: positiveYuan, reference: shortText(64) })
    .optional()
    .meta({ description: 'collectPayment' }),
  payout: z
    .strictObject({ endToEndId: shortText(35), bankReference: shortText(64) })
    .optional()
    .meta({ description: 'confirmPayout' }),
});
