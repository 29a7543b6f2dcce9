// Role: one outage from its first failure to its last conversion, as counter, finance and clerk see it.

import { parse } from 'csv-parse/sync';
import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  sceneOf,
  settle,
  sumOf,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { tidings } from './breaker-support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '300' }, keepsBreaker: true });

it('is seen, costs the counter nothing, ends by a trial, drains, and is told as it was', async () => {
  const scene = await sceneOf(app);
  const visits = [];
  for (let i = 0; i < 4; i += 1) {
    const { person } = await newPatient(app);
    visits.push(await chargedVisit(scene, person));
  }
  await app.fault({ mode: 'refuseConnection' });
  for (const visit of visits) {
    const reply = await settle(scene, visit.id, {
      counterTenders: [{ kind: 'cash', amount: '300.00', reference: visit.visitNumber }],
    });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body.insurance.status).toBe('awaitingInsurance');
    expect(sumOf(reply.body.tenders)).toBe(30_000n);
  }
  const auditor = await app.token('auditor');
  const read = async (path: string) => (await app.call('GET', path, { token: auditor })).body;
  const local = async () => (await read('/v1/insurance/routes')).data[0];
  expect(await local()).toMatchObject({ status: 'offline', awaiting: 4 });
  const [outage, ...others] = (await read('/v1/insurance/outages')).data;
  expect(others).toEqual([]);
  expect(outage).toMatchObject({ route: 'local', isPlanned: false, endsAt: null });

  await app.fault({ mode: 'none' });
  const isDrained = async () => {
    const { status, awaiting } = await local();
    return status === 'online' && awaiting === 0;
  };
  await waitFor(isDrained, { timeoutMs: 30_000 });
  expect(await read(`/v1/insurance/outages/${outage.id}`)).toMatchObject({
    visits: 4,
    money: '1200.00',
    converted: 4,
    rejected: 0,
    waiting: 0,
    secondsToDetect: expect.any(Number),
    minutesToDrain: expect.any(Number),
  });
  const path = `/v1/insurance/outages/${outage.id}`;
  const headers = { accept: 'text/csv' };
  const csv = await app.call('GET', path, { token: auditor, headers });
  const lines = parse(csv.text, { bom: true, columns: true }) as Record<string, string>[];
  expect(lines.map((line) => line.visitNumber).sort()).toEqual(
    visits.map((visit) => visit.visitNumber).sort(),
  );
  for (const line of lines) expect(line.claimTime).toMatch(/\+08:00$/);
  expect(await tidings(app.db)).toEqual([
    { type: 'insurance.offline', route: 'local', outage: outage.id },
    { type: 'insurance.recovered', route: 'local', outage: outage.id },
  ]);
  for (const { visitNumber } of visits) {
    const live = (await app.claims({ visitNumber })).filter((c) => c.status === 'settled');
    expect(live).toHaveLength(1);
  }
  const open = await rows(app.db, sql`select 1 from outage where ends_at is null`);
  expect(open).toEqual([]);
  await expectLaws(app);
});
