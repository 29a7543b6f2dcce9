// What may be shown at a counter to say who somebody is (api.md, Counter), as requests carry it.
import { z } from 'zod';
import { idOf, shortText } from '../http/schemas.ts';

/** An ecToken or a signed assertion: opaque here, so only its size and alphabet are checked. */
const opaqueText = (max: number) =>
  z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .min(1)
    .max(max);

export const credentialSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('idCard'),
      number: shortText(30).meta({ description: '身份证号 18-digit ID number (GB 11643)' }),
      name: shortText(50).optional(),
    }),
    z.strictObject({
      kind: z.literal('socialSecurityCard'),
      number: shortText(50),
      cardSerial: shortText(32).optional(),
    }),
    z.strictObject({
      kind: z.literal('insuranceCode'),
      token: opaqueText(200).meta({ description: '医保电子凭证 ecToken' }),
    }),
    z.strictObject({ kind: z.literal('face'), assertion: opaqueText(8000) }),
    z.strictObject({ kind: z.literal('nfc'), assertion: opaqueText(8000) }),
    z.strictObject({ kind: z.literal('paymentCode'), code: opaqueText(64) }),
    z.strictObject({ kind: z.literal('identification'), id: idOf('identification') }),
  ])
  .meta({ id: 'Credential', description: '身份凭证 how a person identifies at the counter' });

export type Credential = z.output<typeof credentialSchema>;
export type CredentialKind = Credential['kind'];
