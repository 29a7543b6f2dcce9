// The operator's commands: `verify`, `migrate [--schema=x]`, `rotate-keys`. Without DATABASE_URL they
// use the embedded database, joining a running service or starting it for the moment.
import { parseArgs } from 'node:util';
import { ConfigError, type Environment, readEnvironment } from './config.ts';
import { type Db, openDatabase } from './db/db.ts';
import { startEmbedded } from './db/embedded.ts';
import { migrateDatabase } from './db/migrate.ts';
import { makeKeyring } from './identity/keyring.ts';
import { rotateKeys } from './identity/rotate-keys.ts';
import { verifyBooks } from './ledger/verify.ts';
import { sandboxSecrets } from './sandbox/secrets.ts';

interface Context {
  env: Environment;
  url: string;
  schema: string;
}

class UsageError extends Error {}

const commands: Record<string, (context: Context) => Promise<number>> = {
  verify: (context) => withDatabase(context, verify),
  migrate,
  'rotate-keys': (context) => withDatabase(context, (db) => rotate(db, context.env)),
};

async function verify(db: Db): Promise<number> {
  const { holds, laws } = await verifyBooks(db);
  for (const { law, holds: isKept, checked, detail } of laws) {
    console.log(
      `${isKept ? 'holds ' : 'BROKEN'}  ${law}  (${checked} checked)${detail ? `: ${detail}` : ''}`,
    );
  }
  const kept = laws.filter((law) => law.holds).length;
  console.log(`${kept} of ${laws.length} laws hold`);
  return holds ? 0 : 1;
}

async function migrate({ env, url, schema }: Context): Promise<number> {
  await migrateDatabase(env.DIRECT_DATABASE_URL ?? url, schema);
  console.log(`schema ${schema} is up to date`);
  return 0;
}

async function rotate(db: Db, env: Environment): Promise<number> {
  const isSandbox = env.EGRET_MODE === 'sandbox';
  const secrets = isSandbox ? sandboxSecrets(env.EGRET_DATA_DIR) : null;
  const dataKeys = env.DATA_KEYS ?? secrets?.dataKeys ?? '';
  const keyring = makeKeyring(dataKeys, env.INDEX_KEY ?? secrets?.indexKey ?? '');
  const { resealed, looked } = await rotateKeys(db, keyring);
  console.log(`${resealed} values sealed anew, ${looked} rows looked at`);
  return 0;
}

async function withDatabase(
  { env, url, schema }: Context,
  work: (db: Db) => Promise<number>,
): Promise<number> {
  const usePrepared = env.DATABASE_PREPARED === 'on';
  const db = openDatabase({ url, schema, poolSize: 2, usePrepared });
  try {
    return await work(db);
  } finally {
    await db.$client.end({ timeout: 5 });
  }
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { schema: { type: 'string' } },
  });
  const command = commands[positionals[0] ?? ''];
  if (!command) throw new UsageError(`commands: ${Object.keys(commands).join(', ')}`);
  const env = readEnvironment({
    ...process.env,
    ...(values.schema ? { DATABASE_SCHEMA: values.schema } : {}),
  });
  const schema = env.DATABASE_SCHEMA;
  if (env.DATABASE_URL) return command({ env, url: env.DATABASE_URL, schema });
  const database = await startEmbedded({ dataDir: env.EGRET_DATA_DIR, durable: true });
  try {
    if (positionals[0] !== 'migrate') await migrateDatabase(database.url, schema);
    return await command({ env, url: database.url, schema });
  } finally {
    await database.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const isExpected = error instanceof ConfigError || error instanceof UsageError;
    console.error(isExpected ? error.message : error);
    process.exit(1);
  },
);
