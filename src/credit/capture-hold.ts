// Law: a hold is captured once; what is captured becomes debt in the same statement, what is left of
// the hold is free again. Above the hold only what limit and family caps leave then is taken, and nothing
// through a link that has ended; the hold itself is honoured all the same (domain.md, Credit).
import { type SQL, sql } from 'drizzle-orm';
import { rows, type Tx } from '../db/db.ts';
import { newId } from '../ids.ts';
import type { Fen } from '../money.ts';
import { capsThen, countedCte, familyCtes } from './family-sql.ts';
import {
  clockCte,
  lineOfVisit,
  mayUseMore,
  oldHold,
  placedHold,
  retryIfResolvedMeanwhile,
} from './hold-sql.ts';
import type { VisitKind } from './policy.ts';

export interface CaptureCredit {
  visitId: string;
  settlementId: string;
  /** Whose line is used where no hold is placed; null = nobody's. */
  payerCitizenId: string | null;
  visitKind: VisitKind;
  /** Fen that credit is asked for; 0 voids the hold. */
  owed: Fen;
  /** True adds outageExtra, and the receivable is not dunned until it is resolved. */
  awaitsInsurance: boolean;
  isEmergency: boolean;
  /** False: only what is held. Family links and their caps are looked at by the statement itself. */
  mayUseMore: boolean;
  /** The most without the payer's own act, fen; what is held is honoured above it. Null: the payer acted. */
  ceiling?: Fen | SQL | null;
}

export interface CapturedCredit {
  /** Fen, 0 … owed. */
  captured: Fen;
  /** The captured hold; a capture without a placed hold records one that is captured at once. */
  holdId: string | null;
  lineId: string | null;
  lender: string | null;
  payerCitizenId: string | null;
  receivableId: string | null;
  /** The visit's hold had expired and credit was taken all the same. */
  isLateCapture: boolean;
}

interface CapturedRow {
  captured: Fen;
  hold_id: string | null;
  line_id: string;
  lender: string;
  citizen_id: string;
  receivable_id: string | null;
  is_late: boolean;
  is_stale: boolean;
}

/**
 * Captures credit for a settlement in one statement and makes its receivable, due by the lender's
 * product. A placed hold is honoured on a suspended line too. The caller holds the visit's lock and
 * posts the entry.
 */
export async function captureCredit(tx: Tx, wish: CaptureCredit): Promise<CapturedCredit> {
  const [row] = await rows<CapturedRow>(tx, captureStatement(wish));
  retryIfResolvedMeanwhile(row);
  return {
    captured: row?.captured ?? 0n,
    holdId: row?.hold_id ?? null,
    lineId: row?.line_id ?? null,
    lender: row?.lender ?? null,
    payerCitizenId: row?.citizen_id ?? null,
    receivableId: row?.receivable_id ?? null,
    isLateCapture: row?.is_late ?? false,
  };
}

function captureStatement(wish: CaptureCredit) {
  return sql`
    with ${clockCte},
    line as materialized (
      select l.*, ${wish.mayUseMore}::boolean and ${mayUseMore(wish.isEmergency)} as may,
        ${placedHold(wish.visitId)} as placed_id
      from credit_line l where l.id = ${lineOfVisit(wish.visitId, wish.payerCitizenId)}
      for update of l
    ),
    ${oldHold(wish.visitId)},
    ${familyCtes(wish.visitId)},
    seen as (
      select l.*, f.*, old.id as old_id, coalesce(old.amount, 0) as base, e.extra,
        case when f.link_refusal is null then
          least(greatest(0, l."limit" + e.extra - l.held - l.outstanding), f.room) else 0 end as free
      from line l left join old on true, family f, lateral (
        select case when ${wish.visitKind}::text = 'inpatient' then l.inpatient_extra else 0 end
          + case when ${wish.awaitsInsurance}::boolean then l.outage_extra else 0 end as extra) e
    ),
    taken as (
      select c.*, coalesce(c.old_id, ${newId('hold')}) as hold_id,
        least(${wish.owed}::bigint, greatest(c.base,
          least(c.base + case when c.may then c.free else 0 end, (${wish.ceiling ?? null})::bigint)))
          as amount
      from seen c
    ),
    resolved as (
      update hold set status = case when c.amount > 0 then 'captured' else 'voided' end,
        resolved_at = clock.now, captured = c.amount, amount = greatest(hold.amount, c.amount),
        limit_then = case when c.amount > c.base then c."limit" else hold.limit_then end,
        extra_then = case when c.amount > c.base then c.extra else hold.extra_then end,
        held_then = case when c.amount > c.base then c.held - c.base else hold.held_then end,
        outstanding_then =
          case when c.amount > c.base then c.outstanding else hold.outstanding_then end,
        ${capsThen(sql`c.amount > c.base`)}
      from taken c, clock where hold.id = c.old_id and hold.status = 'placed'
    ),
    unheld as (
      insert into hold (id, line_id, visit_id, status, amount, captured, limit_then, extra_then,
        held_then, outstanding_then, family_link_id, visit_cap_then, visit_used_then,
        monthly_cap_then, month_used_then, placed_at, expires_at, resolved_at)
      select c.hold_id, c.id, ${wish.visitId}, 'captured', c.amount, c.amount, c."limit", c.extra,
        c.held, c.outstanding, c.link_id, c.visit_cap, c.visit_used,
        c.monthly_cap, c.month_used, clock.now, clock.now, clock.now
      from taken c, clock where c.old_id is null and c.amount > 0
    ),
    ${countedCte(sql`select link_id, month, amount - base as delta from taken`)},
    moved as (
      update credit_line set held = credit_line.held - c.base,
        outstanding = credit_line.outstanding + c.amount
      from taken c where credit_line.id = c.id
    ),
    debt as (
      insert into receivable (id, line_id, citizen_id, lender, settlement_id, hold_id, amount,
        due_at, awaits_insurance, created_at)
      select ${newId('receivable')}, c.id, c.citizen_id, c.lender, ${wish.settlementId}, c.hold_id,
        c.amount, ${dueAt}, ${wish.awaitsInsurance}::boolean, clock.now
      from taken c, clock where c.amount > 0
      returning id
    )
    select c.amount as captured, c.id as line_id, c.lender, c.citizen_id,
      case when c.amount > 0 then c.hold_id else c.old_id end as hold_id, debt.id as receivable_id,
      c.amount > 0 and c.old_id is null and coalesce(${newestHold(wish.visitId)} = 'expired', false)
        as is_late,
      c.placed_id is not null and c.old_id is null as is_stale
    from taken c left join debt on true`;
}

/** The same rule as dueAtOf in policy.ts, for the line's product as its lender has it now. */
const dueAt = sql`(
  select (business_date(clock.now) + (p.data -> 'due' ->> 'days')::int
      + (p.data -> 'due' ->> 'at')::time) at time zone 'Asia/Shanghai'
  from policy p
  where p.kind = 'lenderProduct' and p.name = c.lender and p.data ->> 'product' = c.product
    and p.valid_from <= clock.now
  order by p.valid_from desc, p.version desc limit 1)`;

const newestHold = (visitId: string) => sql`(
  select status from hold where visit_id = ${visitId} order by placed_at desc, id desc limit 1)`;
