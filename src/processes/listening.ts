// The port: looked at before anything is started, served, and drained at the end.
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { StartError } from './ending.ts';

const IDLE_CHECK_MS = 50;

export interface Address {
  HOST: string;
  PORT: number;
}

/** Looks before anything is started, so that a busy port is told at once. Port 0 becomes a free one. */
export async function checkPort(address: Address): Promise<number> {
  const probe = createServer();
  const port = await listen(probe, address);
  probe.close();
  await once(probe, 'close');
  return port;
}

/** How a program on this machine reaches us. */
export function localUrlOf({ HOST, PORT }: Address): string {
  return `http://${['0.0.0.0', '::'].includes(HOST) ? '127.0.0.1' : HOST}:${PORT}`;
}

export async function serve(app: RequestListener, address: Address): Promise<Server> {
  const server = createServer(app);
  await listen(server, address);
  return server;
}

/** No new requests; resolves when those in flight are answered. */
export async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that was busy goes idle once its answer is out.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  idle.unref();
  await closed;
  clearInterval(idle);
}

async function listen(server: Server, { PORT, HOST }: Address): Promise<number> {
  try {
    server.listen(PORT, HOST);
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new StartError(
        `PORT ${PORT} is in use: set PORT to another one, or stop what is there`,
      );
    }
    throw new StartError(`cannot listen on HOST ${HOST}, PORT ${PORT}: ${code}`);
  }
  const address = server.address();
  return typeof address === 'object' && address ? address.port : PORT;
}
