// Role: what a citizen needs to claim by hand (手工报销) when the insurer's platform refused for good.
// Law: a refused conversion is never forgotten silently (domain.md, Final refusal; Invoices).
import { and, asc, eq } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { charge, chargeBatch, hospital, settlement, visit } from '../db/schema.ts';
import { formatYuan } from '../money.ts';
import { handClaimDeadline, readRegionPolicy } from './region-policy.ts';

/** What insurance offices commonly ask for at a claim by hand. */
const papers = [
  {
    zh: '身份证、医保电子凭证或社会保障卡',
    en: 'ID card, and insurance code or social security card',
  },
  { zh: '医疗收费票据（电子发票）', en: "The hospital's receipt (electronic invoice)" },
  { zh: '费用明细清单', en: 'Itemised fee list' },
  { zh: '病历、诊断证明或出院小结', en: 'Medical record, diagnosis or discharge summary' },
  { zh: '本人银行账户', en: 'A bank account of your own' },
  { zh: '未能直接结算的原因', en: 'Why the insurer did not settle directly (the reason above)' },
] as const;

export interface HandClaim {
  /** The insurer's words, or finance's. */
  reason: string;
  /** Last business day, YYYY-MM-DD. */
  deadline: string;
  papers: { zh: string; en: string }[];
}

/** The guide for a settlement whose insurance ended in `reason`. */
export async function handClaimOf(
  tx: Tx | Db,
  settlementId: string,
  reason: string,
): Promise<HandClaim> {
  const [found] = await tx
    .select({ startedAt: visit.startedAt, region: hospital.region })
    .from(settlement)
    .innerJoin(visit, eq(visit.id, settlement.visitId))
    .innerJoin(hospital, eq(hospital.code, settlement.hospitalCode))
    .where(eq(settlement.id, settlementId));
  if (!found) throw new Error(`settlement ${settlementId} does not exist`);
  const policy = await readRegionPolicy(tx, found.region);
  const deadline = handClaimDeadline(found.startedAt, policy);
  return { reason, deadline, papers: [...papers] };
}

/** The bill's lines for a claim by hand; `refunded` yuan of a line are no longer claimable. */
export async function feesOf(tx: Tx | Db, settlementId: string) {
  const lines = await tx
    .select({ charge })
    .from(chargeBatch)
    .innerJoin(
      charge,
      and(eq(charge.visitId, chargeBatch.visitId), eq(charge.batch, chargeBatch.batch)),
    )
    .where(eq(chargeBatch.settlementId, settlementId))
    .orderBy(asc(charge.lineNumber));
  return lines.map(({ charge: line }) => ({
    lineNumber: line.lineNumber,
    code: line.code,
    name: line.name,
    quantity: line.quantity,
    unitPrice: line.unitPrice,
    amount: formatYuan(line.amount),
    refunded: formatYuan(line.refundedAmount),
  }));
}
