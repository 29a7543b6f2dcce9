// The totals of a business day: what was booked on it, by fact and by account. Money as yuan strings, so
// that what is hashed is what people read.
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { formatYuan } from '../money.ts';

export interface DayTotals {
  entries: number;
  /** Charges billed (H4101), gross, and what refunds took off them. */
  billed: string;
  refunded: string;
  byFact: { fact: string; count: number }[];
  byAccount: { ownerKind: string; account: string; debit: string; credit: string }[];
}

interface FactRow {
  fact: string;
  count: number;
}
interface AccountRow {
  ownerKind: string;
  account: string;
  debit: bigint;
  credit: bigint;
}

/** Of the whole city, or of the legs in one hospital's books. */
export async function totalsOf(
  tx: Tx | Db,
  date: string,
  hospitalCode: string | null,
): Promise<DayTotals> {
  const mine = sql`(${hospitalCode}::text is null or (p.owner_kind = 'H' and p.owner = ${hospitalCode}))`;
  const byFact = await rows<FactRow>(
    tx,
    sql`
    select e.fact, count(*)::int as count from journal_entry e
    where e.business_date = ${date}::date
      and (${hospitalCode}::text is null
        or exists (select from posting p where p.entry_id = e.id and ${mine}))
    group by e.fact order by e.fact collate "C"`,
  );
  const byAccount = await rows<AccountRow>(
    tx,
    sql`
    select p.owner_kind as "ownerKind", p.account,
      coalesce(sum(p.amount) filter (where p.amount > 0), 0)::bigint as debit,
      coalesce(-sum(p.amount) filter (where p.amount < 0), 0)::bigint as credit
    from journal_entry e join posting p on p.entry_id = e.id
    where e.business_date = ${date}::date and ${mine}
    group by p.owner_kind, p.account order by p.owner_kind desc, p.account collate "C"`,
  );
  const billed = byAccount.find((row) => row.account === '4101');
  return {
    entries: byFact.reduce((sum, row) => sum + row.count, 0),
    billed: formatYuan(billed?.credit ?? 0n),
    refunded: formatYuan(billed?.debit ?? 0n),
    byFact,
    byAccount: byAccount.map(({ debit, credit, ...row }) => ({
      ...row,
      debit: formatYuan(debit),
      credit: formatYuan(credit),
    })),
  };
}
