// The city around a service that is killed: its database, the insurer and the banks live on (or are
// killed by themselves), their own books can be read, and what waits for time need not wait.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type postgres from 'postgres';
import { readEnvironment } from '../../src/config.ts';
import { connect } from '../../src/db/connect.ts';
import { openDataFolder, runningPostmaster } from '../../src/db/data-folder.ts';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.ts';
import { type InsurerControl, insurerControl } from '../../src/sandbox/insurer/control-client.ts';
import { sandboxSecrets } from '../../src/sandbox/secrets.ts';
import { prepareSandbox, type Sandbox } from '../../src/sandbox/start.ts';
import { waitFor } from '../support/wait-for.ts';
import { KillableService } from './crash-service.ts';

export interface Transfer {
  kind: 'debit' | 'credit';
  serial: string;
  amount: string;
  status: 'paid' | 'declined';
}

type Row = Record<string, string | null>;

/** Work that is not finished, by what it is. */
export type Waiting = Record<
  'conversions' | 'runs' | 'jobs' | 'refunds' | 'repayments' | 'moneyBack',
  number
>;

export class CrashCity {
  readonly service: KillableService;
  readonly insurer: InsurerControl;
  readonly #dataDir: string;
  readonly #database: EmbeddedDatabase;
  readonly #sandbox: Sandbox;
  readonly #sql: postgres.Sql;
  #hurriedAt = 0;
  #hurrying: Promise<void> = Promise.resolve();

  private constructor(dataDir: string, database: EmbeddedDatabase, sandbox: Sandbox) {
    this.#dataDir = dataDir;
    this.#database = database;
    this.#sandbox = sandbox;
    this.#sql = connect(database.url, { max: 2 });
    this.insurer = insurerControl(sandbox.links.insurerControlUrl ?? '');
    this.service = new KillableService({ EGRET_DATA_DIR: dataDir, DATABASE_URL: database.url });
  }

