// One validated object for all settings. A wrong value stops the start and is named.
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/, error: 'expects an http or https URL' });
const databaseUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'expects a postgres URL' });
const count = (fallback: number) => z.coerce.number().int().min(1).default(fallback);

/** Encryption keys by id: "k1:BASE64,k2:BASE64", 32 bytes each; the last one encrypts. */
const dataKeys = z
  .string()
  .regex(/^[\w-]{1,16}:[A-Za-z0-9+/]{43}=(,[\w-]{1,16}:[A-Za-z0-9+/]{43}=)*$/);

const environment = z.object({
  EGRET_MODE: z.enum(['sandbox', 'production']),
  PORT: port.default(8080),
  HOST: z.string().default('0.0.0.0'),
  /** Processes that serve the API beside one for the jobs; 0: one process with everything. */
  WORKERS: z.coerce.number().int().min(0).max(64).default(0),
  /** How the outside reaches us: issuer of our tokens. Default: http://127.0.0.1:PORT. */
  PUBLIC_URL: url.optional(),
  DATABASE_URL: databaseUrl.optional(),
  DIRECT_DATABASE_URL: databaseUrl.optional(),
  /** A replica for the reads that may be a second old; default: the database. */
  REPORT_DATABASE_URL: databaseUrl.optional(),
  DATABASE_SCHEMA: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/)
    .default('public'),
  /** Of each process. Each connection keeps plans and caches of its own: more make all of them slower. */
  DATABASE_POOL_SIZE: count(6),
  DATABASE_PREPARED: z.enum(['on', 'off']).default('on'),
  EGRET_DATA_DIR: z.string().min(1).default('.data'),
  DATA_KEYS: dataKeys.optional(),
  /** Secret of the blind index over ID numbers; never rotated. Base64, 32 bytes. */
  INDEX_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/]{43}=$/)
    .optional(),
  INSURANCE_URL: url.optional(),
  INSURANCE_ACCESS_KEY: z.string().min(1).optional(),
  INSURANCE_SECRET_KEY: z.string().min(1).optional(),
  INSURANCE_QUIET_MS: count(15_000),
  SANDBOX_INSURER_PORT: port.default(0),
  LENDER_URL: url.optional(),
  LENDER_API_KEY: z.string().min(1).optional(),
  SCORE_URL: url.optional(),
  SCORE_API_KEY: z.string().min(1).optional(),
  /** Civil affairs' kinship registry; a city without one checks papers instead. */
  KINSHIP_URL: url.optional(),
  KINSHIP_API_KEY: z.string().min(1).optional(),
  CITIZEN_ISSUER: url.optional(),
  STAFF_ISSUER: url.optional(),
  TOKEN_AUDIENCE: z.string().min(1).default('egret'),
  METRICS_TOKEN: z.string().min(16).optional(),
  RATE_LIMIT_PER_SECOND: count(500),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
});

export type Environment = z.infer<typeof environment>;

const requiredInProduction = [
  'PUBLIC_URL',
  'DATABASE_URL',
  'DATA_KEYS',
  'INDEX_KEY',
  'INSURANCE_URL',
  'INSURANCE_ACCESS_KEY',
  'INSURANCE_SECRET_KEY',
  'LENDER_URL',
  'LENDER_API_KEY',
  'SCORE_URL',
  'SCORE_API_KEY',
  'CITIZEN_ISSUER',
  'STAFF_ISSUER',
  'METRICS_TOKEN',
] as const;

/** What is optional needs its secret once it is there. */
function requiredIn(env: Environment): (keyof Environment)[] {
  return [...requiredInProduction, ...(env.KINSHIP_URL ? (['KINSHIP_API_KEY'] as const) : [])];
}

export class ConfigError extends Error {}

/** The embedded database takes 300, some of them kept for its owner and for commands. */
const EMBEDDED_CONNECTIONS = 280;

/** Names what would only fail later, when all processes are busy at once. */
function overfull({ DATABASE_URL, DATABASE_POOL_SIZE, WORKERS }: Environment): string | null {
  const wanted = (WORKERS + 1) * DATABASE_POOL_SIZE;
  if (DATABASE_URL !== undefined || wanted <= EMBEDDED_CONNECTIONS) return null;
  return `DATABASE_POOL_SIZE: ${WORKERS + 1} processes with ${DATABASE_POOL_SIZE} connections each are more than the embedded database takes (${EMBEDDED_CONNECTIONS})`;
}

/** Reads and checks the environment. Throws ConfigError that names every wrong setting. */
export function readEnvironment(env: NodeJS.ProcessEnv): Environment {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(present);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`);
    throw new ConfigError(`wrong settings:\n  ${wrong.join('\n  ')}`);
  }
  const tooMany = overfull(parsed.data);
  if (tooMany) throw new ConfigError(`wrong settings:\n  ${tooMany}`);
  if (parsed.data.EGRET_MODE === 'production') {
    const missing = requiredIn(parsed.data).filter((name) => parsed.data[name] === undefined);
    if (missing.length > 0) throw new ConfigError(`missing in production: ${missing.join(', ')}`);
    const weak = weakSecrets(parsed.data);
    if (weak.length > 0) throw new ConfigError(`too weak for production: ${weak.join(', ')}`);
  }
  return parsed.data;
}

const secrets = [
  'INSURANCE_SECRET_KEY',
  'LENDER_API_KEY',
  'SCORE_API_KEY',
  'KINSHIP_API_KEY',
  'METRICS_TOKEN',
  'INDEX_KEY',
  'DATA_KEYS',
] as const;
/** All zeros and the like: no random secret has so few different characters. */
const LEAST_VARIETY = 3;
const GUESSABLE = new Set([
  'sandbox',
  'secret',
  'changeme',
  'password',
  'default',
  'egret',
  'test',
]);

/** Names the secrets that anybody would guess first. */
function weakSecrets(env: Environment): string[] {
  const isWeak = (value: string) =>
    new Set(value).size < LEAST_VARIETY || GUESSABLE.has(value.toLowerCase());
  const keys = (env.DATA_KEYS ?? '').split(',').map((part) => part.split(':')[1] ?? '');
  return secrets.filter((name) => {
    if (name === 'DATA_KEYS') return keys.some(isWeak);
    const value = env[name];
    return value !== undefined && isWeak(value);
  });
}
