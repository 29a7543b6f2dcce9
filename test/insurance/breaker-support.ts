// Routes, conversions and messages that the breaker's tests share; on real PostgreSQL.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../../src/db/db.ts';
import type { Infno, Message, RouteName } from '../../src/insurance/insurer.ts';

const hospital = { code: 'H35020000001', name: '示范市第一医院', region: '350200' };
const operator = { id: 'op1', name: '张三' };
let number = 0;

/** A message of a route; its input is empty, so the insurer refuses it in words. */
export function messageOf(infno: Infno, options: { trialToken?: string; route?: RouteName } = {}) {
  number += 1;
  const msgid = `${hospital.code}20260102103000${String(number).padStart(4, '0')}`;
  const message: Message = {
    infno,
    msgid,
    hospital,
    insuredRegion: options.route === 'crossRegion' ? '110000' : '350200',
    operator,
    input: { data: {} },
    ...(options.trialToken ? { trialToken: options.trialToken } : {}),
  };
  return message;
}

/** Both routes as if nothing had ever happened. */
export async function forgetRoutes(db: Db): Promise<void> {
  await db.execute(sql`
    update insurance_route set status = 'online', since = business_now(), reason = null,
      outage_id = null, failures = 0, first_failure_at = null, trial_at = null,
      trial_token = null, trial_until = null`);
  for (const table of ['outage', 'event', 'conversion', 'claim', 'settlement'])
    await db.execute(sql.raw(`delete from ${table}`));
}

export interface RawRoute {
  status: string;
  outage_id: string | null;
  failures: number;
  trial_token: string | null;
}

export async function rawRoute(db: Db, route: RouteName = 'local'): Promise<RawRoute> {
  const [row] = await rows<RawRoute>(
    db,
    sql`select status, outage_id, failures, trial_token from insurance_route where route = ${route}`,
  );
  if (!row) throw new Error(`no row ${route}`);
  return row;
}

/** The next trial of a route was due this long ago. */
export async function makeTrialDue(db: Db, seconds = 1, route: RouteName = 'local') {
  await db.execute(sql`
    update insurance_route
    set trial_at = clock_timestamp() - ${seconds}::integer * interval '1 second'
    where route = ${route}`);
}

/** Events of the breaker, oldest first. */
export function tidings(db: Db): Promise<{ type: string; route: string; outage: string }[]> {
  return rows(
    db,
    sql`
    select type, data ->> 'route' as route, data ->> 'outageId' as outage from event
    where type in ('insurance.offline', 'insurance.recovered') and hospital_code is null
    order by id`,
  );
}

export interface FakeConversion {
  status?: string;
  route?: RouteName;
  cause?: string;
  outageId?: string | null;
  hospitalCode?: string;
  /** Seconds from now, negative before. */
  createdIn?: number;
  resolvedIn?: number | null;
  /** Fen. */
  total?: number;
  settlementId?: string;
}

/** A conversion with its settlement and visit, straight into the tables; returns the settlement's id. */
export async function addConversion(db: Db, options: FakeConversion = {}): Promise<string> {
  number += 1;
  const code = options.hospitalCode ?? hospital.code;
  const settlementId = options.settlementId ?? `set_01jd5z8m2cf0v9k3q7w4x6${digits(number)}`;
  const visitId = `vis_${number}`;
  if (!options.settlementId) {
    await db.execute(sql`
      insert into visit (id, hospital_code, visit_number, kind, status, business_date, started_at,
        insured, use_personal_account, use_family_account, opened_at)
      values (${visitId}, ${code}, ${`N${number}`}, 'outpatient', 'settled', current_date,
        '2026-01-02T02:30:00Z', '{}', false, false, now())`);
    await db.execute(sql`
      insert into settlement (id, visit_id, hospital_code, status, insurance_status, total,
        due_at_counter, unused, refundable, settled_at, recorded_at, business_date)
      values (${settlementId}, ${visitId}, ${code}, 'settled', 'awaitingInsurance',
        ${options.total ?? 100}, 0, '[]', 1, now(), now(), current_date)`);
  }
  const inSeconds = (seconds: number) =>
    sql`business_now() + ${seconds}::integer * interval '1 second'`;
  const resolved = options.resolvedIn;
  await db.execute(sql`
    insert into conversion (id, settlement_id, hospital_code, route, cause, status, outage_id,
      attempts, before, next_attempt_at, created_at, resolved_at)
    values (${`cnv_${number}`}, ${settlementId}, ${code}, ${options.route ?? 'local'},
      ${options.cause ?? 'insurerOffline'}, ${options.status ?? 'queued'}, ${options.outageId ?? null},
      '[]', '[]', now(), ${inSeconds(options.createdIn ?? 0)},
      ${resolved === undefined || resolved === null ? sql`null` : inSeconds(resolved)})`);
  return settlementId;
}

const digits = (n: number) => String(n).padStart(4, '0');
