// What terminals send and get for visits, charges and holds (the contract's field names).
import { z } from 'zod';
import { type VisitKind, visitKinds } from '../credit/policy.ts';
import {
  businessDateText,
  idOf,
  positiveYuan,
  quantityText,
  shortText,
  timeReply,
  timeText,
  unitPriceText,
  yuanReply,
  yuanText,
} from '../http/schemas.ts';
import { credentialSchema } from '../identity/credential-schema.ts';

const codeAndName = z.strictObject({ code: shortText(30), name: shortText(100) });
const operatorSchema = z.strictObject({ id: shortText(30), name: shortText(50) });

const clinicalFields = {
  medType: shortText(6).optional(),
  diseaseCode: shortText(30).optional(),
  department: codeAndName.optional(),
  doctor: codeAndName.optional(),
  diagnoses: z
    .array(
      z.strictObject({
        code: shortText(20),
        name: shortText(100),
        type: shortText(3).optional(),
        at: timeText.optional(),
      }),
    )
    .max(30)
    .optional(),
  admission: z
    .strictObject({
      number: shortText(30),
      bed: shortText(30).optional(),
      ward: shortText(100).optional(),
      contactName: shortText(50).optional(),
      contactPhone: shortText(20).optional(),
      /** emergency counts as filed, whoever insures the patient. */
      type: z.enum(['ordinary', 'emergency', 'transfer']).optional(),
    })
    .optional(),
};

const visitNumberText = shortText(64);

export const openVisitFields = {
  visitNumber: visitNumberText,
  kind: z.enum(visitKinds),
  credential: credentialSchema.optional(),
  startedAt: timeText.optional(),
  ...clinicalFields,
  payer: z.union([z.literal('self'), idOf('familyLink')]).optional(),
  holdAmount: yuanText.optional(),
  allowPartialHold: z.boolean().optional(),
  usePersonalAccount: z.boolean().optional(),
  useFamilyAccount: z.boolean().optional(),
  proxy: credentialSchema.optional(),
  operator: operatorSchema.optional(),
};

const needsCredential = (visit: { kind: VisitKind; credential?: unknown }) =>
  visit.kind === 'emergency' || visit.credential !== undefined;
export const credentialRule = {
  path: ['credential'],
  error: 'a credential is required except for emergency visits',
};

export const openVisitBody = z
  .strictObject(openVisitFields)
  .refine(needsCredential, credentialRule);
export type OpenVisit = z.output<typeof openVisitBody>;
export { needsCredential };

export const patchVisitBody = z.strictObject({
  ...clinicalFields,
  credential: credentialSchema.optional(),
  usePersonalAccount: z.boolean().optional(),
  useFamilyAccount: z.boolean().optional(),
});

export const chargeItem = z.strictObject({
  lineNumber: z.int().min(1).max(2_000_000_000),
  code: shortText(50),
  name: shortText(200),
  quantity: quantityText,
  unitPrice: unitPriceText,
  amount: yuanText,
  occurredAt: timeText.optional(),
  hospitalItemCode: shortText(150).optional(),
  doctor: codeAndName.optional(),
  department: codeAndName.optional(),
  prescriptionNumber: shortText(40).optional(),
  traceCodes: z.array(shortText(50)).max(200).optional(),
  outsideInsurance: z.boolean().optional(),
});
export type ChargeItem = z.output<typeof chargeItem>;

const hasDistinctLines = (items: { lineNumber: number }[]) =>
  new Set(items.map((item) => item.lineNumber)).size === items.length;
export const chargeItems = z
  .array(chargeItem)
  .min(1)
  .max(2_000)
  .refine(hasDistinctLines, 'lineNumber occurs twice');

export const batchText = shortText(64);
export const chargesBody = z.strictObject({ batch: batchText, items: chargeItems });

export const holdBody = z.strictObject({
  amount: positiveYuan,
  allowPartial: z.boolean().optional(),
});

export const holdReply = z.object({
  id: idOf('hold'),
  status: z.enum(['placed', 'captured', 'voided', 'expired']),
  amount: yuanReply,
  expiresAt: timeReply,
});

export const holdConfirmationReply = z.object({
  id: idOf('holdConfirmation'),
  /** The total to be held once it is confirmed. */
  amount: yuanReply,
  status: z.enum(['pending', 'confirmed', 'declined', 'expired']),
  /** app, or the kind of the credential that the payer showed at the counter. */
  confirmedBy: z.string().optional(),
  expiresAt: timeReply,
});

export const visitReply = z
  .object({
    id: idOf('visit'),
    visitNumber: z.string(),
    kind: z.enum(visitKinds),
    status: z.enum(['open', 'settling', 'settled', 'cancelled']),
    businessDate: businessDateText,
    startedAt: timeReply,
    patient: z.object({ name: z.string(), idNumber: z.string() }).nullable(),
    insured: z.object({
      status: z.enum(['active', 'paused', 'none', 'unknown']),
      insuranceType: z.string().optional(),
      region: z.string().optional(),
      crossRegion: z.boolean().optional(),
      reason: z.string().optional(),
    }),
    payer: z.string().nullable(),
    /** 代办人 who stood there for the patient; masked. */
    proxy: z.object({ name: z.string() }).optional(),
    hold: holdReply.nullable(),
    /** What the payer is asked to confirm, after credit/confirmation-needed. */
    holdConfirmation: holdConfirmationReply.optional(),
    holdDecline: z
      .object({
        code: z.string(),
        title: z.string(),
        why: z.string().optional(),
        next: z.string().optional(),
      })
      .nullable(),
    chargedTotal: yuanReply,
    settlementIds: z.array(idOf('settlement')),
    admission: z
      .object({
        admittedAt: timeReply,
        /** admitted: the insurer has the admission; waiting: it is sent when the insurer is there. */
        insurer: z.enum(['admitted', 'waiting']),
        dischargedAt: timeReply.nullable(),
      })
      .optional(),
    filing: z
      .object({
        status: z.enum(['notNeeded', 'countsAsFiled', 'filed', 'notFiled', 'unknown']),
        reason: z.string().optional(),
        askedAt: timeReply,
      })
      .optional(),
  })
  .meta({ id: 'Visit' });

export const chargesReply = z.object({
  chargedTotal: yuanReply,
  items: z.array(
    z.object({
      batch: z.string(),
      lineNumber: z.int(),
      code: z.string(),
      name: z.string(),
      quantity: z.string(),
      unitPrice: z.string(),
      amount: yuanReply,
    }),
  ),
});

export const visitParams = z.object({ visitId: idOf('visit') });
