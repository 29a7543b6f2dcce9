// Role: reads the credit rules. Law: a policy is versioned, dated data; the newest that is valid at
// business time decides, and what it granted is copied to the line (domain.md, Credit).
import { sql } from 'drizzle-orm';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { type Db, rows, type Tx } from '../db/db.ts';
import { assert } from '../errors.ts';
import { type Fen, isYuan, parseYuan } from '../money.ts';

export const visitKinds = [
  'outpatient',
  'emergency',
  'inpatient',
  'online',
  'registration',
  'examination',
] as const;
export type VisitKind = (typeof visitKinds)[number];

const yuan = z.string().refine(isYuan, 'not an amount in yuan');
const holdRule = z.strictObject({ amount: yuan, hours: z.int().positive() });

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/);

/** How debt is collected; a city may give its own in the credit policy. */
const collectionRule = z.strictObject({
  /** Reminders so many days before the due time, the longest first. */
  remindDays: z.tuple([z.int().positive(), z.int().positive()]),
  /** Shanghai times of auto-debits after the due time; see repayment/debit-slots.ts. */
  retry: z.strictObject({
    at: z.array(timeOfDay).min(1),
    denseDays: z.int().nonnegative(),
    days: z.int().positive(),
  }),
  /** A report after so many receivables overdue one after another. */
  reportAfter: z.int().positive(),
  /** Days to object between being told of a report and its sending. */
  objectDays: z.int().positive(),
});
export type CollectionRule = z.infer<typeof collectionRule> & { suspendAfterDays: number };

/** Twice a day while it is fresh, then once: a failing debit is a burden, too. */
export const defaultCollection: z.infer<typeof collectionRule> = {
  remindDays: [3, 1],
  retry: { at: ['08:00', '20:00'], denseDays: 3, days: 90 },
  reportAfter: 3,
  objectDays: 5,
};

export const creditPolicySchema = z.strictObject({
  /** By rising score; the last one has no upper bound. `limit` in yuan. */
  tiers: z.array(z.strictObject({ upTo: z.int().nullable(), limit: yuan })).min(1),
  inpatientExtra: yuan,
  outageExtra: yuan,
  /** Default hold and its life per kind of visit. */
  hold: z.record(z.enum(visitKinds), holdRule),
  suspendAfterDays: z.int().nonnegative(),
  /** A hold above it needs the payer's own act; absent: none does. */
  stepUpAbove: yuan.optional(),
  /** Absent: the default. */
  collection: collectionRule.optional(),
});
export type CreditPolicy = z.infer<typeof creditPolicySchema>;

export const lenderProductSchema = z.strictObject({
  product: z.enum(['standard', 'pilot']),
  /** Due at this Shanghai time of the day that lies `days` after the capture's day. */
  due: z.strictObject({
    days: z.int().nonnegative(),
    at: timeOfDay,
  }),
});
export type LenderProduct = z.infer<typeof lenderProductSchema>;

/** Versions of the enrolment agreement that may be agreed to; null: any is recorded. */
export const agreementSchema = z.strictObject({ versions: z.array(z.string()).nullable() });
export type Agreement = z.infer<typeof agreementSchema>;

/** What a score grants, in fen; `tier` counts from 1. */
export interface Grant {
  tier: number;
  limit: Fen;
  inpatientExtra: Fen;
  outageExtra: Fen;
}

/** The credit policy in force and its version. */
export function readCreditPolicy(tx: Tx | Db): Promise<{ version: number; data: CreditPolicy }> {
  return readPolicy(tx, 'credit', 'default', creditPolicySchema);
}

/** How debt is collected now. */
export async function readCollectionRule(tx: Tx | Db): Promise<CollectionRule> {
  const { data } = await readCreditPolicy(tx);
  return {
    ...(data.collection ?? defaultCollection),
    suspendAfterDays: data.suspendAfterDays,
  };
}

/** The agreement's versions in force. */
export async function readAgreement(tx: Tx): Promise<Agreement> {
  return (await readPolicy(tx, 'agreement', 'enrolment', agreementSchema)).data;
}

/** A lender's product in force. */
export async function readLenderProduct(tx: Tx | Db, lender: string): Promise<LenderProduct> {
  return (await readPolicy(tx, 'lenderProduct', lender, lenderProductSchema)).data;
}

/** What the policy grants for a score. */
export function grantOf(policy: CreditPolicy, score: number): Grant {
  const index = policy.tiers.findIndex((tier) => tier.upTo === null || score <= tier.upTo);
  const tier = policy.tiers[index];
  assert(tier, `credit policy has no tier for score ${score}`);
  return {
    tier: index + 1,
    limit: parseYuan(tier.limit),
    inpatientExtra: parseYuan(policy.inpatientExtra),
    outageExtra: parseYuan(policy.outageExtra),
  };
}

/** When a capture falls due: e.g. 23:00 of the 42nd day after the capture's day, Shanghai time. */
export function dueAtOf(product: LenderProduct, capturedAt: Date): Date {
  const [hour, minute] = product.due.at.split(':').map(Number);
  return DateTime.fromJSDate(capturedAt, { zone: 'Asia/Shanghai' })
    .startOf('day')
    .plus({ days: product.due.days })
    .set({ hour, minute })
    .toJSDate();
}

async function readPolicy<T>(
  tx: Tx | Db,
  kind: string,
  name: string,
  schema: z.ZodType<T>,
): Promise<{ version: number; data: T }> {
  const [row] = await rows<{ version: number; data: unknown }>(
    tx,
    sql`
    select version, data from policy
    where kind = ${kind} and name = ${name} and valid_from <= business_now()
    order by valid_from desc, version desc limit 1`,
  );
  assert(row, `no policy ${kind} ${name} is in force`);
  return { version: row.version, data: schema.parse(row.data) };
}
