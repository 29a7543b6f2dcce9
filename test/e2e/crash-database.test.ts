// Law: a database that is killed and started again costs requests (503), nothing else: the service comes
// back by itself, and conversions, refunds and settlements under way come to their one right end.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CrashCity } from './crash-city.ts';
import { playCrash } from './crash-run.ts';

/** A cheap one: killed while claims of waiting conversions and a refund are on their way. */
const SEED = 100_012;

let city: CrashCity;
beforeAll(async () => {
  city = await CrashCity.found();
});
afterAll(() => city?.end());

it('lets the service come back by itself when it is killed under load', async () => {
  await playCrash(city, SEED, 'database');
  expect(city.service.starts).toHaveLength(1);
}, 60_000);
