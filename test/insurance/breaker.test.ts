// Role: the breaker on a real database in front of the real sandbox insurer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'drizzle-orm';
import pino from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase, rows } from '../../src/db/db.ts';
import { makeMetrics } from '../../src/http/metrics.ts';
import { type Breaker, type BreakerOptions, makeBreaker } from '../../src/insurance/breaker.ts';
import { makeGuardedInsurer } from '../../src/insurance/guarded-insurer.ts';
import type { Infno, Insurer } from '../../src/insurance/insurer.ts';
import { makeNhsaInsurer } from '../../src/insurance/nhsa-client.ts';
import { type InsurerControl, insurerControl } from '../../src/sandbox/insurer/control-client.ts';
import { forkInsurer, type InsurerProcess } from '../sandbox/insurer/fork-insurer.ts';
import { useDatabase } from '../support/database.ts';
import { waitFor } from '../support/wait-for.ts';
import {
  addConversion,
  forgetRoutes,
  makeTrialDue,
  messageOf,
  rawRoute,
  tidings,
} from './breaker-support.ts';

const { db, url } = useDatabase();
const otherDb = openDatabase({ url, schema: 'public', poolSize: 10, usePrepared: true });
const keys = { accessKey: 'test-access', secretKey: 'test-secret' };
const log = pino({ level: 'silent' });
const store = mkdtempSync(path.join(tmpdir(), 'egret-breaker-'));
let child: InsurerProcess;
let wire: Insurer & { close(): Promise<void> };
let control: InsurerControl;
let breaker: Breaker;
let insurer: Insurer;
const LONG = 10_000;

beforeAll(async () => {
  child = await forkInsurer({ ...keys, storeDir: store });
  control = insurerControl(child.controlUrl);
  wire = makeNhsaInsurer({ ...keys, url: child.wireUrl });
});
beforeEach(async () => {
  await control.reset();
  await forgetRoutes(db);
  breaker = newBreaker();
  insurer = makeGuardedInsurer(wire, breaker);
});
afterAll(async () => {
  await wire.close();
  await child.stop();
  await otherDb.$client.end({ timeout: 5 });
  rmSync(store, { recursive: true, force: true });
});

function newBreaker(options: Partial<BreakerOptions> = {}): Breaker {
  const env = { EGRET_MODE: 'sandbox' as const, INSURANCE_QUIET_MS: 15_000 };
  return makeBreaker({ db, insurer: wire, env, log, realNow: () => new Date(), ...options });
}

const send = (infno: Infno, trialToken?: string, deadlineMs = LONG) =>
  insurer.send(messageOf(infno, trialToken ? { trialToken } : {}), deadlineMs);
const isOpen = async (of = breaker) => (await of.stateOf('local')).isOpen;
const received = async (infno?: string) => (await control.messages(infno ? { infno } : {})).length;
const outages = () =>
  rows<{ id: string; is_over: boolean; was_seen: boolean; is_ordered: boolean; reason: string }>(
    db,
    sql`
    select id, ends_at is not null as is_over, detected_at is not null as was_seen, reason,
      starts_at <= coalesce(detected_at, starts_at)
        and coalesce(detected_at, starts_at) <= coalesce(ends_at, 'infinity') as is_ordered
    from outage order by id`,
  );

/** Opened by a refused connection; the insurer is well again, and a trial is due. */
async function openRoute(secondsDue = 1): Promise<string> {
  await breaker.report('local', {
    infno: '2201',
    outcome: 'offline',
    reason: 'connection refused: ECONNREFUSED',
    trialToken: null,
  });
  await makeTrialDue(db, secondsDue);
  breaker = newBreaker();
  insurer = makeGuardedInsurer(wire, breaker);
  const { outageId } = await breaker.stateOf('local');
  return outageId!;
}

