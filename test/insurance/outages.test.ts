// Role: what finance sees of an outage: its report, and the clerk's list of visits.

import { parse } from 'csv-parse/sync';
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '../../src/ids.ts';
import { useApp } from '../support/app.ts';
import { uniquePerson } from '../support/people.ts';
import { addConversion, forgetRoutes } from './breaker-support.ts';

const app = useApp({ worker: false });
const OTHER = 'H35020000002';
let auditor: string;
beforeAll(async () => {
  auditor = await app.token('auditor');
});
beforeEach(async () => {
  await app.db.execute(sql`delete from money_back`);
  await forgetRoutes(app.db);
});

const get = (path: string, options: { token?: string; accept?: string } = {}) =>
  app.call('GET', `/v1/insurance/outages${path}`, {
    token: options.token ?? auditor,
    ...(options.accept ? { headers: { accept: options.accept } } : {}),
  });

async function addOutage(options: { isPlanned?: boolean; isOver?: boolean } = {}) {
  const id = newId('outage');
  await app.db.execute(sql`
    insert into outage (id, route, is_planned, reason, starts_at, detected_at, ends_at)
    values (${id}, 'local', ${options.isPlanned ?? false}, 'connection refused: ECONNREFUSED',
      business_now() - interval '1 hour', business_now() - interval '1 hour' + interval '2.5 seconds',
      case when ${options.isOver ?? true} then business_now() end)`);
  return id;
}

async function addMoneyBack(settlementId: string, fen: number, isReduction = false) {
  const id = newId('moneyBack');
  await app.db.execute(sql`
    insert into money_back (id, settlement_id, cause_id, position, kind, amount, is_reduction, status,
      created_at)
    select ${id}, ${settlementId}, c.id, ${fen}, 'cash', ${fen}, ${isReduction}, 'done', business_now()
    from conversion c where c.settlement_id = ${settlementId} order by c.id desc limit 1`);
}

async function addClaim(settlementId: string, setlTime: string) {
  await app.db.execute(sql`
    insert into claim (id, settlement_id, setl_id, hospital_code, mdtrt_id, msgid, status, insutype,
      clr_type, clr_optins, setl_time, total, fund, account, family_account, hospital_borne, cash, split)
    values (${newId('claim')}, ${settlementId}, ${settlementId}, 'H35020000001', 'm', 'x', 'live', '310',
      '11', '350200', ${setlTime}::timestamptz, 100, 60, 0, 0, 0, 40, '')`);
}

