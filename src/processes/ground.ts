// What is there once however many processes serve: the database with its schema, and in a sandbox the
// other parties and the demo city.
import { sql } from 'drizzle-orm';
import type { Parties } from '../app.ts';
import type { Environment } from '../config.ts';
import { openDatabase, rows } from '../db/db.ts';
import { startEmbedded } from '../db/embedded.ts';
import { migrateDatabase } from '../db/migrate.ts';
import { prepareSandbox, type Sandbox, seedSandbox } from '../sandbox/start.ts';
import { StartError, stopAtEnd } from './ending.ts';

/** All that a process needs to know beyond its environment; plain data, so that it can be sent. */
export interface Ground {
  port: number;
  parties: Parties;
  /** Null in production. */
  sandbox: Pick<Sandbox, 'parties' | 'links'> | null;
}

/** Starts, migrates and seeds; all of it is stopped at the end of this process. */
export async function prepareGround(env: Environment, port: number): Promise<Ground> {
  const [databaseUrl, sandbox] = await Promise.all([startDatabase(env), startSandbox(env)]);
  await checkDatabase(env, databaseUrl);
  const publicUrl = env.PUBLIC_URL ?? `http://127.0.0.1:${port}`;
  return {
    port,
    parties: { publicUrl, databaseUrl, ...partiesOf(env, sandbox) },
    sandbox: sandbox && { parties: sandbox.parties, links: sandbox.links },
  };
}

/** The migrated database's URL: the configured one, else our own server's. */
async function startDatabase(env: Environment): Promise<string> {
  const url = env.DATABASE_URL ?? (await startOwnDatabase(env));
  await migrateDatabase(env.DIRECT_DATABASE_URL ?? url, env.DATABASE_SCHEMA);
  return url;
}

async function startOwnDatabase(env: Environment): Promise<string> {
  const database = await startEmbedded({ dataDir: env.EGRET_DATA_DIR, durable: true });
  stopAtEnd('database', () => database.stop());
  return database.url;
}

async function startSandbox(env: Environment): Promise<Sandbox | null> {
  if (env.EGRET_MODE !== 'sandbox') return null;
  const sandbox = await prepareSandbox(env);
  stopAtEnd('sandbox', () => sandbox.stop());
  return sandbox;
}

/** Behind a pooler the role names the schema; with another one we would write another city's books. */
async function checkDatabase(env: Environment, url: string): Promise<void> {
  const db = openDatabase({
    url,
    schema: env.DATABASE_SCHEMA,
    poolSize: 1,
    usePrepared: env.DATABASE_PREPARED === 'on',
    isPooled: env.DIRECT_DATABASE_URL !== undefined,
  });
  try {
    const [row] = await rows<{ schema: string | null }>(db, sql`select current_schema() as schema`);
    if (row?.schema !== env.DATABASE_SCHEMA) {
      throw new StartError(
        `DATABASE_SCHEMA is ${env.DATABASE_SCHEMA}, but this role's is ${row?.schema}: ` +
          `alter role … set search_path = ${env.DATABASE_SCHEMA}`,
      );
    }
    if (env.EGRET_MODE === 'sandbox') await seedSandbox(db);
  } finally {
    await db.$client.end({ timeout: 5 });
  }
}

/** Production names every party in the environment; readEnvironment made sure. */
function partiesOf(
  env: Environment,
  sandbox: Sandbox | null,
): Omit<Parties, 'publicUrl' | 'databaseUrl'> {
  if (sandbox) return sandbox.parties;
  return {
    dataKeys: env.DATA_KEYS ?? '',
    indexKey: env.INDEX_KEY ?? '',
    insurance: {
      url: env.INSURANCE_URL ?? '',
      accessKey: env.INSURANCE_ACCESS_KEY ?? '',
      secretKey: env.INSURANCE_SECRET_KEY ?? '',
    },
    lender: { url: env.LENDER_URL ?? '', apiKey: env.LENDER_API_KEY ?? '' },
    score: { url: env.SCORE_URL ?? '', apiKey: env.SCORE_API_KEY ?? '' },
    kinship: env.KINSHIP_URL ? { url: env.KINSHIP_URL, apiKey: env.KINSHIP_API_KEY ?? '' } : null,
  };
}
