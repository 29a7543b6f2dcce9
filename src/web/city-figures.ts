// The city's figures in three statements over the tables, and how long an answer may be repeated: the
// dearer it is to compute, the longer, so that a busy page never costs more than a twentieth of a core.
import { sql } from 'drizzle-orm';
import { type Db, rows } from '../db/db.ts';
import { type Fen, formatYuan } from '../money.ts';

/** Below this a figure is computed for everybody who asks. */
const CHEAP_MS = 250;
const KEEP_FACTOR = 20;
const KEEP_AT_MOST_MS = 60_000;
/** Seconds at the counter are told of the last month: what a new terminal changed must be seen. */
const COUNTER_DAYS = 30;

interface Totals {
  now: string;
  hospitals: number;
  enrolled: number;
  granted: Fen;
  held: Fen;
  owed: Fen;
  payers: number;
  links: number;
  visits: number;
}
interface Settled {
  settlements: number;
  settled: Fen;
  awaiting: number;
  due: Fen;
  p50: number | null;
  p99: number | null;
  timed: number;
}
interface Sources {
  fund: Fen;
  accounts: Fen;
  borne: Fen;
  credit: Fen;
  sponsors: Fen;
  self: Fen;
}
interface Outages {
  count: number;
  minutes: number;
  bridged: number;
  converted: number;
}

const kept = new WeakMap<Db, { figures: Awaited<ReturnType<typeof compute>>; untilMs: number }>();

/** The figures as the contract shows them, at most a minute old. */
export async function cityFigures(db: Db) {
  const before = kept.get(db);
  if (before && performance.now() < before.untilMs) return before.figures;
  const startedMs = performance.now();
  const figures = await compute(db);
  const tookMs = performance.now() - startedMs;
  const keepMs = tookMs < CHEAP_MS ? 0 : Math.min(tookMs * KEEP_FACTOR, KEEP_AT_MOST_MS);
  kept.set(db, { figures, untilMs: performance.now() + keepMs });
  return figures;
}

async function compute(db: Db) {
  const [totals, settled, sources, outages] = await Promise.all([
    readTotals(db),
    readSettled(db),
    readSources(db),
    readOutages(db),
  ]);
  const seconds = (ms: number | null) => (ms === null ? null : Math.round(ms / 100) / 10);
  return {
    asOf: new Date(totals.now).toISOString(),
    hospitals: totals.hospitals,
    enrolled: totals.enrolled,
    creditGranted: formatYuan(totals.granted),
    creditHeld: formatYuan(totals.held),
    creditOwed: formatYuan(totals.owed),
    families: { payers: totals.payers, links: totals.links },
    visits: totals.visits,
    settlements: settled.settlements,
    settledTotal: formatYuan(settled.settled),
    awaitingInsurance: settled.awaiting,
    fees: {
      insuranceFund: formatYuan(sources.fund),
      insuranceAccounts: formatYuan(sources.accounts),
      hospitalBorne: formatYuan(sources.borne),
      credit: formatYuan(sources.credit),
      selfPaid: formatYuan(sources.self),
      sponsors: formatYuan(sources.sponsors),
      dueAtCounter: formatYuan(settled.due),
    },
    counterSeconds: {
      settlements: settled.timed,
      p50: seconds(settled.p50),
      p99: seconds(settled.p99),
    },
    outages: {
      count: outages.count,
      minutes: outages.minutes,
      settlements: outages.bridged,
      converted: outages.converted,
    },
  };
}

async function readTotals(db: Db): Promise<Totals> {
  return one(
    await rows<Totals>(
      db,
      sql`
      select business_now() as now, (select count(*)::int from hospital) as hospitals,
        l.*, f.*, (select count(*)::int from visit where status <> 'cancelled') as visits
      from (
        select count(*)::int as enrolled, coalesce(sum("limit"), 0)::bigint as granted,
          coalesce(sum(held), 0)::bigint as held, coalesce(sum(outstanding), 0)::bigint as owed
        from credit_line where status <> 'closed') l,
        (select count(distinct payer_citizen_id)::int as payers, count(*)::int as links
         from family_link where status = 'active') f`,
    ),
  );
}

async function readSettled(db: Db): Promise<Settled> {
  return one(
    await rows<Settled>(
      db,
      sql`
      select a.*, t.* from (
        select count(*)::int as settlements, coalesce(sum(total), 0)::bigint as settled,
          (count(*) filter (where insurance_status = 'awaitingInsurance'))::int as awaiting,
          coalesce(sum(due_at_counter), 0)::bigint as due
        from settlement) a,
        (select count(counter_ms)::int as timed,
          percentile_disc(0.5) within group (order by counter_ms) as p50,
          percentile_disc(0.99) within group (order by counter_ms) as p99
        from settlement where counter_ms is not null
          and business_date > business_date(business_now()) - ${COUNTER_DAYS}::int) t`,
    ),
  );
}

/** Tenders as settled or converted; with what is due at the counter they sum to what was settled. */
async function readSources(db: Db): Promise<Sources> {
  const of = (kinds: string) =>
    sql`coalesce(sum(amount) filter (where kind in (${sql.raw(kinds)})), 0)::bigint`;
  return one(
    await rows<Sources>(
      db,
      sql`
      select ${of("'insuranceFund'")} as fund, ${of("'hospitalBorne'")} as borne,
        ${of("'personalAccount','familyAccount'")} as accounts, ${of("'credit'")} as credit,
        ${of("'commercialInsurance','subsidy'")} as sponsors,
        coalesce(sum(amount) filter (where kind not in ('insuranceFund', 'hospitalBorne',
          'personalAccount', 'familyAccount', 'credit', 'commercialInsurance', 'subsidy')), 0)::bigint
          as self
      from tender`,
    ),
  );
}

/** An outage that goes on counts until now, a planned window from when it begins. */
async function readOutages(db: Db): Promise<Outages> {
  return one(
    await rows<Outages>(
      db,
      sql`
      select o.*, c.* from (
        select count(*)::int as count, coalesce(round(sum(extract(epoch from
          least(coalesce(ends_at, clock_timestamp()), clock_timestamp()) - starts_at)) / 60), 0)::int
          as minutes
        from outage where starts_at <= clock_timestamp()) o,
        (select count(*)::int as bridged, (count(*) filter (where status = 'converted'))::int as converted
         from conversion where cause in ('insurerOffline', 'insurerUnknown')) c`,
    ),
  );
}

function one<T>(found: T[]): T {
  const [row] = found;
  if (!row) throw new Error('a select of aggregates gives one row');
  return row;
}