describe('a route opens', () => {
  it('at once when the connection is refused, and then nothing is sent any more', async () => {
    await control.setFault({ mode: 'refuseConnection' });
    expect((await send('1101')).outcome).toBe('offline');
    const { isOpen, outageId } = await breaker.stateOf('local');
    expect(isOpen).toBe(true);
    await control.setFault({ mode: 'none' });
    const before = await received();
    for (const infno of ['1101', '2201', '2207', '2208'] as const)
      expect(await send(infno)).toMatchObject({
        outcome: 'offline',
        reason: expect.stringContaining('医保通道已断开'),
      });
    expect(await received()).toBe(before);
    expect(await outages()).toMatchObject([
      { id: outageId, is_over: false, was_seen: true, is_ordered: true },
    ]);
    expect(await tidings(db)).toEqual([
      { type: 'insurance.offline', route: 'local', outage: outageId },
    ]);
  });

  it('by the second failure of its claim trades, when a probe found the insurer talking', async () => {
    await control.setFault({ mode: 'error500', on: ['2204', '2206'] });
    await send('2204');
    const probe = await waitFor(async () => (await control.messages({ infno: '1101' }))[0]);
    expect(probe.fate).toBe('refused');
    expect(await isOpen()).toBe(false);
    await send('2206');
    expect(await isOpen()).toBe(true);
  });

  it('when the probe after a failure is not answered either, with nobody waiting for it', async () => {
    await control.setFault({ mode: 'hang', on: ['1101', '5203'] });
    expect((await send('5203', undefined, 100)).outcome).toBe('offline');
    await waitFor(() => isOpen());
    expect(await received('1101')).toBe(1);
    expect(await outages()).toMatchObject([{ is_ordered: true }]);
  });

  it('not by refusals in words, and no probe is sent for them', async () => {
    await control.setFault({ mode: 'reject', on: ['2204', '2207'], reason: '目录编码未上传' });
    for (const infno of ['2204', '2207', '2204', '2207'] as const)
      expect((await send(infno)).outcome).toBe('rejected');
    await control.setFault({ mode: 'reject', on: ['2204', '2207'], reason: '参保状态已暂停' });
    for (const infno of ['2204', '2207'] as const)
      expect((await send(infno)).outcome).toBe('notInsured');
    expect(await isOpen()).toBe(false);
    expect(await received('1101')).toBe(0);
  });

  it('not by two failures with an answered 2207 between them', async () => {
    await control.setFault({ mode: 'error500', on: ['2204'] });
    await send('2204');
    await send('2201');
    expect((await rawRoute(db)).failures).toBe(1);
    expect((await send('2207')).outcome).toBe('rejected');
    expect((await rawRoute(db)).failures).toBe(0);
    await send('2204');
    expect(await isOpen()).toBe(false);
  });

  it('alone: the other route goes on', async () => {
    await control.setFault({ mode: 'error500', route: 'crossRegion' });
    const abroad = () => insurer.send(messageOf('2201', { route: 'crossRegion' }), LONG);
    await abroad();
    await waitFor(async () => (await breaker.stateOf('crossRegion')).isOpen);
    expect(await isOpen()).toBe(false);
    expect((await send('2201')).outcome).toBe('rejected');
    expect(await tidings(db)).toMatchObject([{ route: 'crossRegion' }]);
  });
});

describe('shared by processes', () => {
  it('a route opens and closes once for all of them, with one outage and one event each', async () => {
    const other = newBreaker({ db: otherDb });
    const refused = {
      infno: '2201' as const,
      outcome: 'offline' as const,
      reason: 'connection refused: ECONNREFUSED',
      trialToken: null,
    };
    const all = Array.from({ length: 20 }, (_, i) => (i % 2 ? breaker : other));
    await Promise.all(all.map((b) => b.report('local', refused)));
    expect([await isOpen(), await isOpen(newBreaker({ db: otherDb }))]).toEqual([true, true]);
    const [outage, ...more] = await outages();
    expect(more).toEqual([]);

    await makeTrialDue(db);
    const fresh = [newBreaker(), newBreaker({ db: otherDb })];
    const token = await waitFor(() => fresh[0]!.takeTrial('local', 'conversion'));
    const done = { infno: '2207' as const, outcome: 'ok' as const, reason: '', trialToken: token };
    await Promise.all(all.map((_, i) => fresh[i % 2]!.report('local', done)));
    expect(await isOpen(newBreaker({ db: otherDb }))).toBe(false);
    expect(await outages()).toMatchObject([{ id: outage?.id, is_over: true, is_ordered: true }]);
    expect(await tidings(db)).toEqual([
      { type: 'insurance.offline', route: 'local', outage: outage?.id },
      { type: 'insurance.recovered', route: 'local', outage: outage?.id },
    ]);
  });

  it('failures of two processes count together', async () => {
    const trouble = {
      infno: '2204' as const,
      outcome: 'offline' as const,
      reason: 'HTTP 500',
      trialToken: null,
    };
    await breaker.report('local', trouble);
    const other = newBreaker({ db: otherDb });
    expect(await isOpen(other)).toBe(false);
    await other.report('local', trouble);
    await waitFor(() => isOpen());
  });

  it('one of twenty connections gets the trial', async () => {
    await openRoute();
    const takers = Array.from({ length: 40 }, (_, i) => newBreaker({ db: i % 2 ? db : otherDb }));
    await Promise.all(takers.map((taker) => taker.stateOf('local')));
    const tokens = await Promise.all(takers.map((taker) => taker.takeTrial('local', 'conversion')));
    expect(tokens.filter((token) => token !== null)).toHaveLength(1);
  });
});

