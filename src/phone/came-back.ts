// What came back of a bill, and why. Law: whoever paid sees their own money only, and of somebody else's
// visit never the hospital's words (a reason may name what was done).
import { asc, eq } from 'drizzle-orm';
import type { Db, Tx } from '../db/db.ts';
import { moneyBack, refund } from '../db/schema.ts';
import { inBoth, type Said } from '../http/explanations.ts';
import { formatYuan } from '../money.ts';
import type { SettlementRow } from '../settlement/settlement-store.ts';

type Cause = 'refund' | 'conversion' | 'repayment';

const whys: Record<Cause, Said> = {
  refund: { zh: '医院退费', en: 'The hospital refunded' },
  conversion: {
    zh: '已转为医保结算，医保承担的部分退回',
    en: 'Turned into an insurance settlement; the insurer’s part comes back',
  },
  repayment: { zh: '还款多于欠款，多出的退回', en: 'More was repaid than was owed' },
};

export interface CameBack {
  cause: Cause;
  why: string;
  /** How it was paid, or dueAtCounter for what is no longer due. */
  kind: string;
  amount: string;
  /** Only less is owed now; no money moves. */
  isReduction: boolean;
  status: string;
  at: string;
  voucherCode?: string;
}

/** Oldest first. `payerId`: only what came back to this payer of somebody else's visit. */
export async function cameBackOf(
  tx: Tx | Db,
  bill: Pick<SettlementRow, 'id'>,
  payerId: string | null,
): Promise<CameBack[]> {
  const found = await tx
    .select({ back: moneyBack, reason: refund.reason })
    .from(moneyBack)
    .leftJoin(refund, eq(refund.id, moneyBack.causeId))
    .where(eq(moneyBack.settlementId, bill.id))
    .orderBy(asc(moneyBack.createdAt), asc(moneyBack.causeId), asc(moneyBack.position));
  const mine = payerId
    ? found.filter(({ back }) => back.kind === 'credit' && back.citizenId === payerId)
    : found;
  return mine.map(({ back, reason }) => {
    const cause = causeOf(back.causeId);
    const why = inBoth(whys[cause]);
    return {
      cause,
      why: reason && !payerId ? `${why}: ${reason}` : why,
      kind: back.kind,
      amount: formatYuan(back.amount),
      isReduction: back.isReduction,
      status: back.status,
      at: (back.resolvedAt ?? back.createdAt).toISOString(),
      ...(back.voucherCode && !payerId ? { voucherCode: back.voucherCode } : {}),
    };
  });
}

function causeOf(causeId: string): Cause {
  if (causeId.startsWith('rfd_')) return 'refund';
  return causeId.startsWith('cnv_') ? 'conversion' : 'repayment';
}
