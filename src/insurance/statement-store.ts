// Role: our claims of a hospital's day as the insurer groups them: by setl_time, and a reversal by its own time.
import { sql } from 'drizzle-orm';
import { type Db, rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import type { Message } from './insurer.ts';
import type { ClaimGroup, ClaimRow, GroupKey } from './statement-inputs.ts';

/** Groups of the last weeks are asked also on a day without claims of ours: the insurer may know one that we do not. */
const KNOWN_GROUP_DAYS = 60;

/** The hospital as messages name it. Refuses with resource/not-found. */
export async function findSender(tx: Tx | Db, hospitalCode: string): Promise<Message['hospital']> {
  const [row] = await rows<Message['hospital']>(
    tx,
    sql`select code, name, region from hospital where code = ${hospitalCode}`,
  );
  if (!row) throw new Refusal('resource/not-found');
  return row;
}

/** Rows of one day, settlements and reversals; `day` is YYYY-MM-DD in Shanghai. */
const moved = (hospitalCode: string, day: string) => sql`(
  select setl_id, mdtrt_id, msgid, 1 as sign, setl_time as at, false as is_reversal,
    insutype, clr_type, clr_optins, total, fund, account, cash
  from claim where hospital_code = ${hospitalCode} and ${ofDay(sql`setl_time`, day)}
  union all
  select coalesce(nullif(reversal_setl_id, ''), setl_id || ' reversed'), mdtrt_id, msgid, -1, reversed_at, true,
    insutype, clr_type, clr_optins, total, fund, account, cash
  from claim where hospital_code = ${hospitalCode} and status = 'reversed'
    and ${ofDay(sql`reversed_at`, day)})`;

const ofDay = (column: ReturnType<typeof sql>, day: string) => sql`(
  ${column} >= ${day}::date::timestamp at time zone 'Asia/Shanghai'
  and ${column} < (${day}::date + 1)::timestamp at time zone 'Asia/Shanghai')`;

interface GroupRow {
  insutype: string;
  clr_type: string;
  clr_optins: string;
  total: bigint;
  fund: bigint;
  account: bigint;
  cash: bigint;
  count: number;
}

/** Every group that this hospital had lately, with the sums of the day; zeros where the day has none. */
export async function findClaimGroups(
  tx: Tx | Db,
  hospitalCode: string,
  day: string,
): Promise<ClaimGroup[]> {
  const found = await rows<GroupRow>(
    tx,
    sql`
    with known as (
      select distinct insutype, clr_type, clr_optins from claim
      where hospital_code = ${hospitalCode}
        and setl_time >= (${day}::date - ${KNOWN_GROUP_DAYS}::int)::timestamp at time zone 'Asia/Shanghai'
        and setl_time < (${day}::date + 1)::timestamp at time zone 'Asia/Shanghai'
      union
      select insutype, clr_type, clr_optins from ${moved(hospitalCode, day)} t
    )
    select k.insutype, k.clr_type, k.clr_optins, count(m.setl_id)::int as count,
      coalesce(sum(m.sign * m.total), 0)::int8 as total,
      coalesce(sum(m.sign * m.fund), 0)::int8 as fund,
      coalesce(sum(m.sign * m.account), 0)::int8 as account,
      coalesce(sum(m.sign * m.cash), 0)::int8 as cash
    from known k left join ${moved(hospitalCode, day)} m using (insutype, clr_type, clr_optins)
    group by k.insutype, k.clr_type, k.clr_optins
    order by k.insutype, k.clr_type, k.clr_optins`,
  );
  return found.map(({ clr_type: clrType, clr_optins: clrOptins, ...sums }) => ({
    ...sums,
    clrType,
    clrOptins,
  }));
}

interface ClaimRowRow {
  setl_id: string;
  mdtrt_id: string;
  msgid: string;
  is_reversal: boolean;
  total: bigint;
  fund: bigint;
  account: bigint;
}

/** The rows behind a group's sums, in the order of their time. */
export async function findClaimRows(
  tx: Tx | Db,
  hospitalCode: string,
  day: string,
  group: GroupKey,
): Promise<ClaimRow[]> {
  const found = await rows<ClaimRowRow>(
    tx,
    sql`
    select setl_id, mdtrt_id, msgid, is_reversal, (sign * total)::int8 as total,
      (sign * fund)::int8 as fund, (sign * account)::int8 as account
    from ${moved(hospitalCode, day)} m
    where insutype = ${group.insutype} and clr_type = ${group.clrType}
      and clr_optins = ${group.clrOptins}
    order by at, setl_id`,
  );
  return found.map((row) => ({
    setlId: row.setl_id,
    mdtrtId: row.mdtrt_id,
    msgid: row.msgid,
    total: row.total,
    fund: row.fund,
    account: row.account,
    isReversal: row.is_reversal,
  }));
}
