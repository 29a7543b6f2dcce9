// Role: the shapes of the insurer's control port. Test and demo tools only; no hospital sees it.
import { z } from 'zod';

const yuan = z.string().regex(/^(0|[1-9]\d{0,7})\.\d{2}$/, 'yuan with two decimals, e.g. "12.30"');
const ratio = z.string().regex(/^(0(\.\d{1,4})?|1(\.0{1,4})?)$/, 'a ratio from "0" to "1"');
const price = z.string().regex(/^(0|[1-9]\d{0,9})(\.\d{1,6})?$/, 'a price, e.g. "12.5"');
const region = z.string().regex(/^\d{6}$/, 'a region code of six digits');
const name = z.string().trim().min(1).max(50);
const idNumber = z.string().trim().toUpperCase().min(1).max(30);

/** Modes that api.md publishes, then two that only tests of broken answers use. */
export const faultModes = [
  'none',
  'refuseConnection',
  'hang',
  'answerLost',
  'error500',
  'garbage',
  'slow',
  'reject',
  'brokenInvariant',
  'noSetlId',
] as const;

export const faultSchema = z
  .strictObject({
    mode: z.enum(faultModes),
    route: z.enum(['local', 'crossRegion']).optional(),
    on: z
      .array(z.string().regex(/^\d{4}[A-Z]?$/))
      .min(1)
      .max(50)
      .optional(),
    rate: z.number().min(0).max(1).optional(),
    delayMs: z.number().int().min(0).max(600_000).optional(),
    reason: z.string().min(1).max(200).optional(),
  })
  .refine((fault) => fault.mode !== 'refuseConnection' || Object.keys(fault).length === 1, {
    message: 'refuseConnection closes the whole port and takes no other field',
  });

export const personSchema = z.strictObject({
  name,
  idNumber,
  phone: z.string().max(30).optional(),
  /** Social security cards that 1101 (03) resolves; the ID number always works as one. */
  cardNumbers: z.array(z.string().min(1).max(50)).max(5).optional(),
  /** Absent: what is known stays; of a new person, none. */
  insurance: z
    .strictObject({
      status: z.enum(['active', 'paused', 'none']),
      type: z.enum(['employee', 'resident']).optional(),
      region: region.optional(),
      accountBalance: yuan.optional(),
      /** Filed for treatment elsewhere (异地就医备案); a new person is. */
      filed: z.boolean().optional(),
    })
    .optional(),
  /** Relatives whose accounts are bound for 共济; the mirror is implied. */
  kin: z
    .array(z.strictObject({ idNumber, relation: z.enum(['parent', 'child']).optional() }))
    .max(20)
    .optional(),
});

export const clockSchema = z.strictObject({
  offsetSeconds: z.number().min(-3_200_000_000).max(3_200_000_000),
});

const catalogueItem = z.strictObject({
  code: z.string().min(1).max(50),
  class: z.enum(['甲', '乙', '丙']),
  selfPayRatio: ratio.optional(),
  priceLimit: price.optional(),
  isLimitedUse: z.boolean().optional(),
});
export const catalogueSchema = z.strictObject({ items: z.array(catalogueItem).max(100_000) });

const hospitalItem = z.strictObject({
  code: z.string().min(1).max(20),
  level: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  region,
});
export const hospitalsSchema = z.strictObject({ items: z.array(hospitalItem).max(100_000) });

