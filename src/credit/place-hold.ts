// Law: a hold is placed only while held + outstanding + amount ≤ limit + extra, and within both caps of
// the family link that the visit is paid through, whatever races. One statement: it locks the line, then
// the link, decides by what the locks returned, and keeps what it saw.
import { sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';
import type { CreditDecline } from './credit-line.ts';
import { countedCte, familyCtes } from './family-sql.ts';
import {
  clockCte,
  declineOf,
  type HoldRow,
  type HoldView,
  holdViewOf,
  isOverdue,
  type LineSeen,
  mayUseMore,
  ruleCte,
} from './hold-sql.ts';
import type { VisitKind } from './policy.ts';

export interface PlaceHold {
  visitId: string;
  /** Whose line; null = nobody's. */
  payerCitizenId: string | null;
  visitKind: VisitKind;
  /** Fen, more than 0; null = the policy's default for the kind, at most what is available. */
  amount: Fen | null;
  isPartialAllowed: boolean;
  isEmergency: boolean;
}

/** Places a hold for a visit that has none, or says why not. The caller holds the visit's lock. */
export async function placeHold(
  tx: Tx,
  wish: PlaceHold,
): Promise<{ hold: HoldView } | { decline: CreditDecline }> {
  const isPartial = wish.isPartialAllowed || wish.isEmergency || wish.amount === null;
  const [row] = await rows<LineSeen & Partial<HoldRow>>(
    tx,
    sql`
    with ${clockCte}, ${ruleCte(wish.visitKind)},
    line as materialized (
      select l.*, ${isOverdue} as is_overdue, ${mayUseMore(wish.isEmergency)} as may
      from credit_line l
      where l.citizen_id = ${wish.payerCitizenId}::text and l.status <> 'closed'
      for update of l
    ),
    old as (
      select h.id, h.amount, h.placed_at, h.family_link_id from hold h where false
    ),
    ${familyCtes(wish.visitId)},
    seen as (
      select f.*, l.id as line_id, l.status as line_status, l.suspended_for, l.consented, l.is_overdue,
        l.may and f.link_refusal is null as may, l."limit", l.held, l.outstanding, e.extra,
        least(greatest(0, l."limit" + e.extra - l.held - l.outstanding), f.room) as free,
        coalesce(${wish.amount}::bigint, rule.amount) as asked, rule.life
      from line l, family f, rule, lateral (
        select case when ${wish.visitKind}::text = 'inpatient' then l.inpatient_extra else 0 end
          as extra) e
    ),
    decided as (
      select c.*, case when not may then 0 when asked <= free then asked
        when ${isPartial}::boolean then free else 0 end as amount
      from seen c
    ),
    placed as (
      insert into hold (id, line_id, visit_id, status, amount, limit_then, extra_then, held_then,
        outstanding_then, family_link_id, visit_cap_then, visit_used_then, monthly_cap_then,
        month_used_then, placed_at, expires_at)
      select ${newId('hold')}, c.line_id, ${wish.visitId}, 'placed', c.amount, c."limit", c.extra,
        c.held, c.outstanding, c.link_id, c.visit_cap, c.visit_used, c.monthly_cap,
        c.month_used, clock.now, clock.now + c.life
      from decided c, clock where c.amount > 0
      returning id, line_id, status, amount, expires_at
    ),
    ${countedCte(sql`select c.link_id, c.month, p.amount as delta from decided c, placed p`)},
    moved as (
      update credit_line set held = credit_line.held + p.amount
      from placed p where credit_line.id = p.line_id
    )
    select c.line_id, c.line_status, c.suspended_for, c.consented, c.is_overdue, c.link_refusal,
      coalesce(c.room < case when ${isPartial}::boolean then 1 else c.asked end, false) as is_capped,
      p.id, p.status, p.amount, p.expires_at
    from decided c left join placed p on true`,
  );
  const hold = holdViewOf(row);
  return hold ? { hold } : { decline: declineOf(row, wish.isEmergency) };
}
