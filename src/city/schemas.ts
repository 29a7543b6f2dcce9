// Bodies and replies of the city's administration.
import { z } from 'zod';
import { shortText, timeReply, timeText } from '../http/schemas.ts';
import { zoneSchema } from '../insurance/filing.ts';
import { policyKindNames } from './policy-kinds.ts';

const hospitalCode = z
  .string()
  .regex(/^H\d{11}$/, 'expects H and 11 digits, the insurer’s fixmedins_code')
  .meta({ example: 'H35020000001' });

export const hospitalBody = z.strictObject({
  code: hospitalCode,
  name: shortText(100),
  level: z.int().min(1).max(3).meta({ description: '1 community and first level, 2, 3' }),
  region: z.string().regex(/^\d{6}$/, 'expects six digits'),
});
export const hospitalReply = hospitalBody.meta({ id: 'NewHospital' });
export const hospitalParams = z.object({ hospitalCode });

const kind = z.enum(policyKindNames);
const data = z.unknown().meta({ description: 'as the kind demands; see the error’s pointers' });

export const newPolicyBody = z.strictObject({
  kind,
  name: shortText(32),
  validFrom: timeText.optional(),
  data,
});
export const policyBody = z.strictObject({ validFrom: timeText.optional(), data });
export const policyParams = z.object({ kind, name: z.string().min(1).max(32) });
export const policyReply = z
  .object({
    kind,
    name: z.string(),
    version: z.int(),
    validFrom: timeReply,
    data: z.unknown(),
    etag: z.string().meta({ description: 'for If-Match' }),
  })
  .meta({ id: 'Policy' });
export const policyHistoryReply = z
  .object({
    kind,
    name: z.string(),
    etag: z.string(),
    versions: z.array(z.object({ version: z.int(), validFrom: timeReply, data: z.unknown() })),
  })
  .meta({ id: 'PolicyHistory', description: 'the last version first' });

export const zoneBody = zoneSchema;
export const zoneReply = zoneSchema.meta({ id: 'Zone' });
export const zoneParams = z.object({ zoneName: z.string().min(1).max(100) });
