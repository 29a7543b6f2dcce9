// Law: repaid credit goes back to whoever repaid it, newest first: a relative's money to the relative
// (domain.md, Conversion). What nobody else paid is the payer's of then.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { type Fen, minFen } from '../money.ts';

export interface Repaid {
  citizenId: string;
  amount: Fen;
}

/**
 * Splits `amount` fen of repaid credit of a settlement by whose account it came from. What went back
 * before of each is counted, so that nobody gets more than they paid.
 */
export async function splitByRepayer(
  tx: Tx,
  of: { settlementId: string; citizenId: string; amount: Fen },
): Promise<Repaid[]> {
  if (of.amount === 0n) return [];
  const payers = await rows<{ citizen_id: string; left: Fen }>(
    tx,
    sql`
    with paid as (
      select coalesce(p.paid_by_citizen_id, p.citizen_id) as citizen_id,
        sum(a.amount) as amount, max(p.resolved_at) as at
      from receivable r
        join repayment p on p.line_id = r.line_id
        join repayment_allocation a on a.repayment_id = p.id and a.receivable_id = r.id
      where r.settlement_id = ${of.settlementId} and p.status = 'paid'
      group by 1
    )
    select paid.citizen_id, (paid.amount - coalesce((
        -- What a bank took twice, or took back, was never a repayment.
        select sum(m.amount) from money_back m left join repayment q on q.id = m.cause_id
        where m.settlement_id = ${of.settlementId} and m.kind = 'credit' and not m.is_reduction
          and m.citizen_id = paid.citizen_id and m.cause_id not like 'ntc%'
          and q.status is distinct from 'returned'), 0))::bigint as left
    from paid order by paid.at desc, paid.citizen_id`,
  );
  const parts: Repaid[] = [];
  let rest = of.amount;
  for (const { citizen_id: citizenId, left } of payers) {
    const amount = minFen(rest, left);
    if (amount <= 0n) continue;
    parts.push({ citizenId, amount });
    rest -= amount;
  }
  return rest > 0n ? [...parts, { citizenId: of.citizenId, amount: rest }] : parts;
}
