// Requests and replies of people and access.
import { z } from 'zod';
import { idOf, listReply, positiveYuan, shortText, timeReply, yuanReply } from '../http/schemas.ts';
import { credentialSchema } from './credential-schema.ts';

const hospitalCode = z
  .string()
  .regex(/^[\w-]{1,20}$/)
  .meta({ example: 'H35020000001', description: '定点医药机构编码 fixmedins_code' });

/** Keys are small; more members than any real JWK are not looked at. */
const jwk = z
  .record(z.string().max(50), z.unknown())
  .refine((members) => Object.keys(members).length <= 20, 'expects a JWK')
  .meta({ description: '公钥 public Ed25519 or P-256 key, as JWK' });

export const newTerminalBody = z.strictObject({ hospitalCode, name: shortText(100), jwk });
export const newTerminalReply = z.object({ id: idOf('terminal'), clientId: z.string() });
export const terminalParams = z.strictObject({ terminalId: idOf('terminal') });
export const terminalsReply = listReply(
  z.object({
    id: idOf('terminal'),
    clientId: z.string(),
    hospitalCode,
    name: z.string(),
    createdAt: timeReply,
    revokedAt: timeReply.nullable(),
  }),
);

/** `iss` of the vendor's assertions. */
const vendorIssuer = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/)
  .meta({ example: 'https://vendor.example' });

export const newVendorBody = z.strictObject({
  issuer: vendorIssuer,
  name: shortText(100),
  keys: z.array(jwk).min(1).max(10),
});
export const vendorParams = z.strictObject({ vendorId: idOf('terminalVendor') });
export const vendorReply = z.object({
  id: idOf('terminalVendor'),
  issuer: z.string(),
  name: z.string(),
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })),
  createdAt: timeReply,
  revokedAt: timeReply.nullable(),
});
export const vendorsReply = listReply(vendorReply);

export const hospitalsReply = listReply(
  z.object({ code: hospitalCode, name: z.string(), level: z.int(), region: z.string() }),
);

export const authorisationBody = z.strictObject({
  personalAccount: z.boolean(),
  familyAccount: z.boolean(),
});
export const authorisationReply = z.object(authorisationBody.shape);

export const paymentCodeReply = z.object({ code: z.string(), expiresAt: timeReply });

export const identificationBody = z.strictObject({
  credential: credentialSchema,
  amount: positiveYuan.optional(),
});
export const identificationReply = z.object({
  id: idOf('identification'),
  expiresAt: timeReply,
  patient: z.object({ name: z.string(), idNumber: z.string() }),
  insured: z.object({
    status: z.enum(['active', 'paused', 'none', 'unknown']),
    insuranceType: z.enum(['employee', 'resident']).optional(),
    region: z.string().optional(),
    crossRegion: z.boolean().optional(),
    reason: z.string().optional(),
  }),
  credit: z.object({
    enrolled: z.boolean(),
    payers: z.array(z.object({ payer: z.string(), label: z.string(), usable: yuanReply })),
  }),
  pendingLinks: z.array(z.object({ id: idOf('familyLink'), kind: z.string(), label: z.string() })),
});

export const accessLogReply = listReply(
  z.object({
    at: timeReply,
    who: z.string().meta({ example: '白鹭医院 终端 Terminal' }),
    what: z.string().meta({ example: '查看就诊 Read your visit' }),
    why: z.string().meta({ example: '办理就诊 For a visit' }),
    actor: z.string(),
    hospital: z.object({ code: z.string(), name: z.string() }).nullable(),
    action: z.string(),
  }),
);