describe('half-open', () => {
  it('lets its one trial through, and closes by the answer to its 2207 alone', async () => {
    const outageId = await openRoute();
    const token = (await breaker.takeTrial('local', 'conversion'))!;
    expect(await breaker.takeTrial('local', 'conversion')).toBeNull();
    for (const infno of ['1101', '2201', '2203', '2204', '2206'] as const)
      expect(await send(infno, token)).not.toMatchObject({ outcome: 'offline' });
    expect((await send('2207')).outcome).toBe('offline');
    expect((await send('2207', 'local.stranger')).outcome).toBe('offline');
    expect(await received('2207')).toBe(0);
    // The answer to a 2207 that was sent before the route opened says nothing of now.
    const late = { infno: '2207' as const, outcome: 'ok' as const, reason: '', trialToken: null };
    await breaker.report('local', late);
    expect(await isOpen()).toBe(true);
    expect((await send('2207', token)).outcome).toBe('rejected');
    expect(await isOpen()).toBe(false);
    expect(await tidings(db)).toMatchObject([
      { type: 'insurance.offline' },
      { type: 'insurance.recovered', outage: outageId },
    ]);
    await breaker.endTrial(token);
    expect(await rawRoute(db)).toMatchObject({ status: 'online', failures: 0, outage_id: null });
  });

  it('ends a trial by its first failure, and the token with it', async () => {
    await openRoute();
    const token = (await breaker.takeTrial('local', 'conversion'))!;
    await control.setFault({ mode: 'error500', on: ['2204'] });
    expect((await send('2204', token)).outcome).toBe('offline');
    const before = await received();
    expect((await send('2206', token)).outcome).toBe('offline');
    expect(await received()).toBe(before);
    expect(await rawRoute(db)).toMatchObject({ status: 'offline', failures: 1, trial_token: null });
    expect(await breaker.takeTrial('local', 'conversion')).toBeNull();
    expect(await tidings(db)).toHaveLength(1);
  });

  it('is free again when the holder of its trial died, and the dead one’s token is worth nothing', async () => {
    await openRoute();
    const token = (await breaker.takeTrial('local', 'conversion'))!;
    await db.execute(sql`update insurance_route set trial_until = clock_timestamp()`);
    const survivor = newBreaker({ db: otherDb });
    const second = (await survivor.takeTrial('local', 'conversion'))!;
    expect(second).not.toBeNull();
    expect((await send('2207', token)).outcome).toBe('offline');
    expect(await received('2207')).toBe(0);
    await breaker.endTrial(token);
    expect((await rawRoute(db)).trial_token).toBe(second);
  });

  it('keeps the trial of a holder that is slow but alive', async () => {
    await openRoute();
    const token = (await breaker.takeTrial('local', 'conversion'))!;
    await db.execute(sql`update insurance_route set trial_until = clock_timestamp()`);
    expect((await send('2201', token)).outcome).toBe('rejected');
    expect(await newBreaker().takeTrial('local', 'conversion')).toBeNull();
  });

  it('gives the next trial at once if the insurer answered, else after the delay', async () => {
    const slow = { trialDelayMs: 3_600_000, maxTrialDelayMs: 3_600_000 };
    await openRoute();
    breaker = newBreaker({ settings: slow });
    insurer = makeGuardedInsurer(wire, breaker);
    const first = (await breaker.takeTrial('local', 'conversion'))!;
    expect((await send('2201', first)).outcome).toBe('rejected');
    await breaker.endTrial(first);
    const second = (await breaker.takeTrial('local', 'conversion'))!;
    expect(second).not.toBeNull();
    await breaker.endTrial(second);
    expect(await breaker.takeTrial('local', 'conversion')).toBeNull();
    expect((await rawRoute(db)).trial_token).toBeNull();
  });

  it('lets waiting conversions try before the counter, unless nobody drains them', async () => {
    await openRoute();
    await addConversion(db, { status: 'converted' });
    await addConversion(db, { route: 'crossRegion' });
    const visit = (await breaker.takeTrial('local', 'counter'))!;
    expect(visit).not.toBeNull();
    await breaker.endTrial(visit);
    await makeTrialDue(db);
    await addConversion(db);
    breaker = newBreaker();
    expect(await breaker.takeTrial('local', 'counter')).toBeNull();
    const conversion = (await breaker.takeTrial('local', 'conversion'))!;
    expect(conversion).not.toBeNull();
    await breaker.endTrial(conversion);
    await makeTrialDue(db, 21);
    expect(await newBreaker().takeTrial('local', 'counter')).not.toBeNull();
  });

  it('gives no trial while the route is well', async () => {
    expect(await breaker.takeTrial('local', 'conversion')).toBeNull();
    expect(await breaker.takeTrial('local', 'counter')).toBeNull();
  });
});

