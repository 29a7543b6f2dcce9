// Law: a database that restarts costs requests (503), never the process. postgres.js 3.4.9 writes
// to a connection that has just been closed from a timer, where nobody can catch the TypeError
// (porsager/postgres issues 1154 and 1208). The transaction itself has been rejected by then.
import type { Logger } from 'pino';

let isInstalled = false;

/** True for exactly that error. */
export function isLostWrite(error: unknown): boolean {
  return (
    error instanceof TypeError &&
    error.message.includes("reading 'write'") &&
    /nextWrite \(.*[\\/]postgres[\\/]/.test(error.stack ?? '')
  );
}

/** Lets the process live on after a lost write; anything else ends it as it would without us. */
export function surviveLostWrites(log: Pick<Logger, 'warn'>): void {
  if (isInstalled) return;
  isInstalled = true;
  process.on('uncaughtException', (error) => {
    if (isLostWrite(error)) log.warn('a transaction lost its database connection');
    else if (process.listenerCount('uncaughtException') === 1) throw error;
  });
}