  /** A new city on a new folder, its service up. The database is durable, as in production. */
  static async found(): Promise<CrashCity> {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'egret-crash-'));
    chmodSync(dataDir, 0o755);
    const env = readEnvironment({ EGRET_MODE: 'sandbox', EGRET_DATA_DIR: dataDir });
    const [database, sandbox] = await Promise.all([
      startEmbedded({ dataDir, durable: true }),
      prepareSandbox(env),
    ]);
    const city = new CrashCity(dataDir, database, sandbox);
    await city.service.start();
    return city;
  }

  async end(): Promise<void> {
    await this.service.end();
    await this.#sql.end({ timeout: 1 });
    await this.#sandbox.stop();
    await this.#database.stop();
    const { home } = openDataFolder(this.#dataDir);
    for (const dir of [home, this.#dataDir]) rmSync(dir, { recursive: true, force: true });
  }

  /** `kill -9` of the database server; resolves when it was started again and takes connections. */
  async killDatabase(): Promise<void> {
    const folder = openDataFolder(this.#dataDir);
    const killed = runningPostmaster(folder);
    if (!killed) throw new Error('no database runs here');
    process.kill(killed.pid, 'SIGKILL');
    await waitFor(
      async () => {
        const now = runningPostmaster(folder);
        if (!now?.isReady || now.pid === killed.pid) return false;
        // The pool may still hold connections to the server that was killed.
        return this.ask('select 1').catch(() => null);
      },
      { timeoutMs: 60_000, what: 'the database to be started again' },
    );
  }

  /** Looks at (or mends the clock of) the service's own tables. */
  async ask<T extends object = Row>(statement: string, values: string[] = []): Promise<T[]> {
    return [...(await this.#sql.unsafe<T[]>(statement, values))];
  }

  /** What goes wrong at the banks and refund channels from now on. */
  async bankFault(mode: string, on?: readonly string[]): Promise<void> {
    await this.#askBanks('PUT', '/faults', { mode, ...(on ? { on } : {}) });
  }

  /** A lender's own books; refund channels are "channel:<kind>". */
  async transfers(lender: string): Promise<Transfer[]> {
    const { data } = await this.#askBanks('GET', `/lenders/${encodeURIComponent(lender)}/books`);
    return data;
  }

  async #askBanks(method: string, target: string, body?: unknown): Promise<{ data: Transfer[] }> {
    const reply = await fetch(this.#sandbox.links.counterpartiesUrl + target, {
      method,
      headers: { authorization: `Bearer ${sandboxSecrets(this.#dataDir).counterpartiesKey}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!reply.ok) throw new Error(`${method} ${target}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as { data: Transfer[] };
  }

  /** After a kill: leases of the dead and all waiting times run out, as if time had passed. */
  async letLeasesRunOut(): Promise<void> {
    await this.ask(`update intent set lease_until = ${PAST} where status = 'running'`);
    await this.ask(`update idempotency_key set lease_until = ${PAST} where status is null`);
    await this.ask(`update job set next_attempt_at = ${PAST} where done_at is null`);
    await this.ask(`update repayment set created_at = ${LONG_AGO} where status = 'processing'`);
    await this.ask(
      `update insurance_route set trial_until = ${PAST} where trial_token is not null`,
    );
    await this.#letWaitingEnd();
  }

  /**
   * While the service lives: what is put off for later is due now. Leases of living work stay: they
   * are longer (conversions), shorter (counter) or other (jobs: 40 to 60 s) than what is put off. Many
   * may ask at once.
   */
  hurry(): Promise<void> {
    const isFresh = performance.now() - this.#hurriedAt < HURRY_MS;
    if (!isFresh) {
      this.#hurriedAt = performance.now();
      this.#hurrying = this.#letPutOffEnd();
    }
    return this.#hurrying;
  }

  async #letPutOffEnd(): Promise<void> {
    await this.ask(`update intent set lease_until = ${PAST} where status = 'running'
      and lease_until between ${inSeconds(10.5)} and ${inSeconds(30.5)}`);
    await this.ask(`update job set next_attempt_at = ${PAST} where done_at is null
      and (next_attempt_at < ${inSeconds(35)} or next_attempt_at > ${inSeconds(60.5)})`);
    await this.#letWaitingEnd();
  }

  async #letWaitingEnd(): Promise<void> {
    await this.ask(`update conversion set next_attempt_at = ${PAST} where status = 'queued'`);
    await this.ask(`update repayment set created_at = ${LONG_AGO} where status = 'unknown'`);
    await this.ask(`update insurance_route set trial_at = ${PAST} where status = 'offline'`);
  }

  async isRouteOpen(): Promise<boolean> {
    const open = await this.ask(`select 1 from insurance_route where status = 'offline'`);
    return open.length > 0;
  }

  /** What is still to be done; all zero: the service has come to its end. */
  async waiting(): Promise<Waiting> {
    const [row] = await this.ask<Waiting>(`select
      (select count(*) from conversion where status in ('queued', 'claiming'))::int as conversions,
      (select count(*) from intent where status = 'running')::int as runs,
      (select count(*) from job where done_at is null)::int as jobs,
      (select count(*) from refund where status = 'processing')::int as refunds,
      (select count(*) from repayment where status in ('processing', 'unknown'))::int as repayments,
      (select count(*) from money_back where status in ('pending', 'sent'))::int as "moneyBack"`);
    if (!row) throw new Error('a row of counts');
    return row;
  }

  async isAtWork(): Promise<boolean> {
    return Object.values(await this.waiting()).some((count) => count > 0);
  }

  /** Waits until nothing is under way any more. */
  async drain(): Promise<void> {
    let last: Waiting | null = null;
    await waitFor(
      async () => {
        last = await this.waiting();
        if (Object.values(last).every((count) => count === 0)) return true;
        await this.hurry();
        return false;
      },
      { timeoutMs: 90_000, what: 'the end of all work' },
    ).catch((error: unknown) => {
      throw new Error(`${error}: ${JSON.stringify(last)}\n${this.service.complaints}`);
    });
  }
}

/** Often enough for a test, seldom enough not to keep the database busy with it. */
const HURRY_MS = 200;
const PAST = `clock_timestamp() - interval '1 second'`;
const LONG_AGO = `clock_timestamp() - interval '1 minute'`;
const inSeconds = (seconds: number) => `clock_timestamp() + interval '${seconds} seconds'`;
