import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { runDueJobs } from '../../src/outbox/jobs.ts';
import { undoUnpaid } from '../../src/shift/undo-unpaid.ts';
import {
  charge,
  expectLaws,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  settle,
} from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';

const app = useApp({ worker: false });
const HOSPITAL = 'H35020000001';
const POOR = 'H35020000002';
let scene: Scene;

/** A terminal of its own, so that no test meets another's shift. */
const atTerminal = async (hospitalCode = HOSPITAL): Promise<Scene> => ({
  app,
  hospitalCode,
  terminal: await app.token('terminal', { hospitalCode, subject: nextNumber('t') }),
});

beforeAll(async () => {
  scene = await atTerminal();
});

const call = (at: Scene, method: string, path: string, body?: unknown) =>
  app.call(method, path, { token: at.terminal, ...(body === undefined ? {} : { body }) });

async function open(at: Scene, openingFloat = '100.00'): Promise<ReplyBody> {
  const operator = { id: '7', name: '海若云' };
  const reply = await call(at, 'POST', '/v1/shifts', { shift: '早班', operator, openingFloat });
  expect(reply.status, reply.text).toBe(201);
  return reply.body;
}

async function close(at: Scene, shiftId: string, counted: string): Promise<ReplyBody> {
  const reply = await call(at, 'POST', `/v1/shifts/${shiftId}/close`, { counted });
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
}

/** A bill of 100.00 of somebody without credit, paid in cash as far as told. */
async function payCash(
  at: Scene,
  amount: string | null,
  insurance: 'skip' | 'claim' = 'skip',
): Promise<ReplyBody> {
  const { person } = await newPatient(app, { isEnrolled: false });
  const visit = await openVisit(at, person);
  await charge(at, visit.id, [item(1, '100.00')]);
  const counterTenders = amount ? [{ kind: 'cash', amount, reference: nextNumber('C') }] : [];
  const reply = await settle(at, visit.id, { insurance, counterTenders });
  expect(reply.status, reply.text).toBe(200);
  return reply.body;
}

const collect = (at: Scene, settlementId: string, amount: string, kind = 'cash') =>
  call(at, 'POST', `/v1/settlements/${settlementId}/payments`, {
    kind,
    amount,
    reference: nextNumber('P'),
  });

async function breaksOf(shiftId: string): Promise<ReplyBody[]> {
  return rows<ReplyBody>(
    app.db,
    sql`select counterparty, kind, scope, our_amount as ours, their_amount as theirs, remedy, status,
      is_self_clearing as clears, business_date::text as day
    from reconciliation_break where subject = ${shiftId}`,
  );
}