describe('an outage', () => {
  it('owns the visits that failed before it was seen, and those that were closed as it ended', async () => {
    await control.setFault({ mode: 'hang', on: ['1101', '2204'] });
    await addConversion(db, { createdIn: -3_600 });
    await send('2204', undefined, 50);
    await addConversion(db);
    await addConversion(db, { cause: 'forgottenCredential' });
    await waitFor(() => isOpen());
    const { outageId } = await breaker.stateOf('local');
    await addConversion(db, { cause: 'insurerUnknown' });
    const owned = async () =>
      rows<{ mine: boolean }>(
        db,
        sql`select coalesce(outage_id = ${outageId}, false) as mine from conversion order by id`,
      ).then((found) => found.map((row) => row.mine));
    expect(await owned()).toEqual([false, true, false, false]);
    await makeTrialDue(db);
    await control.setFault({ mode: 'none' });
    breaker = newBreaker();
    insurer = makeGuardedInsurer(wire, breaker);
    const token = (await breaker.takeTrial('local', 'conversion'))!;
    await send('2207', token);
    expect(await owned()).toEqual([false, true, false, true]);
  });
});

describe('a planned window', () => {
  const plan = (from: number, to: number) =>
    db.execute(sql`
      insert into outage (id, route, is_planned, reason, starts_at, ends_at)
      values (${`out_${from}`}, 'local', true, '平台升级',
        business_now() + ${from}::integer * interval '1 second',
        business_now() + ${to}::integer * interval '1 second')`);

  it('counts as open while it lasts, begins once for all, and gives no trial', async () => {
    await plan(-100, 3_600);
    await plan(7_200, 10_000);
    const all = [breaker, newBreaker({ db: otherDb }), newBreaker(), newBreaker({ db: otherDb })];
    const states = await Promise.all(all.map((b) => b.stateOf('local')));
    for (const state of states) expect(state).toEqual({ isOpen: true, outageId: 'out_-100' });
    expect((await send('2201')).outcome).toBe('offline');
    expect(await received()).toBe(0);
    await makeTrialDue(db);
    expect(await newBreaker().takeTrial('local', 'conversion')).toBeNull();
    expect(await tidings(db)).toEqual([
      { type: 'insurance.offline', route: 'local', outage: 'out_-100' },
    ]);
    expect(await breaker.stateOf('crossRegion')).toEqual({ isOpen: false, outageId: null });
  });

  it('is followed by a trial like any outage, and ends with it', async () => {
    await plan(-100, 3_600);
    expect(await isOpen()).toBe(true);
    await db.execute(sql`update outage set ends_at = business_now()`);
    await makeTrialDue(db);
    breaker = newBreaker();
    insurer = makeGuardedInsurer(wire, breaker);
    expect(await isOpen()).toBe(true);
    const token = (await breaker.takeTrial('local', 'conversion'))!;
    expect((await send('2207', token)).outcome).toBe('rejected');
    expect(await isOpen()).toBe(false);
    expect(await outages()).toMatchObject([{ id: 'out_-100', is_over: true, is_ordered: true }]);
    expect((await tidings(db)).map((t) => t.type)).toEqual([
      'insurance.offline',
      'insurance.recovered',
    ]);
  });

  it('does nothing before its time, after it, or when it was never noticed', async () => {
    await plan(-200, -100);
    await plan(3_600, 7_200);
    expect(await breaker.stateOf('local')).toEqual({ isOpen: false, outageId: null });
    expect(await tidings(db)).toEqual([]);
  });
});

it('says in the metrics which route is open', async () => {
  const metrics = makeMetrics();
  newBreaker({ metrics });
  await openRoute();
  const text = await waitFor(async () => {
    const scraped = await metrics.registry.metrics();
    return scraped.includes('egret_insurance_route_open{route="local"} 1') && scraped;
  });
  expect(text).toContain('egret_insurance_route_open{route="crossRegion"} 0');
});

it('does not stand in the way when the breaker itself cannot be asked', async () => {
  const lost = () => Promise.reject(new Error('the database is away'));
  const unguarded = makeGuardedInsurer(wire, { admits: lost, report: lost }, log);
  expect((await unguarded.send(messageOf('2201'), LONG)).outcome).toBe('rejected');
});
