// What an outage came to, and the list an insurance clerk wants: every visit that it made wait.
import { type SQL, sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import { formatYuan } from '../money.ts';
import type { RouteName } from './insurer.ts';

export interface OutageRow {
  id: string;
  route: RouteName;
  isPlanned: boolean;
  reason: string;
  startsAt: Date;
  detectedAt: Date | null;
  endsAt: Date | null;
}

export interface OutageView {
  id: string;
  route: RouteName;
  isPlanned: boolean;
  reason: string;
  startsAt: string;
  detectedAt: string | null;
  endsAt: string | null;
  /** From the first failure until the breaker opened; null for a planned window. */
  secondsToDetect: number | null;
}

export interface OutageReport {
  visits: number;
  money: string;
  minutesToDrain: number | null;
  refunds: number;
  refundedMoney: string;
  converted: number;
  rejected: number;
  cancelled: number;
  waiting: number;
}

export interface VisitOfOutage {
  settlementId: string;
  visitTime: Date;
  claimTime: Date | null;
  visitNumber: string;
  hospitalCode: string;
  status: string;
}

const round = (value: number) => Math.round(value * 10) / 10;

export function outageView(row: OutageRow): OutageView {
  const { id, route, isPlanned, reason, startsAt, detectedAt, endsAt } = row;
  const seconds = detectedAt && (detectedAt.getTime() - startsAt.getTime()) / 1000;
  return {
    id,
    route,
    isPlanned,
    reason,
    startsAt: startsAt.toISOString(),
    detectedAt: detectedAt?.toISOString() ?? null,
    endsAt: endsAt?.toISOString() ?? null,
    secondsToDetect: isPlanned || seconds === null ? null : round(seconds),
  };
}

interface Counts {
  visits: number;
  money: bigint;
  converted: number;
  rejected: number;
  cancelled: number;
  waiting: number;
  refunds: number;
  refunded: bigint;
  seconds: string | null;
}

/**
 * Counts settlements by what became of them last. `minutesToDrain`: from the end of the outage until
 * the last of them was resolved; null while any waits. `hospitalCode` limits it to one hospital.
 */
export async function reportOutage(
  db: Db,
  outage: Pick<OutageRow, 'id' | 'endsAt'>,
  hospitalCode: string | null,
): Promise<OutageReport> {
  const endsAt = outage.endsAt?.toISOString() ?? null;
  const [found] = await rows<Counts>(
    db,
    sql`
    with latest as (${latestConversions(outage.id, hospitalCode)}), back as (
      select count(*)::int as refunds, coalesce(sum(m.amount), 0)::bigint as refunded
      from money_back m join conversion c on c.id = m.cause_id
      where not m.is_reduction and ${ofOutage(outage.id, hospitalCode)}
    )
    select count(*)::int as visits, coalesce(sum(s.total), 0)::bigint as money,
      count(*) filter (where l.status = 'converted')::int as converted,
      count(*) filter (where l.status = 'rejected')::int as rejected,
      count(*) filter (where l.status = 'cancelled')::int as cancelled,
      count(*) filter (where l.status in ('queued','claiming','awaitingPatient'))::int as waiting,
      extract(epoch from max(l.resolved_at) - ${endsAt}::timestamptz)::text as seconds,
      (select refunds from back) as refunds, (select refunded from back) as refunded
    from latest l join settlement s on s.id = l.settlement_id`,
  );
  if (!found) throw new Error('an aggregate gave no row');
  const { visits, converted, rejected, cancelled, waiting, refunds, seconds } = found;
  const isDrained = waiting === 0 && endsAt !== null;
  return {
    visits,
    money: formatYuan(found.money),
    minutesToDrain: isDrained ? round(Math.max(0, Number(seconds ?? 0)) / 60) : null,
    refunds,
    refundedMoney: formatYuan(found.refunded),
    converted,
    rejected,
    cancelled,
    waiting,
  };
}

interface VisitRow {
  settlement_id: string;
  visit_time: string;
  claim_time: string | null;
  visit_number: string;
  hospital_code: string;
  status: string;
}

/** The visits of an outage in the order they were settled; `after` is a settlement id. */
export async function visitsOfOutage(
  db: Db,
  outageId: string,
  window: { hospitalCode: string | null; after: string | null; limit: number },
): Promise<VisitOfOutage[]> {
  const found = await rows<VisitRow>(
    db,
    sql`
    with latest as (${latestConversions(outageId, window.hospitalCode)})
    select l.settlement_id, v.started_at as visit_time, k.setl_time as claim_time,
      v.visit_number, l.hospital_code, l.status
    from latest l join settlement s on s.id = l.settlement_id
      join visit v on v.id = s.visit_id
      left join claim k on k.settlement_id = l.settlement_id and k.status = 'live'
    where ${window.after}::text is null or l.settlement_id > ${window.after}
    order by l.settlement_id limit ${window.limit}`,
  );
  return found.map((row) => ({
    settlementId: row.settlement_id,
    visitTime: new Date(row.visit_time),
    claimTime: row.claim_time ? new Date(row.claim_time) : null,
    visitNumber: row.visit_number,
    hospitalCode: row.hospital_code,
    status: row.status,
  }));
}

const ofOutage = (outageId: string, hospitalCode: string | null): SQL => sql`
  c.outage_id = ${outageId} and (${hospitalCode}::text is null or c.hospital_code = ${hospitalCode})`;

/** A settlement may have been tried again after a refusal: only its last conversion counts. */
const latestConversions = (outageId: string, hospitalCode: string | null): SQL => sql`
  select distinct on (c.settlement_id) c.settlement_id, c.hospital_code, c.status, c.resolved_at
  from conversion c where ${ofOutage(outageId, hospitalCode)}
  order by c.settlement_id, c.created_at desc, c.id desc`;
