// The one place where a connection string becomes connections.
import postgres from 'postgres';

type ClientOptions = postgres.Options<Record<string, postgres.PostgresType>>;

/** By default a database that was away for a second is asked again after up to 20. */
const RECONNECT_SECONDS = 0.25;
/**
 * postgres.js 3.4.9 keeps what it could not write to a connection that was lost, and then never sends a
 * short startup message on it: each use of it waits for 30 s and fails (porsager/postgres issue 1208).
 * From this many bytes on it writes at once. The server cuts the name to 63 characters.
 */
const SENT_AT_ONCE = 1024;

/**
 * A pool for a postgres URL. As in libpq, `?host=/folder` names the folder of the server's socket and
 * goes before the address: a socket costs both sides about a third less than TCP on one machine.
 */
export function connect<T extends ClientOptions>(url: string, options: T) {
  const parsed = new URL(url);
  const folder = parsed.searchParams.get('host');
  const name = parsed.searchParams.get('application_name') ?? 'egret';
  parsed.searchParams.delete('application_name');
  const sturdy = {
    onnotice: () => {},
    backoff: RECONNECT_SECONDS,
    // No column is an array; nobody catches it when the connection is lost while these are asked for.
    fetch_types: false,
    ...options,
    connection: { ...options.connection, application_name: name.padEnd(SENT_AT_ONCE) },
  };
  parsed.searchParams.delete('host');
  const path = folder?.startsWith('/') ? socketFile(folder, Number(parsed.port || 5432)) : null;
  const client = postgres(parsed.href, { ...sturdy, ...(path ? { path } : {}) });
  const begin = client.begin.bind(client) as Begin;
  client.begin = ((...call: Parameters<Begin>) => begin(...call.map(withoutLastWords))) as never;
  return client;
}

type Begin = (...call: (string | Work)[]) => Promise<unknown>;
type Work = (tx: postgres.TransactionSql) => unknown;

/**
 * postgres.js sends a rollback on a connection that is lost, which breaks that place of the pool for
 * good (issue 1208). Work that never ends is never rolled back: `begin` throws what ended the connection.
 */
function withoutLastWords(argument: string | Work): string | Work {
  if (typeof argument === 'string') return argument;
  return async (tx) => {
    try {
      return await argument(tx);
    } catch (error) {
      if (!isConnectionLost(error)) throw error;
      return new Promise(() => {});
    }
  };
}

const LOST = new Set(['CONNECTION_CLOSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02']);

function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && LOST.has(String(error.code))) || isConnectionLost(error.cause);
}

/** The name of a server's socket in a folder. */
export function socketFile(folder: string, port: number): string {
  return `${folder}/.s.PGSQL.${port}`;
}
