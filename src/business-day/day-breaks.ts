// Law: a day lists every difference that was found for it, and every one of an earlier day that is still
// open; none that is open may be nobody's, unless it clears itself.
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { formatYuan } from '../money.ts';

export interface ListedBreak {
  id: string;
  businessDate: string;
  counterparty: string;
  scope: string;
  kind: string;
  subject: string;
  hospitalCode: string | null;
  ourAmount: string | null;
  theirAmount: string | null;
  status: string;
  owner: string | null;
  isSelfClearing: boolean;
}

type BreakRow = Omit<ListedBreak, 'ourAmount' | 'theirAmount'> & {
  ourAmount: bigint | null;
  theirAmount: bigint | null;
};

/** In order of id: of this day whatever became of them, of earlier days the open ones. */
export async function breaksOf(
  tx: Tx | Db,
  date: string,
  hospitalCode: string | null,
): Promise<ListedBreak[]> {
  const found = await rows<BreakRow>(
    tx,
    sql`
    select id, business_date::text as "businessDate", counterparty, scope, kind, subject,
      hospital_code as "hospitalCode", our_amount as "ourAmount", their_amount as "theirAmount",
      status, owner, is_self_clearing as "isSelfClearing"
    from reconciliation_break
    where (business_date = ${date}::date or (business_date < ${date}::date and status = 'open'))
      and (${hospitalCode}::text is null or hospital_code = ${hospitalCode})
    order by id collate "C"`,
  );
  const yuan = (amount: bigint | null) => (amount === null ? null : formatYuan(amount));
  return found.map((row) => ({
    ...row,
    ourAmount: yuan(row.ourAmount),
    theirAmount: yuan(row.theirAmount),
  }));
}

/** Open breaks that nobody looks after and that do not clear themselves. */
export function unownedOf(breaks: readonly ListedBreak[]): ListedBreak[] {
  return breaks.filter((one) => one.status === 'open' && !one.owner && !one.isSelfClearing);
}
