// Role: what everybody sees of the routes, and the windows that an administrator enters.
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { waitFor } from '../support/wait-for.ts';
import { addConversion, forgetRoutes, tidings } from './breaker-support.ts';

const app = useApp({ worker: false, keepsBreaker: true });
afterEach(async () => {
  await app.clock(0);
  await forgetRoutes(app.db);
  // What the service saw of the routes may be 100 ms old.
  for (const route of ['local', 'crossRegion'] as const)
    await waitFor(async () => !(await app.deps.breaker.stateOf(route)).isOpen);
});

async function routes() {
  const token = await app.token('terminal', { hospitalCode: 'H35020000001' });
  const reply = await app.call('GET', '/v1/insurance/routes', { token });
  expect(reply.status, reply.text).toBe(200);
  return reply.body.data;
}

describe('GET /v1/insurance/routes', () => {
  it('says online for both routes before anything happened, and goes on saying since when', async () => {
    const first = await routes();
    expect(first).toMatchObject([
      { route: 'local', status: 'online', awaiting: 0 },
      { route: 'crossRegion', status: 'online', awaiting: 0 },
    ]);
    expect(await routes()).toEqual(first);
  });

  it('counts the waiting conversions of each route: recovering when closed, offline when open', async () => {
    const states = ['queued', 'claiming', 'awaitingPatient', 'converted', 'rejected', 'cancelled'];
    for (const status of states) await addConversion(app.db, { route: 'crossRegion', status });
    expect(await routes()).toMatchObject([
      { route: 'local', status: 'online', awaiting: 0 },
      { route: 'crossRegion', status: 'recovering', awaiting: 3 },
    ]);
    await app.db.execute(
      sql`update insurance_route set status = 'offline' where route = 'crossRegion'`,
    );
    expect((await routes())[1]).toMatchObject({ status: 'offline', awaiting: 3 });
  });

  it('is not recovering while only patients are waited for', async () => {
    await addConversion(app.db, { status: 'awaitingPatient' });
    expect((await routes())[0]).toMatchObject({ status: 'online', awaiting: 1 });
  });

  it('says offline once a visit met a refused connection', async () => {
    await routes();
    await app.fault({ mode: 'refuseConnection' });
    const token = await app.token('terminal', { hospitalCode: 'H35020000001' });
    const person = uniquePerson();
    const credential = { kind: 'idCard', number: person.idNumber, name: person.name };
    await app.call('POST', '/v1/identifications', { token, body: { credential } });
    await app.fault({ mode: 'none' });
    const seen = await routes();
    expect(seen[0]).toMatchObject({ status: 'offline' });
    expect(seen[1]).toMatchObject({ status: 'online' });
  });
});

describe('planned windows', () => {
  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  const body = (from = 1, to = 2) => ({
    route: 'local',
    startsAt: inHours(from),
    endsAt: inHours(to),
    reason: '省平台升级',
  });
  const admin = () => app.token('admin');
  const plan = async (window: object, key?: string) =>
    app.call('POST', '/v1/insurance/planned-windows', {
      token: await admin(),
      body: window,
      ...(key ? { key } : {}),
    });
  const localStatus = async () => (await routes())[0].status;

  it('are entered once under their key, listed, read and forgotten before they begin', async () => {
    const key = crypto.randomUUID();
    const window = body();
    const made = await plan(window, key);
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ ...window, id: expect.stringMatching(/^out_/) });
    expect((await plan(window, key)).text).toBe(made.text);
    await plan({ ...body(5, 6), route: 'crossRegion' });
    const token = await app.token('financeMaker');
    const path = '/v1/insurance/planned-windows';
    const first = await app.call('GET', `${path}?limit=1`, { token });
    expect(first.body.data).toMatchObject([{ route: 'crossRegion' }]);
    const next = await app.call('GET', `${path}?limit=1&cursor=${first.body.nextCursor}`, {
      token,
    });
    expect(next.body).toEqual({ data: [made.body], nextCursor: null });
    const one = `${path}/${made.body.id}`;
    expect((await app.call('GET', one, { token })).body).toEqual(made.body);
    expect((await app.call('DELETE', one, { token })).status).toBe(403);
    expect((await app.call('DELETE', one, { token: await admin() })).status).toBe(204);
    expect((await app.call('GET', one, { token })).status).toBe(404);
    expect((await app.call('DELETE', one, { token: await admin() })).status).toBe(404);
  });

  it.each([
    ['ends before it begins', body(2, 1)],
    ['is over already', body(-2, -1)],
    ['lasts for months', body(1, 32 * 24)],
    ['is of no route', { ...body(), route: 'moon' }],
    ['has no reason', { ...body(), reason: ' ' }],
    ['has a field more', { ...body(), force: true }],
  ])('are refused when one %s', async (_what, wrong) => {
    const reply = await plan(wrong);
    expect([reply.status, reply.body.code]).toEqual([400, 'request/invalid']);
    expect(await localStatus()).toBe('online');
  });

  it('are entered by administrators only', async () => {
    const token = await app.token('financeMaker');
    const reply = await app.call('POST', '/v1/insurance/planned-windows', { token, body: body() });
    expect(reply.status).toBe(403);
  });

  it('switch the route off while they last, by business time', async () => {
    const { id } = (await plan(body(1, 2))).body;
    expect(await localStatus()).toBe('online');
    await app.clock(5_400);
    await waitFor(async () => (await localStatus()) === 'offline');
    expect(await tidings(app.db)).toEqual([
      { type: 'insurance.offline', route: 'local', outage: id },
    ]);
  });

  it('that are withdrawn end now, stay on record, and cannot be withdrawn again', async () => {
    const { id } = (await plan(body(-1, 2))).body;
    await waitFor(async () => (await localStatus()) === 'offline');
    const path = `/v1/insurance/planned-windows/${id}`;
    expect((await app.call('DELETE', path, { token: await admin() })).status).toBe(204);
    const again = await app.call('DELETE', path, { token: await admin() });
    expect([again.status, again.body.code]).toEqual([409, 'insurance/window-over']);
    const token = await app.token('auditor');
    const found = await app.call('GET', `/v1/insurance/outages/${id}`, { token });
    expect(found.body).toMatchObject({ isPlanned: true, secondsToDetect: null, visits: 0 });
    const trial = await waitFor(() => app.deps.breaker.takeTrial('local', 'conversion'));
    await app.deps.breaker.report('local', {
      infno: '2207',
      outcome: 'ok',
      reason: '',
      trialToken: trial,
    });
    expect(await localStatus()).toBe('online');
  });
});
