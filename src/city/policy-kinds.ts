// Law: a policy is versioned, dated data that its readers can read: each kind has one schema, and one
// rule of what its names may be. A kind that nobody reads does not exist.
import type { z } from 'zod';
import { regionPolicySchema } from '../conversion/region-policy.ts';
import { agreementSchema, creditPolicySchema, lenderProductSchema } from '../credit/policy.ts';
import { stayPolicySchema } from '../inpatient/stay-policy.ts';
import { filingPolicySchema } from '../insurance/filing.ts';
import { hospitalPolicySchema } from '../shift/unpaid-policy.ts';

export interface PolicyKind {
  zh: string;
  en: string;
  schema: z.ZodType;
  /** Which names a policy of this kind may have. */
  names: RegExp;
}

const ONLY_DEFAULT = /^default$/;
/** A region's own policy goes before its city's, and that before the default. */
const REGION = /^(default|\d{4}|\d{6})$/;

export const policyKinds = {
  credit: {
    zh: '信用政策',
    en: 'Credit: limits by score, holds, collection',
    schema: creditPolicySchema,
    names: ONLY_DEFAULT,
  },
  agreement: {
    zh: '协议版本',
    en: 'Versions of the enrolment agreement',
    schema: agreementSchema,
    names: /^enrolment$/,
  },
  lenderProduct: {
    zh: '贷款产品',
    en: "A lender's product and due rule, by lender",
    schema: lenderProductSchema,
    names: /^[A-Za-z0-9_-]{1,32}$/,
  },
  region: {
    zh: '地区政策',
    en: 'Late claims of a region',
    schema: regionPolicySchema,
    names: REGION,
  },
  inpatient: { zh: '住院政策', en: 'Stays of a region', schema: stayPolicySchema, names: REGION },
  filing: {
    zh: '异地备案政策',
    en: 'Filing across regions and its free zones',
    schema: filingPolicySchema,
    names: ONLY_DEFAULT,
  },
  hospital: {
    zh: '医院政策',
    en: 'What becomes of unpaid bills at the end of a shift, by hospital',
    schema: hospitalPolicySchema,
    names: /^(default|H\d{11})$/,
  },
} as const satisfies Record<string, PolicyKind>;

export type PolicyKindName = keyof typeof policyKinds;
export const policyKindNames = Object.keys(policyKinds) as [PolicyKindName, ...PolicyKindName[]];

/** Where the data of a kind is wrong, as pointers below `/data`; empty when it can be read. */
export function faultsOf(
  kind: PolicyKindName,
  data: unknown,
): { pointer: string; detail: string }[] {
  const parsed = policyKinds[kind].schema.safeParse(data);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue: z.core.$ZodIssue) => ({
    pointer: ['/data', ...issue.path.map(String)].join('/'),
    detail: issue.message,
  }));
}