describe('a counter shift', () => {
  it('counts the drawer against what was taken and paid out in it', async () => {
    const at = await atTerminal();
    await payCash(at, '100.00');
    const shift = await open(at);
    expect(shift).toMatchObject({ status: 'open', shift: '早班', expected: '100.00' });
    await payCash(at, '100.00');
    const partly = await payCash(at, '30.00');
    expect((await collect(at, partly.id, '20.00')).status).toBe(200);
    expect((await collect(at, partly.id, '50.00', 'bankCard')).status).toBe(200);
    const refund = await call(at, 'POST', `/v1/settlements/${partly.id}/refunds`, {
      all: true,
      reason: '退费',
    });
    const voucher = refund.body.tenders.find((tender: ReplyBody) => tender.voucherCode);
    const paid = await call(at, 'POST', `/v1/refund-vouchers/${voucher.voucherCode}/payout`);
    expect(paid.status, paid.text).toBe(200);
    const now = await call(at, 'GET', '/v1/shifts/current');
    const moved = 10_000n + 3_000n + 2_000n - BigInt(paid.body.amount.replace('.', ''));
    const expected = 10_000n + moved;
    expect(BigInt(now.body.expected.replace('.', ''))).toBe(expected);
    const counted = now.body.expected;
    const closed = await close(at, shift.id, counted);
    expect(closed).toMatchObject({ status: 'closed', counted, difference: '0.00', unpaid: [] });
    expect(closed.operator).toEqual({ id: '7', name: '海若云' });
    expect(await breaksOf(shift.id)).toEqual([]);
    await expectLaws(app);
  });

  it.each([
    ['amountOver', '200.50', '0.50'],
    ['amountUnder', '199.00', '-1.00'],
  ])('makes a break of what is over or short: %s', async (kind, counted, difference) => {
    const at = await atTerminal();
    const shift = await open(at);
    await payCash(at, '100.00');
    expect(await close(at, shift.id, counted)).toMatchObject({ expected: '200.00', difference });
    expect(await breaksOf(shift.id)).toMatchObject([
      {
        counterparty: 'counter',
        kind,
        scope: HOSPITAL,
        ours: 20_000n,
        theirs: BigInt(counted.replace('.', '')),
        remedy: 'adjust',
        status: 'open',
        clears: false,
        day: shift.businessDate,
      },
    ]);
    await expectLaws(app);
  });

  it('is one at a time at a terminal, closed once, and no other terminal’s', async () => {
    const at = await atTerminal();
    const shift = await open(at);
    const again = await call(at, 'POST', '/v1/shifts', { shift: '晚班', openingFloat: '0.00' });
    expect(again.body.code).toBe('shift/open');
    const path = `/v1/shifts/${shift.id}/close`;
    expect((await call(scene, 'POST', path, { counted: '1.00' })).status).toBe(404);
    expect((await call(scene, 'GET', '/v1/shifts/current')).status).toBe(404);
    await close(at, shift.id, '100.00');
    expect((await call(at, 'POST', path, { counted: '1.00' })).body.code).toBe('shift/closed');
    expect((await call(at, 'GET', '/v1/shifts/current')).status).toBe(404);
    await open(at, '0.00');
  });

  it('of a terminal that was revoked is closed at another one of its hospital', async () => {
    const [mine, other, elsewhere] = [
      await atTerminal(),
      await atTerminal(),
      await atTerminal(POOR),
    ];
    const { id } = await open(mine);
    const counted = { counted: '100.00' };
    const tried = await call(other, 'POST', `/v1/shifts/${id}/close`, counted);
    expect(tried.status).toBe(404);
    await app.db.execute(sql`update terminal set revoked_at = now()
      where id = (select terminal_id from counter_shift where id = ${id})`);
    expect((await call(elsewhere, 'POST', `/v1/shifts/${id}/close`, counted)).status).toBe(404);
    expect((await close(other, id, '100.00')).difference).toBe('0.00');
  });

  it('lets nothing slip between the count and the close: cash is in this shift or the next', async () => {
    const at = await atTerminal();
    for (let round = 0; round < 3; round += 1) {
      const shift = await open(at, '0.00');
      const owing = await Promise.all([1, 2, 3, 4].map(() => payCash(at, null)));
      const [closed] = await Promise.all([
        close(at, shift.id, '0.00'),
        ...owing.map((settlement) => collect(at, settlement.id, '100.00')),
      ]);
      const [booked] = await rows<{ inside: bigint; all: bigint }>(
        app.db,
        sql`
        select coalesce(sum(amount) filter (where shift_id = ${shift.id}), 0)::bigint as inside,
          coalesce(sum(amount), 0)::bigint as all
        from posting where account = '1101'
          and settlement_id in (select jsonb_array_elements_text(
            ${JSON.stringify(owing.map((s) => s.id))}::jsonb))`,
      );
      expect(booked?.all).toBe(40_000n);
      expect(BigInt(closed.expected.replace('.', ''))).toBe(booked?.inside);
    }
    await expectLaws(app);
  });

  it('leaves what is unpaid as arrears that can be collected later', async () => {
    const at = await atTerminal();
    const shift = await open(at);
    const owing = await payCash(at, '40.00');
    const closed = await close(at, shift.id, '140.00');
    expect(closed.unpaid).toEqual([
      { settlementId: owing.id, amount: '60.00', becomes: 'arrears' },
    ]);
    expect((await collect(at, owing.id, '60.00')).body.status).toBe('settled');
    await expectLaws(app);
  });

  it('lists what was left unpaid between two shifts with the next one, once', async () => {
    const at = await atTerminal();
    const first = await open(at);
    const inFirst = await payCash(at, '40.00');
    const one = await close(at, first.id, '140.00');
    expect(one.unpaid.map((u: ReplyBody) => u.settlementId)).toEqual([inFirst.id]);
    const between = await payCash(at, '40.00');
    const second = await open(at);
    const inSecond = await payCash(at, '40.00');
    const two = await close(at, second.id, '140.00');
    expect(two.unpaid.map((u: ReplyBody) => u.settlementId)).toEqual(
      [between.id, inSecond.id].sort(),
    );
    const third = await open(at);
    expect((await close(at, third.id, '100.00')).unpaid).toEqual([]);
  });

  it('undoes what is unpaid where the hospital wants it, unless it was paid meanwhile', async () => {
    const made = await app.call('POST', '/v1/policies', {
      token: await app.token('admin'),
      body: { kind: 'hospital', name: POOR, data: { unpaidAtShiftEnd: 'undo' } },
    });
    expect(made.status, made.text).toBe(201);
    const at = await atTerminal(POOR);
    const shift = await open(at);
    const [owing, late] = [await payCash(at, '40.00'), await payCash(at, '40.00')];
    const insured = await payCash(at, null, 'claim');
    expect(insured.insurance.status).toBe('claimed');
    const closed = await close(at, shift.id, '180.00');
    expect(closed.unpaid.map((one: ReplyBody) => one.becomes)).toEqual(['undo', 'undo', 'undo']);
    expect((await collect(at, late.id, '60.00')).status).toBe(200);
    await runDueJobs(app.deps, { undoUnpaid }, 10);
    const read = async (id: string) => (await call(at, 'GET', `/v1/settlements/${id}`)).body.status;
    expect(await read(owing.id)).toBe('refunded');
    expect(await read(late.id)).toBe('settled');
    expect(await read(insured.id)).toBe('refunded');
    const { claimId } = insured.insurance;
    const claims = await app.claims({ hospitalCode: POOR });
    expect(claims.find((claim) => claim.setlId === claimId)).toMatchObject({ status: 'cancelled' });
    await expectLaws(app);
  });

  it('is not needed: a terminal without a shift takes cash as before', async () => {
    const at = await atTerminal();
    const settlement = await payCash(at, '100.00');
    const [leg] = await rows<{ shift_id: string | null }>(
      app.db,
      sql`select shift_id from posting where account = '1101' and settlement_id = ${settlement.id}`,
    );
    expect(leg?.shift_id).toBeNull();
  });
});

describe('the seconds at the counter', () => {
  it('are kept with what a terminal settled', async () => {
    const settlement = await payCash(scene, '100.00');
    const [row] = await rows<{ ms: number | null }>(
      app.db,
      sql`select counter_ms as ms from settlement where id = ${settlement.id}`,
    );
    expect(row?.ms).toBeGreaterThanOrEqual(0);
    expect(row?.ms).toBeLessThan(60_000);
  });
});
