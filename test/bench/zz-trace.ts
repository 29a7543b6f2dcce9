import { execSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { setFault, startCity } from './city.ts';
import { fillQueue, waitingNow } from './drain.ts';

const city = await startCity({ seed: 7 });
try {
  const people = await city.people(4);
  await fillQueue(city, people, { count: 4, name: 'A' });
  await setFault(city, { mode: 'none' });
  while ((await waitingNow(city)) > 0) await pause(200);
  await fillQueue(city, people, { count: 1, name: 'B' });
  await pause(1500);
  await city.sql`alter system set log_statement = 'all'`;
  await city.sql`alter system set log_line_prefix = '%m [%p] '`;
  await city.sql`select pg_reload_conf()`;
  await pause(700);
  await setFault(city, { mode: 'none' });
  while ((await waitingNow(city)) > 0) await pause(200);
  await pause(1000);
  const [{ dir }] = (await city.sql`select current_setting('data_directory') as dir`) as any;
  const log = execSync(`find ${dir}/../.. -name postgres.log`).toString().trim();
  writeFileSync('/tmp/mine2/pg.log', readFileSync(log, 'utf8'));
} finally {
  await city.stop();
}
