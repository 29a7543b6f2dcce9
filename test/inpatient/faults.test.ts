// Every inpatient trade fails in every way: nobody waits, nothing is lost, and in the end the insurer's
// own books hold exactly one live claim of the stay and one admission that is over.
import { sql } from 'drizzle-orm';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { expectLaws, newPatient, type Scene, sceneOf, settle } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { said } from '../visit/support.ts';
import { admit, chargeDay, chargedStay, executed, expectOneLiveClaim } from './support.ts';

const app = useApp({ env: { INSURANCE_QUIET_MS: '200' } });
let scene: Scene;
beforeAll(async () => {
  scene = await sceneOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

const slips = ['answerLost', 'error500', 'garbage'] as const;
const settlementOf = async (id: string): Promise<ReplyBody> =>
  (await app.call('GET', `/v1/settlements/${id}`, { token: scene.terminal })).body;

/** All that was said to the insurer came to one claim, and the admission that carries it is over. */
async function expectClosedOnce(visit: ReplyBody, total = '300.00') {
  const claim = await expectOneLiveClaim(scene, visit, total);
  await waitFor(async () => (await executed(scene, '2402', claim.mdtrtId)).length === 1, {
    timeoutMs: 30_000,
    what: '2402',
  });
  // An admission that carries no claim is undone: nobody lies in two beds.
  const admissions = await executed(scene, '2401', visit.visitNumber);
  const { psn_no: psnNo } = admissions[0].mdtrtinfo;
  await waitFor(
    async () => (await executed(scene, '2404', psnNo)).length === admissions.length - 1,
  );
  await expectLaws(app);
  return claim;
}

async function converted(settlementId: string): Promise<ReplyBody> {
  return waitFor(
    async () => {
      const now = await settlementOf(settlementId);
      return now.insurance.status === 'converted' && now;
    },
    { timeoutMs: 30_000, what: 'the conversion' },
  );
}

describe('an admission', () => {
  it.each([
    ...slips.map((mode) => ({ mode, on: ['2401'] })),
    { mode: 'reject', on: ['2401'], reason: '入院登记信息不完整' },
    { mode: 'refuseConnection' },
  ])('is never refused by $mode, and made once in the end', async (fault) => {
    const { person } = await newPatient(app);
    await app.fault(fault);
    const visit = await admit(scene, person);
    expect(visit.status).toBe('open');
    await app.fault({ mode: 'none' });
    await chargeDay(scene, visit.id, 1);
    const paid = await waitFor(async () => {
      const reply = await settle(scene, visit.id);
      return reply.status === 200 ? reply : null;
    });
    expect(paid.body.insurance.status, paid.text).toBe('claimed');
    await expectClosedOnce(visit);
    expect(await executed(scene, '2401', visit.visitNumber)).toHaveLength(1);
  });

  it('comes back by itself when the insurer does', async () => {
    const { person } = await newPatient(app);
    await app.fault({ mode: 'error500', on: ['2401'] });
    const visit = await admit(scene, person);
    await app.fault({ mode: 'none' });
    await app.db.execute(
      sql`update job set next_attempt_at = clock_timestamp() where subject_id = ${visit.id}`,
    );
    await waitFor(async () => (await executed(scene, '2401', visit.visitNumber)).length === 1);
  });
});

describe('a settlement of a stay', () => {
  const trades = ['2301', '2303', '2304'];
  it.each(trades.flatMap((infno) => slips.map((mode) => ({ infno, mode }))))(
    'is self-paid at once and converted to one live claim after $mode at $infno',
    async ({ infno, mode }) => {
      const { visit } = await chargedStay(scene);
      await app.fault({ mode, on: [infno] });
      const paid = await settle(scene, visit.id);
      expect(paid.body.insurance.status, paid.text).toBe('awaitingInsurance');
      await app.fault({ mode: 'none' });
      await converted(paid.body.id);
      await expectClosedOnce(visit);
    },
  );

  it.each(trades)(
    'is refused with its reason and nothing changed when %s says no',
    async (infno) => {
      const { visit } = await chargedStay(scene);
      await app.fault({ mode: 'reject', on: [infno], reason: '费用明细不符合医保支付规则' });
      const refused = await settle(scene, visit.id);
      expect(said(refused)).toEqual([409, 'insurance/rejected']);
      expect(refused.body.detail).toContain('费用明细不符合医保支付规则');
      await app.fault({ mode: 'none' });
      expect((await settle(scene, visit.id)).body.insurance.status).toBe('claimed');
      await expectClosedOnce(visit);
    },
  );

  it('is self-paid while the port is closed, and converted with the times of the stay', async () => {
    const startedAt = new Date(Date.now() - 7 * 86_400_000).toISOString();
    const at = new Date(Date.now() - 3_600_000).toISOString();
    const { person } = await newPatient(app);
    await app.fault({ mode: 'refuseConnection' });
    const visit = await admit(scene, person, { startedAt });
    await chargeDay(scene, visit.id, 1);
    const path = `/v1/visits/${visit.id}/discharge`;
    const left = await app.call('POST', path, { token: scene.terminal, body: { at } });
    expect(left.status, left.text).toBe(200);
    const paid = await settle(scene, visit.id);
    expect(paid.body.insurance.status, paid.text).toBe('awaitingInsurance');
    await app.fault({ mode: 'none' });
    await converted(paid.body.id);
    const claim = await expectClosedOnce(visit);
    const shanghai = (text: string) =>
      new Date(Date.parse(text) + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
    const [admission] = await executed(scene, '2401', visit.visitNumber);
    expect(admission.mdtrtinfo.begntime).toBe(shanghai(startedAt));
    const [settled] = await executed(scene, '2304', claim.mdtrtId);
    expect(settled.data).toMatchObject({ mid_setl_flag: '0', dscgTime: shanghai(at) });
    const [out] = await executed(scene, '2402', claim.mdtrtId);
    expect(out.dscginfo.endtime).toBe(shanghai(at));
  });
});

describe('a refund of a stay', () => {
  const refundLine = (settlementId: string) =>
    app.call('POST', `/v1/settlements/${settlementId}/refunds`, {
      token: scene.terminal,
      body: { lines: [{ lineNumber: 1 }], reason: '退' },
    });

  it.each(slips)('ends with one live claim of the rest after %s at 2305', async (mode) => {
    const { visit } = await chargedStay(scene);
    const paid = await settle(scene, visit.id);
    await app.fault({ mode, on: ['2305'] });
    const refund = await refundLine(paid.body.id);
    expect(refund.status, refund.text).toBe(202);
    await app.fault({ mode: 'none' });
    await app.db.execute(sql`update intent set lease_until = clock_timestamp()
      where kind = 'refund' and status = 'running'`);
    await waitFor(async () => {
      const path = `/v1/refunds/${refund.body.id}`;
      const { body } = await app.call('GET', path, { token: scene.terminal });
      return body.status === 'completed';
    });
    await expectClosedOnce(visit, '200.00');
  });

  it('is refused and changes nothing when 2305 says no', async () => {
    const { visit } = await chargedStay(scene);
    const paid = await settle(scene, visit.id);
    await app.fault({ mode: 'reject', on: ['2305'], reason: '费用已清算，不能撤销' });
    expect(said(await refundLine(paid.body.id))).toEqual([409, 'insurance/rejected']);
    await app.fault({ mode: 'none' });
    await expectClosedOnce(visit);
  });
});

describe('2402', () => {
  const casesOf = (visitId: string) =>
    rows(app.db, sql`select detail from finance_case where subject_id = ${visitId}`);

  it.each(slips)('is repeated after %s until the patient is out of hospital once', async (mode) => {
    const { visit } = await chargedStay(scene);
    await app.fault({ mode, on: ['2402'] });
    expect((await settle(scene, visit.id)).status).toBe(200);
    await waitFor(
      async () =>
        (
          await rows(
            app.db,
            sql`select 1 from insurance_message
          where visit_id = ${visit.id} and infno = '2402'`,
          )
        ).length > 0,
    );
    await app.fault({ mode: 'none' });
    await app.db.execute(
      sql`update job set next_attempt_at = clock_timestamp() where subject_id = ${visit.id}`,
    );
    await expectClosedOnce(visit);
    expect(await casesOf(visit.id)).toEqual([]);
  });

  it('is a finance case when the insurer refuses it', async () => {
    const { visit } = await chargedStay(scene);
    await app.fault({ mode: 'reject', on: ['2402'], reason: '出院诊断不符合规范' });
    expect((await settle(scene, visit.id)).status).toBe(200);
    const [opened] = await waitFor(async () => {
      const found = await casesOf(visit.id);
      return found.length > 0 ? found : null;
    });
    expect(opened).toEqual({ detail: { step: 'discharge', reason: '出院诊断不符合规范' } });
  });
});
