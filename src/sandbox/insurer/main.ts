// Role: the sandbox insurer as its own process with its own books. Forked, it reports its ports and
// leaves when its parent does; by hand, it prints them.
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { Books } from './books.ts';
import { createControlServer } from './control-server.ts';
import { WireServer } from './wire-server.ts';

const port = z.coerce.number().int().min(0).max(65_535).default(0);
const settings = z
  .object({
    INSURER_WIRE_PORT: port,
    INSURER_CONTROL_PORT: port,
    INSURER_STORE_DIR: z.string().min(1),
    INSURER_ACCESS_KEY: z.string().min(1),
    INSURER_SECRET_KEY: z.string().min(1),
    INSURER_REQUIRE_SIGN_IN: z.enum(['0', '1']).default('0'),
  })
  .parse(process.env);

const books = new Books(settings.INSURER_STORE_DIR);
const wire = new WireServer(books, {
  port: settings.INSURER_WIRE_PORT,
  keys: { accessKey: settings.INSURER_ACCESS_KEY, secretKey: settings.INSURER_SECRET_KEY },
  isSignInRequired: settings.INSURER_REQUIRE_SIGN_IN === '1',
});
const control = createControlServer(books, wire);

await wire.open();
await new Promise<void>((resolve, reject) => {
  control.once('error', reject);
  control.listen(settings.INSURER_CONTROL_PORT, '127.0.0.1', resolve);
});

const ready = {
  ready: true,
  wirePort: wire.port,
  controlPort: (control.address() as AddressInfo).port,
};
process.on('SIGTERM', leave);
if (process.send === undefined) {
  process.on('SIGINT', leave);
  console.log(JSON.stringify(ready));
} else {
  // Ctrl-C reaches the whole group; the parent still settles what it holds and then disconnects.
  process.on('SIGINT', () => {});
  process.on('disconnect', leave);
  process.send(ready);
}

/** Every answered trade is in the file already, so there is nothing to finish. */
function leave(): void {
  books.close();
  process.exit(0);
}
