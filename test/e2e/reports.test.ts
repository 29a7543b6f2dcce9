// Law: with REPORT_DATABASE_URL set, reports are read from there and from nowhere else, and nothing else is:
// what decides, and what somebody has just changed, is read where it is written.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { type IdKind, idPrefixes, newId } from '../../src/ids.ts';
import { newPatient, type Scene, sceneOf } from '../settlement/support.ts';
import { type TestRole, useApp } from '../support/app.ts';
import { nameDatabase } from '../support/database.ts';
import type { TestPerson } from '../support/people.ts';
import { type Operation, operationsOf } from './bad-requests.ts';
import { realThings } from './good-requests.ts';

/** The README's list. */
const REPORTS = [
  '/v1/conversions',
  '/v1/insurance/outages',
  '/v1/insurance/outages/{outageId}',
  '/v1/ledger/entries',
  '/v1/ledger/trial-balance',
  '/v1/lender/receivables',
  '/v1/statistics',
];

describe('while the report database is away', () => {
  const app = useApp({
    worker: false,
    env: {
      REPORT_DATABASE_URL: 'postgres://egret@127.0.0.1:1/egret',
      RATE_LIMIT_PER_SECOND: '100000',
    },
  });
  let scene: Scene;
  let person: TestPerson;
  let things: Record<string, string>;

  beforeAll(async () => {
    scene = await sceneOf(app);
    ({ person } = await newPatient(app));
    things = await realThings(scene, person);
  }, 60_000);

  it('exactly the reports are refused, with 503', async () => {
    const document = (await (await fetch(`${app.url}/openapi.json`)).json()) as object;
    const reads = operationsOf(document).filter(
      ({ method, path }) => method === 'GET' && path.startsWith('/v1/'),
    );
    expect(reads.length).toBeGreaterThan(REPORTS.length * 4);
    const refused: string[] = [];
    for (const read of reads) {
      const { status, text } = await call(read);
      if (status === 503) refused.push(read.path);
      // A request that was not understood would prove nothing.
      else expect([200, 404, 409], `${read.path} ${text}`).toContain(status);
    }
    expect(refused.sort()).toEqual(REPORTS);
  }, 60_000);

  async function call({ path, roles }: Operation) {
    const role = roles[0] as TestRole | undefined;
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => things[name] ?? anything(name));
    if (!role) return app.call('GET', filled);
    const options = role === 'citizen' ? { citizen: person } : {};
    return app.call('GET', filled, { token: await app.token(role, options) });
  }

  /** Well-formed, and most likely of nothing that is there. */
  function anything(name: string): string {
    const kind = name.replace(/Id$/, '');
    if (kind in idPrefixes) return newId(kind as IdKind);
    return name.toLowerCase().includes('date') ? '2026-01-05' : 'anything';
  }
});

describe('a report database that is behind', () => {
  const replica = nameDatabase();
  const app = useApp({ worker: false, env: { REPORT_DATABASE_URL: replica.url } });

  beforeAll(async () => {
    await replica.create();
    await realThings(await sceneOf(app), (await newPatient(app)).person);
  }, 60_000);
  afterAll(() => replica.drop());

  it('is what reports show', async () => {
    const token = await app.token('auditor');
    const lender = await app.token('lenderOperator');
    const [main] = await rows<Record<string, number>>(
      app.db,
      sql`
      select (select count(*)::int from journal_entry) as entries,
        (select count(*)::int from conversion) as conversions`,
    );
    expect(main?.entries).toBeGreaterThan(0);
    expect(main?.conversions).toBeGreaterThan(0);
    for (const path of ['/v1/ledger/entries', '/v1/conversions', '/v1/insurance/outages']) {
      expect((await app.call('GET', path, { token })).body.data, path).toEqual([]);
    }
    const loans = await app.call('GET', '/v1/lender/receivables', { token: lender });
    expect(loans.body.data).toEqual([]);
    const trial = await app.call('GET', '/v1/ledger/trial-balance', { token });
    expect(JSON.stringify(trial.body)).not.toMatch(/"[1-9]\d*\.\d\d"/);
    const before = (await app.call('GET', '/v1/statistics')).body.hospitals;
    await app.deps.reportDb.execute(
      sql`insert into hospital (code, name, level, region) values ('H35020099999', '新院', 1, '350200')`,
    );
    expect((await app.call('GET', '/v1/statistics')).body.hospitals).toBe(before + 1);
  });
});
