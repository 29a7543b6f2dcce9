// What citizens and terminals send and get for family links.
import { z } from 'zod';
import { idOf, positiveYuan, shortText, timeReply, yuanReply } from '../http/schemas.ts';
import { credentialSchema } from '../identity/credential-schema.ts';
import { parseIdNumber } from '../identity/id-number.ts';
import { linkKinds, linkStatuses } from './link.ts';

const idNumber = shortText(30)
  .refine((text) => parseIdNumber(text) !== null, 'expects a valid 18-digit ID number (GB 11643)')
  .transform((text) => parseIdNumber(text)?.number ?? text)
  .meta({ example: '11010519491231002X', description: '身份证号 18-digit ID number (GB 11643)' });

export const linkRequestBody = z.strictObject({
  kind: z.enum(linkKinds),
  beneficiary: z.strictObject({ name: shortText(50), idNumber }),
  monthlyCap: positiveYuan,
  visitCap: positiveYuan,
  /** Where the registry cannot prove the kinship: a person checks these. */
  papers: z
    .strictObject({ kind: shortText(50), number: shortText(50) })
    .optional()
    .meta({ description: '出生证明、户口簿等 birth certificate, household register …' }),
});
export type LinkRequest = z.output<typeof linkRequestBody>;

export const linkParams = z.object({ linkId: idOf('familyLink') });

/** A terminal shows the beneficiary's own credential; the app's token says who it is. */
export const acceptBody = z.strictObject({ credential: credentialSchema.optional() });

export const capsBody = z
  .strictObject({ visitCap: positiveYuan.optional(), monthlyCap: positiveYuan.optional() })
  .refine((caps) => caps.visitCap !== undefined || caps.monthlyCap !== undefined, {
    error: 'expects visitCap, monthlyCap or both',
  });

const person = z.object({ name: z.string(), idNumber: z.string() });

const terms = {
  id: idOf('familyLink'),
  kind: z.enum(linkKinds),
  status: z.enum(linkStatuses),
  kinship: z.enum(['registry', 'papers', 'toBeChecked']),
  createdAt: timeReply,
  acceptedAt: timeReply.nullable(),
  acceptedVia: z.enum(['guardian', 'app', 'counter']).nullable(),
  endsAt: timeReply.nullable().meta({ description: '十八岁生日 the 18th birthday of a child' }),
  endedAt: timeReply.nullable(),
  endReason: z.string().nullable(),
  etag: z.string().meta({ description: 'for If-Match' }),
};

export const linkReply = z
  .object({
    ...terms,
    role: z.enum(['payer', 'beneficiary']).meta({ description: 'what the caller is' }),
    payer: person,
    beneficiary: person,
    visitCap: yuanReply,
    monthlyCap: yuanReply,
    usedThisMonth: yuanReply,
  })
  .meta({ id: 'FamilyLink' });

/** Terminals learn what is usable, never caps. */
export const acceptedReply = z.object({
  ...linkReply.partial().shape,
  ...terms,
});
