// Role: the service with its code loaded, started by a line on stdin. A restart after a kill then takes
// what the service itself needs; a service whose test has died ends.
import { once } from 'node:events';
import '../../src/processes/ground.ts';
import '../../src/processes/roles.ts';

process.stdin.once('end', () => process.exit(1));
await once(process.stdin, 'data');
await import('../../src/main.ts');
