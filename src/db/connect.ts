// The one place where a connection string becomes connections.
import postgres from 'postgres';

type ClientOptions = postgres.Options<Record<string, postgres.PostgresType>>;

/**
 * A pool for a postgres URL. As in libpq, `?host=/folder` names the folder of the server's socket and
 * goes before the address: a socket costs both sides about a third less than TCP on one machine.
 */
export function connect<T extends ClientOptions>(url: string, options: T) {
  const parsed = new URL(url);
  const folder = parsed.searchParams.get('host');
  const silent = { onnotice: () => {}, ...options };
  if (!folder?.startsWith('/')) return postgres(url, silent);
  parsed.searchParams.delete('host');
  return postgres(parsed.href, {
    ...silent,
    path: socketFile(folder, Number(parsed.port || 5432)),
  });
}

/** The name of a server's socket in a folder. */
export function socketFile(folder: string, port: number): string {
  return `${folder}/.s.PGSQL.${port}`;
}