const ratiosByLevel = z.strictObject({
  1: ratio.optional(),
  2: ratio.optional(),
  3: ratio.optional(),
});
export const rulesSchema = z.strictObject({
  /** Yearly, for both types or by type; default 0.00. */
  deductible: z
    .union([yuan, z.strictObject({ employee: yuan.optional(), resident: yuan.optional() })])
    .optional(),
  ratios: z
    .strictObject({ employee: ratiosByLevel.optional(), resident: ratiosByLevel.optional() })
    .optional(),
  /** Share of what the pool leaves in scope, paid by hifob (employee) or hifmi (resident). */
  supplementRatio: ratio.optional(),
  /** Share of what the pool leaves in scope, borne by the hospital (hosp_part_amt). */
  hospitalBorneRatio: ratio.optional(),
  /** Whether 5203 answers a blank setl_id by mdtrt_id (regions differ); default true. */
  answersBlankSetlId: z.boolean().optional(),
  /** 在院状态不允许结算: the last 2304 of a stay comes after 2402; default false. */
  dischargeBeforeSettlement: z.boolean().optional(),
});

export const claimsQuerySchema = z.strictObject({
  hospitalCode: z.string().min(1).optional(),
  visitNumber: z.string().min(1).optional(),
});
export const messagesQuerySchema = z.strictObject({
  msgid: z.string().min(1).optional(),
  infno: z.string().min(1).optional(),
});

const signedYuan = z.string().regex(/^-?(0|[1-9]\d{0,7})\.\d{2}$/, 'signed yuan, e.g. "-0.01"');
const clearing = {
  insutype: z.string().regex(/^\d{3}$/),
  clrType: z.string().min(1).max(6),
  clrOptins: z.string().min(1).max(6),
};

/** How 3201 and 3202 answer, and what the insurer's statement has wrong on purpose. */
export const statementRulesSchema = z.strictObject({
  /** stmt_rslt: 0/1; 0/1/2/3; 000000/000101/000102/000103 (nhsa.md §5.3). */
  dictionary: z.enum(['national', 'guangdong', 'hubei']).default('national'),
  /** tabs: TAB after every field and CRLF; bare: no trailing TAB, LF. */
  writer: z.enum(['tabs', 'bare']).default('bare'),
  faults: z
    .array(
      z.discriminatedUnion('kind', [
        /** The insurer does not know this settlement or reversal. */
        z.strictObject({ kind: z.literal('missing'), setlId: z.string().min(1) }),
        /** Added to the total and the fund of one row. */
        z.strictObject({ kind: z.literal('amount'), setlId: z.string().min(1), add: signedYuan }),
        /** A settlement that only the insurer knows. */
        z.strictObject({
          kind: z.literal('extra'),
          hospitalCode: z.string().min(1),
          day: z.iso.date(),
          ...clearing,
          msgid: z.string().min(1).max(30),
          total: yuan,
          fund: yuan,
          account: yuan,
        }),
      ]),
    )
    .max(10_000)
    .default([]),
});
export type StatementRules = z.output<typeof statementRulesSchema>;
export const defaultStatementRules = statementRulesSchema.parse({});

export type FaultMode = (typeof faultModes)[number];
export type Fault = z.infer<typeof faultSchema>;
export type PersonInput = z.input<typeof personSchema>;
export type CatalogueItem = z.infer<typeof catalogueItem>;
export type HospitalItem = z.infer<typeof hospitalItem>;
export type Rules = z.infer<typeof rulesSchema>;

export interface ClaimView {
  setlId: string;
  mdtrtId: string;
  msgid: string;
  fixmedinsCode: string;
  /** settled: live. reversed: taken back by 2601. cancelled: taken back by 2208 or 2305. */
  status: 'settled' | 'reversed' | 'cancelled';
  medfeeSumamt: string;
  fundPaySumamt: string;
  acctPay: string;
  psnCashPay: string;
  /** RFC 3339, +08:00. */
  setlTime: string;
}

export interface MessageView {
  receivedAt: string;
  infno: string;
  msgid: string;
  fixmedinsCode: string;
  /** The fault that hit this message; null: none. */
  fault: FaultMode | null;
  /** done: executed. refused: infcode −1. notExecuted: a fault swallowed it. pending: slow, not yet. */
  fate: 'done' | 'refused' | 'notExecuted' | 'pending';
  input: Record<string, unknown>;
}
