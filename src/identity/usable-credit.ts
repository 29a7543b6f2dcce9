// What a terminal learns of credit: what may be held now for the amount asked, never a balance.
import { sql } from 'drizzle-orm';
import { clockCte, mayUseMore, ruleCte } from '../credit/hold-sql.ts';
import { rows, type Tx } from '../db/db.ts';
import { type Fen, formatYuan } from '../money.ts';

export interface CreditAtCounter {
  enrolled: boolean;
  payers: { payer: string; label: string; usable: string }[];
}

/** Own credit of a citizen for `asked` fen; null asks for the policy's default outpatient hold. */
export async function creditAtCounter(
  tx: Tx,
  citizenId: string,
  asked: Fen | null,
): Promise<CreditAtCounter> {
  const [line] = await rows<{ usable: Fen }>(
    tx,
    sql`
    with ${clockCte}, ${ruleCte('outpatient')}
    select case when ${mayUseMore(false)}
      then least(coalesce(${asked}::bigint, rule.amount),
                 greatest(0, l."limit" - l.held - l.outstanding))
      else 0 end as usable
    from credit_line l, rule
    where l.citizen_id = ${citizenId} and l.status <> 'closed'`,
  );
  if (!line) return { enrolled: false, payers: [] };
  const own = { payer: 'self', label: '本人 Self', usable: formatYuan(line.usable) };
  return { enrolled: true, payers: [own] };
}
