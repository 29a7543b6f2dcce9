// Bodies of /sandbox/* (api.md, Sandbox).
import { z } from 'zod';
import { staffRoles } from '../http/route.ts';
import { shortText } from '../http/schemas.ts';
import { parseIdNumber } from '../identity/id-number.ts';

const idNumber = z
  .string()
  .max(30)
  .refine((text) => parseIdNumber(text) !== null, 'expects a valid 18-digit ID number (GB 11643)')
  .transform((text) => parseIdNumber(text)?.number ?? text);
const region = z.string().regex(/^\d{6}$/, 'expects six digits');
const yuan = z.string().regex(/^(0|[1-9]\d{0,7})\.\d{2}$/, 'expects yuan with two decimals');
const phone = z.string().regex(/^\+?[\d-]{5,20}$/, 'expects a phone number');

export const personBody = z.strictObject({
  name: shortText(50),
  idNumber,
  phone: phone.optional(),
  score: z.int().min(0).max(1000).optional(),
  insurance: z
    .strictObject({
      status: z.enum(['active', 'paused', 'none']),
      type: z.enum(['employee', 'resident']).optional(),
      region: region.optional(),
      accountBalance: yuan.optional(),
      /** Beside the contract: filed for treatment elsewhere (异地就医备案); default true. */
      filed: z.boolean().optional(),
    })
    .optional(),
  kin: z
    .array(z.strictObject({ idNumber, relation: z.enum(['parent', 'child']) }))
    .max(20)
    .optional(),
  /** Beside the contract: social security cards that the insurer resolves. */
  cardNumbers: z.array(shortText(50)).max(5).optional(),
});
export type SandboxPerson = z.output<typeof personBody>;

export const tokenBody = z.strictObject({
  role: z.enum(['terminal', 'citizen', 'lenderOperator', ...staffRoles]),
  citizen: z.strictObject({ name: shortText(50), idNumber, phone: phone.optional() }).optional(),
  hospitalCode: shortText(20).optional(),
  subject: shortText(100).optional(),
  /** Beside the contract: which lender an operator works for; default: the first. */
  lender: shortText(20).optional(),
});

/** What a vendor's terminal at the counter would sign of who stands there. */
export const assertionBody = z.strictObject({
  kind: z.enum(['face', 'nfc']),
  citizen: z.strictObject({ name: shortText(50), idNumber }),
  /** Id or client id of the only terminal that may show it; default: any. */
  terminalId: shortText(200).optional(),
});

export const claimsQuery = z.strictObject({
  hospitalCode: shortText(20).optional(),
  visitNumber: shortText(100).optional(),
});

/** Sixty years either way: beyond that, dates of birth and calendars stop making sense. */
const MAX_OFFSET_SECONDS = 1_900_000_000;
export const clockBody = z.strictObject({
  offsetSeconds: z.int().min(-MAX_OFFSET_SECONDS).max(MAX_OFFSET_SECONDS),
});
