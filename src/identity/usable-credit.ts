// What a terminal learns of credit: whose line the patient may use, and what may be held on it now for
// the amount asked; never a balance, a limit or a cap. A relative is shown by title and masked name.
import { sql } from 'drizzle-orm';
import { monthOf } from '../credit/family-sql.ts';
import { clockCte, mayUseMore, ruleCte } from '../credit/hold-sql.ts';
import { stepUpCte } from '../credit/step-up.ts';
import { rows, type Tx } from '../db/db.ts';
import { type LinkKind, payerTitle } from '../family/link.ts';
import { type Fen, formatYuan } from '../money.ts';
import { maskName, parseIdNumber } from './id-number.ts';
import type { Keyring } from './keyring.ts';

export interface CreditAtCounter {
  enrolled: boolean;
  payers: { payer: string; label: string; usable: string }[];
}

interface PayerRow {
  payer: string;
  kind: LinkKind | null;
  name: Buffer;
  id_number: Buffer;
  usable: Fen;
}

/**
 * The citizen's own credit, if enrolled, then each active family link's, oldest first, for `asked` fen;
 * null asks for the policy's default outpatient hold. `isOwnAct`: the citizen has shown more than a
 * card, so that the step-up does not bound their own line.
 */
export async function creditAtCounter(
  tx: Tx,
  keyring: Keyring,
  citizenId: string,
  { asked, isOwnAct }: { asked: Fen | null; isOwnAct: boolean },
): Promise<CreditAtCounter> {
  const found = await rows<PayerRow>(
    tx,
    sql`
    with ${clockCte}, ${ruleCte('outpatient')}, ${stepUpCte},
    payer as (
      select 'self' as id, null as kind, l.citizen_id, null::bigint as room
      from credit_line l where l.citizen_id = ${citizenId} and l.status <> 'closed'
      union all
      select f.id, f.kind, f.payer_citizen_id, greatest(0, least(f.visit_cap, f.monthly_cap
        - coalesce((f.used_by_month ->> ${monthOf(sql`clock.now`)})::bigint, 0)))
      from family_link f, clock
      where f.beneficiary_citizen_id = ${citizenId} and f.status = 'active'
        and (f.ends_at is null or f.ends_at > clock.now)
    )
    select p.id as payer, p.kind, c.name, c.id_number,
      case when ${mayUseMore(false)}
        then least(coalesce(${asked}::bigint, rule.amount), p.room,
                   case when p.id <> 'self' or not ${isOwnAct}::boolean then step_up.above end,
                   greatest(0, l."limit" - l.held - l.outstanding))
        else 0 end as usable
    from payer p join citizen c on c.id = p.citizen_id cross join rule cross join step_up
      left join credit_line l on l.citizen_id = p.citizen_id and l.status <> 'closed'
    order by p.id <> 'self', p.id`,
  );
  return {
    enrolled: found.some(({ payer }) => payer === 'self'),
    payers: found.map((row) => ({
      payer: row.payer,
      label: row.kind ? relativeLabel(keyring, { ...row, kind: row.kind }) : '本人 Self',
      usable: formatYuan(row.usable),
    })),
  };
}

export interface PendingLink {
  id: string;
  kind: LinkKind;
  label: string;
}

/** The links to this citizen, as a parent, that wait for the parent's word. */
export async function pendingLinksOf(
  tx: Tx,
  keyring: Keyring,
  citizenId: string,
): Promise<PendingLink[]> {
  const found = await rows<{ id: string; kind: LinkKind; name: Buffer; id_number: Buffer }>(
    tx,
    sql`
    select f.id, f.kind, c.name, c.id_number
    from family_link f join citizen c on c.id = f.payer_citizen_id
    where f.beneficiary_citizen_id = ${citizenId} and f.kind = 'parentCare'
      and f.status = 'pending' and f.accepted_at is null
    order by f.id`,
  );
  return found.map((row) => ({ id: row.id, kind: row.kind, label: relativeLabel(keyring, row) }));
}

/** E.g. "母亲 王*明 Mother". */
function relativeLabel(
  keyring: Keyring,
  row: { kind: LinkKind; name: Buffer; id_number: Buffer },
): string {
  const gender = parseIdNumber(keyring.open(row.id_number))?.gender ?? 'female';
  const { zh, en } = payerTitle(row.kind, gender);
  return `${zh} ${maskName(keyring.open(row.name))} ${en}`;
}
