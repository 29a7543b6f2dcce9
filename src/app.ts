// Builds what the process is made of: one Deps object, and one Express application over all routes.
import { sql } from 'drizzle-orm';
import type { Express } from 'express';
import { businessDayRoutes } from './business-day/routes.ts';
import { cityRoutes } from './city/routes.ts';
import type { Environment } from './config.ts';
import { conversionRoutes } from './conversion/routes.ts';
import { makeHttpLenderBank } from './credit/http-lender-bank.ts';
import { makeHttpScoreProvider } from './credit/http-score-provider.ts';
import { creditRoutes } from './credit/routes.ts';
import { type Db, openDatabase, rows } from './db/db.ts';
import { surviveLostWrites } from './db/survive-lost-writes.ts';
import type { Deps } from './deps.ts';
import { makeHttpKinshipRegistry } from './family/http-kinship-registry.ts';
import { familyRoutes } from './family/routes.ts';
import { financeRoutes } from './finance/routes.ts';
import { makeLogger } from './http/logging.ts';
import { type Metrics, makeMetrics } from './http/metrics.ts';
import type { Route } from './http/route.ts';
import { buildServer } from './http/server.ts';
import { authenticate } from './identity/authenticate.ts';
import { makeKeyring } from './identity/keyring.ts';
import { oauthRouter } from './identity/oauth-router.ts';
import { identityRoutes } from './identity/routes.ts';
import { inpatientRoutes } from './inpatient/routes.ts';
import { makeBreaker } from './insurance/breaker.ts';
import { makeGuardedInsurer } from './insurance/guarded-insurer.ts';
import { makeNhsaInsurer } from './insurance/nhsa-client.ts';
import { insuranceRoutes } from './insurance/routes.ts';
import { makeTextMeanings } from './insurance/text-meanings.ts';
import { countUnlistedText } from './insurance/unlisted-texts.ts';
import { ledgerRoutes } from './ledger/routes.ts';
import { lenderRoutes } from './lender/routes.ts';
import { outboxRoutes } from './outbox/routes.ts';
import { makeHttpPayoutBank } from './payout/http-payout-bank.ts';
import { payoutRoutes } from './payout/routes.ts';
import { phoneRoutes } from './phone/routes.ts';
import { reconciliationRoutes } from './reconciliation/routes.ts';
import { repaymentRoutes } from './repayment/routes.ts';
import { sandboxRouter, sandboxRoutes } from './sandbox/routes.ts';
import { makeHttpRefundChannel } from './settlement/http-refund-channel.ts';
import { settlementRoutes } from './settlement/routes.ts';
import { shiftRoutes } from './shift/routes.ts';
import { confirmationRoutes } from './visit/confirmation-routes.ts';
import { visitRoutes } from './visit/routes.ts';
import { statisticsRoute } from './web/statistics.ts';

/** What the environment alone does not say: the sandbox makes its own where nothing is set. */
export interface Parties {
  publicUrl: string;
  databaseUrl: string;
  dataKeys: string;
  indexKey: string;
  insurance: { url: string; accessKey: string; secretKey: string };
  lender: { url: string; apiKey: string };
  score: { url: string; apiKey: string };
  /** Null: the city has no registry of kinship. */
  kinship: { url: string; apiKey: string } | null;
}

/** How /sandbox/* reaches the other parties' controls. */
export interface SandboxLinks {
  insurerControlUrl: string | null;
  counterpartiesUrl: string;
}

const routes: readonly Route[] = [
  ...visitRoutes,
  ...confirmationRoutes,
  ...inpatientRoutes,
  ...settlementRoutes,
  ...shiftRoutes,
  ...identityRoutes,
  ...creditRoutes,
  ...phoneRoutes,
  ...familyRoutes,
  ...repaymentRoutes,
  ...lenderRoutes,
  ...conversionRoutes,
  ...financeRoutes,
  ...insuranceRoutes,
  ...ledgerRoutes,
  ...payoutRoutes,
  ...businessDayRoutes,
  ...reconciliationRoutes,
  ...cityRoutes,
  ...outboxRoutes,
  statisticsRoute,
];

/** Opens the pool and the clients; nothing is asked of them yet. */
export async function buildDeps(env: Environment, parties: Parties): Promise<Deps> {
  const log = makeLogger(env.LOG_LEVEL);
  const metrics = makeMetrics();
  const realNow = () => new Date();
  surviveLostWrites(log);
  const open = (url: string) =>
    openDatabase({
      url,
      schema: env.DATABASE_SCHEMA,
      poolSize: env.DATABASE_POOL_SIZE,
      usePrepared: env.DATABASE_PREPARED === 'on',
      isPooled: env.DIRECT_DATABASE_URL !== undefined,
    });
  const db = open(parties.databaseUrl);
  watchDatabase(metrics, db);
  const insurer = makeNhsaInsurer({
    ...parties.insurance,
    log,
    realNow,
    metrics,
    meanings: makeTextMeanings(db, log),
    onUnlisted: (region, infno, text) => {
      countUnlistedText(db, { region, infno, text }).catch((err) =>
        log.warn({ err }, 'an unlisted text was not counted'),
      );
    },
  });
  const breaker = makeBreaker({ db, insurer, env, log, metrics, realNow });
  return {
    env,
    publicUrl: parties.publicUrl,
    db,
    reportDb: env.REPORT_DATABASE_URL ? open(env.REPORT_DATABASE_URL) : db,
    log,
    keyring: makeKeyring(parties.dataKeys, parties.indexKey),
    insurer: makeGuardedInsurer(insurer, breaker, log),
    breaker,
    lenders: makeHttpLenderBank(parties.lender),
    payoutBank: makeHttpPayoutBank(parties.lender),
    scores: makeHttpScoreProvider(parties.score),
    kinship: makeHttpKinshipRegistry(parties.kinship),
    channels: makeHttpRefundChannel(parties.lender),
    metrics,
    realNow,
  };
}

/** Ends the pools of the process. */
export async function closeDeps({ db, reportDb }: Pick<Deps, 'db' | 'reportDb'>): Promise<void> {
  const pools = new Set([db.$client, reportDb.$client]);
  await Promise.all([...pools].map((pool) => pool.end({ timeout: 5 })));
}

/** The application; /sandbox/* exists only in sandbox mode and when its links are given. */
export function createApp(deps: Deps, sandbox?: SandboxLinks): Express {
  const links = deps.env.EGRET_MODE === 'sandbox' ? sandbox : undefined;
  return buildServer(deps, {
    routes,
    authenticate,
    routers: [oauthRouter(deps), ...(links ? [sandboxRouter(deps, links)] : [])],
    documented: links ? sandboxRoutes(links) : [],
  });
}

/** Read when scraped, so that the hot path pays nothing. */
function watchDatabase(metrics: Metrics, db: Db): void {
  const watch = (name: string, help: string, statement: ReturnType<typeof sql>) =>
    metrics.watch(name, help, async () => {
      const [row] = await rows<{ value: number }>(db, statement);
      return row?.value ?? null;
    });
  watch(
    'egret_database_connections',
    'Connections of our user to our database',
    sql`
    select count(*)::int as value from pg_stat_activity
    where datname = current_database() and usename = current_user`,
  );
  watch(
    'egret_jobs_due',
    'Background jobs that are due',
    sql`
    select count(*)::int as value from job
    where done_at is null and next_attempt_at <= clock_timestamp()`,
  );
  watch(
    'egret_conversions_waiting',
    'Settlements that wait for the insurer',
    sql`
    select count(*)::int as value from conversion
    where status in ('queued','claiming','awaitingPatient')`,
  );
}
