// Law: raising obeys the same guard as placing; lowering and voiding are always allowed; a hold
// resolves once. One statement each, under the line's lock.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { Refusal } from '../errors.ts';
import { newId } from '../ids.ts';
import { type Fen, formatYuan } from '../money.ts';
import { recordEvent } from '../outbox/events.ts';
import { capsThen, countedCte, familyCtes, monthOf } from './family-sql.ts';
import {
  clockCte,
  declineOf,
  type HoldRow,
  type HoldView,
  holdViewOf,
  isOverdue,
  type LineSeen,
  lineOfHold,
  lineOfVisit,
  mayUseMore,
  oldHold,
  placedHold,
  retryIfResolvedMeanwhile,
  ruleCte,
} from './hold-sql.ts';
import type { VisitKind } from './policy.ts';

export interface SetHold {
  visitId: string;
  /** Whose line a new hold is placed on; a placed hold stays on its line. */
  payerCitizenId: string | null;
  visitKind: VisitKind;
  /** The total to be held, fen, more than 0. */
  amount: Fen;
  isPartialAllowed: boolean;
  isEmergency: boolean;
}

/**
 * Sets the total held for a visit and moves the expiry on. Partial: as much as is available.
 * Refuses with the decline code (402) and changes nothing. The caller holds the visit's lock.
 */
export async function setHold(tx: Tx, wish: SetHold): Promise<HoldView> {
  const isPartial = wish.isPartialAllowed || wish.isEmergency;
  const [row] = await rows<LineSeen & Partial<HoldRow> & Found>(
    tx,
    sql`
    with ${clockCte}, ${ruleCte(wish.visitKind)},
    line as materialized (
      select l.*, ${isOverdue} as is_overdue, ${mayUseMore(wish.isEmergency)} as may,
        ${placedHold(wish.visitId)} as placed_id
      from credit_line l where l.id = ${lineOfVisit(wish.visitId, wish.payerCitizenId)}
      for update of l
    ),
    ${oldHold(wish.visitId)},
    ${familyCtes(wish.visitId)},
    seen as (
      select f.*, l.id as line_id, l.citizen_id, l.status as line_status, l.suspended_for, l.consented,
        l.is_overdue, l.may and f.link_refusal is null as may, l.placed_id, l."limit", l.held,
        l.outstanding, e.extra, rule.life,
        least(greatest(0, l."limit" + e.extra - l.held - l.outstanding), f.room) as free,
        old.id as old_id, coalesce(old.amount, 0) as base
      from line l left join old on true, family f, rule, lateral (
        select case when ${wish.visitKind}::text = 'inpatient' then l.inpatient_extra else 0 end
          as extra) e
    ),
    decided as (
      select c.*, a.asked, case when asked <= base then asked when not may then 0
        when asked - base <= free then asked
        when ${isPartial}::boolean then base + free else 0 end as target
      from seen c, (select ${wish.amount}::bigint as asked) a
    ),
    changed as (
      update hold set amount = c.target, expires_at = greatest(hold.expires_at, clock.now + c.life),
        limit_then = case when c.target > c.base then c."limit" else hold.limit_then end,
        extra_then = case when c.target > c.base then c.extra else hold.extra_then end,
        held_then = case when c.target > c.base then c.held - c.base else hold.held_then end,
        outstanding_then =
          case when c.target > c.base then c.outstanding else hold.outstanding_then end,
        ${capsThen(sql`c.target > c.base`)}
      from decided c, clock where hold.id = c.old_id and hold.status = 'placed' and c.target > 0
      returning hold.id, hold.status, hold.amount, hold.expires_at
    ),
    placed as (
      insert into hold (id, line_id, visit_id, status, amount, limit_then, extra_then, held_then,
        outstanding_then, family_link_id, visit_cap_then, visit_used_then, monthly_cap_then,
        month_used_then, placed_at, expires_at)
      select ${newId('hold')}, c.line_id, ${wish.visitId}, 'placed', c.target, c."limit", c.extra,
        c.held, c.outstanding, c.link_id, c.visit_cap, c.visit_used, c.monthly_cap,
        c.month_used, clock.now, clock.now + c.life
      from decided c, clock where c.old_id is null and c.target > 0
      returning id, status, amount, expires_at
    ),
    now_held as (select * from changed union all select * from placed),
    ${countedCte(sql`
      select c.link_id, c.month, n.amount - c.base as delta from decided c, now_held n`)},
    moved as (
      update credit_line set held = credit_line.held + n.amount - c.base
      from decided c, now_held n where credit_line.id = c.line_id
    )
    select c.line_id, c.line_status, c.suspended_for, c.consented, c.is_overdue, c.link_refusal,
      coalesce(c.room < case when ${isPartial}::boolean then 1 else c.asked - c.base end, false)
        as is_capped,
      n.id, n.status, n.amount, n.expires_at,
      c.placed_id is not null and c.old_id is null as is_stale,
      c.old_id is null as is_new, c.citizen_id, clock.now,
      (select hospital_code from visit where id = ${wish.visitId}) as hospital_code
    from clock, decided c left join now_held n on true`,
  );
  retryIfResolvedMeanwhile(row);
  const hold = holdViewOf(row);
  if (!row || !hold) throw new Refusal(declineOf(row, wish.isEmergency));
  if (row.is_new) await recordPlaced(tx, wish.visitId, hold, row);
  return hold;
}

/** What the statement says beside the line and the hold. */
interface Found {
  is_stale: boolean;
  /** True when no hold was placed before: a raised or lowered one is no new fact. */
  is_new: boolean;
  citizen_id: string;
  hospital_code: string;
  now: string;
}

function recordPlaced(tx: Tx, visitId: string, hold: HoldView, found: Found): Promise<void> {
  return recordEvent(tx, {
    type: 'hold.placed',
    hospitalCode: found.hospital_code,
    citizenId: found.citizen_id,
    data: { visitId, holdId: hold.id, amount: formatYuan(hold.amount) },
    occurredAt: new Date(found.now),
  });
}

/** Voids a visit's placed hold; null when there is none. One statement. */
export async function voidHold(tx: Tx, visitId: string): Promise<HoldView | null> {
  const [row] = await rows<HoldRow>(
    tx,
    sql`
    with ${clockCte}, ${lineOfHold(visitId)},
    link as materialized (
      select f.id, f.used_by_month
      from line join hold h on h.line_id = line.id join family_link f on f.id = h.family_link_id
      where h.visit_id = ${visitId} and h.status = 'placed' for update of f
    ),
    voided as (
      update hold set status = 'voided', resolved_at = clock.now
      from line, clock
      where hold.line_id = line.id and hold.visit_id = ${visitId} and hold.status = 'placed'
      returning hold.id, hold.line_id, hold.status, hold.amount, hold.expires_at,
        hold.family_link_id, hold.placed_at
    ),
    ${countedCte(sql`
      select family_link_id as link_id, ${monthOf(sql`placed_at`)} as month, -amount as delta
      from voided`)},
    moved as (
      update credit_line set held = credit_line.held - v.amount
      from voided v where credit_line.id = v.line_id
    )
    select id, status, amount, expires_at from voided`,
  );
  return holdViewOf(row);
}
