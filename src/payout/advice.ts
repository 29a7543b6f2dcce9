// The payout advice to a hospital: our own published format, one row a leg, gross.
import type { Db } from '../db/db.ts';
import type { Reply } from '../http/route.ts';
import { type Column, tabularReply } from '../http/tabular.ts';
import { formatYuan } from '../money.ts';
import { type LegRow, legsOf, type PayoutRow } from './payout-store.ts';

/**
 * Columns payoutId, businessDate, lender, fixmedinsCode, settlementId, receiptNumber, kind, amount.
 * What an earlier, negative payout left is a row of kind "carried" without a settlement; the amounts
 * sum to the payout.
 */
export async function payoutAdvice(db: Db, row: PayoutRow, format: 'csv' | 'xlsx'): Promise<Reply> {
  const legs = await legsOf(db, row.id, { after: 0, count: null });
  const columns: readonly Column<LegRow>[] = [
    { key: 'payoutId', cell: () => row.id },
    { key: 'businessDate', cell: () => row.businessDate },
    { key: 'lender', cell: () => row.lender },
    { key: 'fixmedinsCode', cell: () => row.hospitalCode },
    { key: 'settlementId', cell: (leg) => leg.settlementId },
    { key: 'receiptNumber', cell: (leg) => leg.receiptNumber },
    { key: 'kind', cell: (leg) => leg.kind },
    { key: 'amount', cell: (leg) => formatYuan(leg.amount) },
  ];
  return tabularReply(format, `payout-${row.endToEndId}`, columns, legs);
}