describe('the report of an outage', () => {
  it('counts visits, money, what became of them and what went back', async () => {
    const outageId = await addOutage();
    const of = { outageId };
    const done = await addConversion(app.db, {
      ...of,
      status: 'converted',
      resolvedIn: 90,
      total: 30_000,
    });
    await addMoneyBack(done, 1_250);
    await addMoneyBack(done, 750);
    await addMoneyBack(done, 999, true);
    await addConversion(app.db, { ...of, status: 'rejected', resolvedIn: 60, total: 1 });
    await addConversion(app.db, { ...of, status: 'cancelled', resolvedIn: 30, total: 2 });
    for (const status of ['queued', 'claiming', 'awaitingPatient'])
      await addConversion(app.db, { ...of, status, total: 100 });
    await addConversion(app.db, { status: 'queued', total: 5_000_000 });
    const reply = await get(`/${outageId}`);
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body).toMatchObject({
      id: outageId,
      route: 'local',
      isPlanned: false,
      secondsToDetect: 2.5,
      visits: 6,
      money: '303.03',
      converted: 1,
      rejected: 1,
      cancelled: 1,
      waiting: 3,
      refunds: 2,
      refundedMoney: '20.00',
      minutesToDrain: null,
    });
  });

  it('says how long the queue took once nothing waits, and counts a retried visit once', async () => {
    const outageId = await addOutage();
    const settlementId = await addConversion(app.db, {
      outageId,
      status: 'rejected',
      resolvedIn: 30,
      createdIn: -60,
    });
    await addConversion(app.db, { outageId, status: 'converted', resolvedIn: 180, settlementId });
    const { body } = await get(`/${outageId}`);
    expect(body).toMatchObject({ visits: 1, converted: 1, rejected: 0, minutesToDrain: 3 });
  });

  it('of an outage without a visit is drained at its end; of one that lasts, not yet', async () => {
    const over = await addOutage();
    expect((await get(`/${over}`)).body).toMatchObject({ visits: 0, minutesToDrain: 0 });
    const lasting = await addOutage({ isOver: false });
    expect((await get(`/${lasting}`)).body).toMatchObject({ endsAt: null, minutesToDrain: null });
  });

  it('shows a hospital’s own finance only its own visits', async () => {
    const outageId = await addOutage();
    await addConversion(app.db, { outageId, total: 700 });
    await addConversion(app.db, { outageId, total: 1_100, hospitalCode: OTHER });
    const token = await app.token('financeMaker', { hospitalCode: OTHER });
    expect((await get(`/${outageId}`, { token })).body).toMatchObject({
      visits: 1,
      money: '11.00',
    });
    const list = await get(`/${outageId}`, { token, accept: 'text/csv' });
    expect(parse(list.text, { bom: true, columns: true })).toMatchObject([{ hospital: OTHER }]);
  });

  it('is nobody’s but finance’s, auditors’ and administrators’, and of outages that exist', async () => {
    const outageId = await addOutage();
    for (const role of ['terminal', 'citizen', 'lenderOperator'] as const) {
      const options = role === 'citizen' ? { citizen: uniquePerson() } : {};
      const token = await app.token(role, options);
      expect((await get(`/${outageId}`, { token })).status, role).toBe(403);
      expect((await get('', { token })).status, role).toBe(403);
    }
    expect((await get(`/${newId('outage')}`)).status).toBe(404);
    expect((await get('/out_1')).status).toBe(404);
  });
});

it('gives the clerk a line a visit: when it was, when it was claimed, and of which outage', async () => {
  const outageId = await addOutage();
  const done = await addConversion(app.db, { outageId, status: 'converted', resolvedIn: 5 });
  await addClaim(done, '2026-01-03T01:02:03Z');
  await addConversion(app.db, { outageId, status: 'queued', hospitalCode: OTHER });
  const csv = await get(`/${outageId}`, { accept: 'text/csv' });
  expect(csv.headers.get('content-disposition')).toContain(`outage-${outageId}.csv`);
  const lines = parse(csv.text, { bom: true, columns: true }) as Record<string, string>[];
  expect(lines).toEqual([
    {
      visitTime: '2026-01-02T10:30:00+08:00',
      claimTime: '2026-01-03T09:02:03+08:00',
      visitNumber: expect.stringMatching(/^N/),
      outageId,
      hospital: 'H35020000001',
      status: 'converted',
    },
    {
      visitTime: '2026-01-02T10:30:00+08:00',
      claimTime: '',
      visitNumber: expect.stringMatching(/^N/),
      outageId,
      hospital: OTHER,
      status: 'queued',
    },
  ]);
  const xlsx = await get(`/${outageId}`, {
    accept: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  });
  expect(xlsx.headers.get('content-type')).toContain('spreadsheetml');
});

describe('the list of outages', () => {
  it('goes page by page, newest first, and names a planned window from when it began', async () => {
    const first = await addOutage();
    const second = await addOutage({ isPlanned: true });
    await app.db.execute(sql`
      insert into outage (id, route, is_planned, reason, starts_at, ends_at)
      values (${newId('outage')}, 'local', true, '升级', now() + interval '1 day', now() + interval '2 days')`);
    const page = await get('?limit=1');
    expect(page.body.data).toMatchObject([{ id: second, isPlanned: true, secondsToDetect: null }]);
    const next = await get(`?limit=1&cursor=${page.body.nextCursor}`);
    expect(next.body).toMatchObject({ data: [{ id: first }], nextCursor: null });
    expect((await get('?route=crossRegion')).body.data).toEqual([]);
    expect((await get('?cursor=nonsense')).status).toBe(400);
  });
});
