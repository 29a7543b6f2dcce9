// What callers send and get for conversions (the contract's field names).
import { z } from 'zod';
import {
  businessDateReply,
  idOf,
  pageQuery,
  shortText,
  timeReply,
  yuanReply,
} from '../http/schemas.ts';
import { credentialSchema } from '../identity/credential-schema.ts';
import { conversionCauses } from './queue-conversion.ts';

const conversionStatuses = [
  'queued',
  'claiming',
  'awaitingPatient',
  'converted',
  'rejected',
  'cancelled',
] as const;

/** Causes that a terminal or the citizen may give; outages queue conversions by themselves. */
const askedCauses = [
  'forgottenCredential',
  'lateFiling',
  'coverRestored',
  'retroactiveCover',
] as const;

export const conversionParams = z.object({ conversionId: idOf('conversion') });

export const conversionsQuery = pageQuery.extend({ status: z.enum(conversionStatuses).optional() });

export const conversionRequestBody = z.strictObject({
  cause: z.enum(askedCauses),
  credential: credentialSchema
    .optional()
    .meta({ description: '患者凭证 must be of the patient; names an unnamed emergency' }),
});
export type ConversionRequest = z.output<typeof conversionRequestBody>;

export const reasonBody = z.strictObject({ reason: shortText(200) });

const part = z.object({ kind: z.string(), amount: yuanReply, reference: z.string().optional() });

export const conversionReply = z
  .object({
    id: idOf('conversion'),
    settlementId: idOf('settlement'),
    cause: z.enum(conversionCauses),
    status: z.enum(conversionStatuses),
    reason: z.string().optional(),
    attempts: z.array(z.looseObject({})),
    before: z.array(part),
    after: z.array(part).nullable(),
    refunds: z.array(z.object({ to: z.string(), amount: yuanReply, status: z.string() })),
    proof: z.object({
      totalBefore: yuanReply,
      totalAfter: yuanReply.nullable(),
      balanced: z.boolean().nullable(),
    }),
    createdAt: timeReply,
  })
  .meta({ id: 'Conversion' });

/** How the citizen may still get the money: 手工报销. */
export const handClaimReply = z
  .object({
    reason: z.string(),
    deadline: businessDateReply,
    papers: z.array(z.object({ zh: z.string(), en: z.string() })),
  })
  .meta({ id: 'HandClaim', description: '手工报销指引 what a claim by hand needs, until when' });

const feeReply = z.object({
  lineNumber: z.int(),
  code: z.string(),
  name: z.string(),
  quantity: z.string(),
  unitPrice: z.string(),
  amount: yuanReply,
  refunded: yuanReply,
});

/** The patient's own view: a refused one comes with reason, deadline, papers and fee list. */
export const myConversionReply = conversionReply
  .extend({
    handClaim: handClaimReply.extend({ fees: z.array(feeReply) }).optional(),
  })
  .meta({ id: 'MyConversion' });
