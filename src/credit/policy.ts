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

const creditPolicy = z.strictObject({
  /** By rising score; the last one has no upper bound. `limit` in yuan. */
  tiers: z.array(z.strictObject({ upTo: z.int().nullable(), limit: yuan })).min(1),
  inpatientExtra: yuan,
  outageExtra: yuan,
  /** Default hold and its life per kind of visit. */
  hold: z.record(z.enum(visitKinds), holdRule),
  suspendAfterDays: z.int().nonnegative(),
  /** A hold above it needs the payer's own act; absent: none does. */
  stepUpAbove: yuan.optional(),
});
export type CreditPolicy = z.infer<typeof creditPolicy>;

const lenderProduct = z.strictObject({
  product: z.enum(['standard', 'pilot']),
  /** Due at this Shanghai time of the day that lies `days` after the capture's day. */
  due: z.strictObject({
    days: z.int().nonnegative(),
    at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
  }),
});
export type LenderProduct = z.infer<typeof lenderProduct>;

/** Versions of the enrolment agreement that may be agreed to; null: any is recorded. */
const agreement = z.strictObject({ versions: z.array(z.string()).nullable() });
export type Agreement = z.infer<typeof agreement>;

/** What a score grants, in fen; `tier` counts from 1. */
export interface Grant {
  tier: number;
  limit: Fen;
  inpatientExtra: Fen;
  outageExtra: Fen;
}

/** The credit policy in force and its version. */
export function readCreditPolicy(tx: Tx): Promise<{ version: number; data: CreditPolicy }> {
  return readPolicy(tx, 'credit', 'default', creditPolicy);
}

/** The agreement's versions in force. */
export async function readAgreement(tx: Tx): Promise<Agreement> {
  return (await readPolicy(tx, 'agreement', 'enrolment', agreement)).data;
}

/** A lender's product in force. */
export async function readLenderProduct(tx: Tx | Db, lender: string): Promise<LenderProduct> {
  return (await readPolicy(tx, 'lenderProduct', lender, lenderProduct)).data;
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
