// A break lives until both books agree or two people settled it: days that catch up, owners, remedies.
import { sql } from 'drizzle-orm';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rows } from '../../src/db/db.ts';
import { type Finance, financeOf, post } from '../finance/support.ts';
import {
  charge,
  expectLaws,
  item,
  newPatient,
  nextNumber,
  openVisit,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { atHour, breaksOf, hisRows, paidBill, reconcile } from './support.ts';

const app = useApp({ worker: false });
let finance: Finance;
let scene: Scene;
let day = '';
let days = 0;
beforeAll(async () => {
  finance = await financeOf(app);
});
beforeEach(async () => {
  days += 3;
  day = await atHour(app, 12, days);
  scene = await sceneOf(app);
});

const read = (id: string, token = finance.maker) => app.call('GET', `/v1/breaks/${id}`, { token });

async function oneBreak(change: Record<string, string> = { amount: '33.00' }) {
  const paid = await paidBill(scene, [['cash', '30.00']]);
  const run = await reconcile(scene, finance.maker, day, hisRows(scene, paid, change));
  const [found] = await breaksOf(app, finance.maker, run.id);
  if (!found) throw new Error('a break');
  return { paid, found };
}

const propose = (id: string, body: Record<string, unknown>, token = finance.maker) =>
  post(app, `/v1/breaks/${id}/proposals`, token, { reason: '已核对', ...body });
const approve = (id: string, token = finance.checker) =>
  post(app, `/v1/proposals/${id}/approve`, token);

describe('a row on another day', () => {
  it('that the hospital writes the next day clears itself, and is no break of that day', async () => {
    await atHour(app, 23.75, days);
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const first = await reconcile(
      scene,
      finance.maker,
      day,
      hisRows(scene, await paidBill(scene, [['cash', '1.00']])),
    );
    expect(first.breaks.byKind).toEqual({ dateCutoff: 1 });
    const [waiting] = await breaksOf(app, finance.maker, first.id);
    expect(waiting).toMatchObject({ isSelfClearing: true, status: 'open' });
    const next = await atHour(app, 12, days + 1);
    const second = await reconcile(
      scene,
      finance.maker,
      next,
      hisRows(scene, paid, { businessDate: next }),
    );
    expect(second.breaks.total).toBe(0);
    expect((await read(waiting?.id)).body).toMatchObject({
      status: 'cleared',
      resolution: { by: 'reconciliation', reconciliationId: second.id, counterDate: next },
    });
    // The old day's file once more, in another version: what was explained stays explained.
    const extra = await paidBill(scene, [['cash', '2.00']]);
    const third = await reconcile(
      scene,
      finance.maker,
      day,
      hisRows(scene, extra, { businessDate: day }),
    );
    const open = (await breaksOf(app, finance.maker, third.id)).filter(
      (each) => each.status === 'open',
    );
    expect(open.map((each) => each.ourAmount)).not.toContain('30.00');
  });

  it('is known at once when it is ours on the day before', async () => {
    const paid = await paidBill(scene, [['cash', '30.00']]);
    const next = await atHour(app, 12, days + 1);
    const run = await reconcile(
      scene,
      finance.maker,
      next,
      hisRows(scene, paid, { businessDate: next }),
    );
    expect(run.breaks.byKind).toEqual({ dateCutoff: 1 });
    const before = await reconcile(
      scene,
      finance.maker,
      day,
      hisRows(scene, await paidBill(scene, [['cash', '1.00']]), { businessDate: day }),
    );
    const [found] = await breaksOf(app, finance.maker, run.id);
    expect(found).toMatchObject({ status: 'cleared', resolution: { reconciliationId: before.id } });
  });
});

describe('a break', () => {
  it('is given to a person under If-Match', async () => {
    const { found } = await oneBreak();
    const path = `/v1/breaks/${found.id}`;
    const seen = await read(found.id);
    const etag = seen.headers.get('etag') ?? '';
    const patch = (ifMatch: string | null) =>
      app.call('PATCH', path, {
        token: finance.maker,
        body: { owner: '李会计' },
        headers: ifMatch === null ? {} : { 'if-match': ifMatch },
      });
    expect((await patch(null)).status).toBe(428);
    expect((await patch('"99"')).status).toBe(412);
    const owned = await patch(etag);
    expect(owned.body).toMatchObject({ owner: '李会计' });
    expect((await patch(etag)).status).toBe(412);
    const { body } = await app.call('GET', '/v1/breaks?owner=none&limit=100', {
      token: finance.maker,
    });
    expect(body.data.map((each: { id: string }) => each.id)).not.toContain(found.id);
  });

  it('is settled by a balanced entry of two people, once, and stays settled', async () => {
    const { paid, found } = await oneBreak();
    const leg = { owner: scene.hospitalCode, amount: '3.00' };
    const legs = [
      { ...leg, account: '1104', side: 'debit' },
      { ...leg, account: '2203', side: 'credit' },
    ];
    const lame = await propose(found.id, { remedy: 'adjust', legs: [legs[0], legs[0]] });
    expect([lame.status, lame.body.code]).toEqual([422, 'break/unbalanced']);
    const elsewhere = legs.map((each) => ({ ...each, owner: 'H35020000002' }));
    expect((await propose(found.id, { remedy: 'adjust', legs: elsewhere })).body.code).toBe(
      'break/remedy-unfit',
    );
    const ofShift = legs.map((each) => ({ ...each, shiftId: 'shf_01m8119hxpfzrt6xzk8etvshn6' }));
    // A shift's drawer is what was taken and paid out in it: an adjustment never moves it.
    expect((await propose(found.id, { remedy: 'adjust', legs: ofShift })).status).toBe(400);
    const made = await propose(found.id, { remedy: 'adjust', legs });
    expect(made.body.detail.legs).toMatchObject(legs);
    expect([made.status, made.body.kind]).toEqual([202, 'breakRemedy']);
    expect((await propose(found.id, { remedy: 'markExplained' })).body.code).toBe(
      'finance/proposal-open',
    );
    expect((await read(found.id)).body.status).toBe('open');
    const both = await app.token('financeChecker', { subject: 'both' });
    expect((await approve(made.body.id, both)).status).toBe(200);
    expect((await approve(made.body.id)).body.code).toBe('finance/proposal-resolved');
    expect((await read(found.id)).body).toMatchObject({
      status: 'resolved',
      resolution: { proposalId: made.body.id },
    });
    const entries = await rows<{ amount: bigint; day: string; occurred: string }>(
      app.db,
      sql`select p.amount, e.business_date::text as day, e.occurred_at::text as occurred
      from journal_entry e join posting p on p.entry_id = e.id
      where e.fact = 'break.adjusted' and e.subject_id = ${found.id} order by p.leg`,
    );
    expect(entries.map((each) => each.amount)).toEqual([300n, -300n]);
    const rerun = await reconcile(scene, finance.maker, day, [
      ...hisRows(scene, paid, { amount: '33.00' }),
      ...hisRows(scene, await paidBill(scene, [['cash', '5.00']])),
    ]);
    const listed = await breaksOf(app, finance.maker, rerun.id);
    expect(listed.filter((each) => each.status === 'open')).toEqual([]);
    await expectLaws(app);
  });

  it('is never settled by the person who proposed it', async () => {
    const { found } = await oneBreak();
    const made = await propose(found.id, { remedy: 'markExplained' });
    // One person with both roles is still one person.
    const [row] = await rows<{ maker: string }>(
      app.db,
      sql`select maker from proposal where id = ${made.body.id}`,
    );
    await app.db.execute(
      sql`update proposal set maker = ${(await clientOf(finance.checker)) ?? ''} where id = ${made.body.id}`,
    );
    expect(row?.maker).not.toBe('');
    const refused = await approve(made.body.id);
    expect([refused.status, refused.body.code]).toEqual([403, 'finance/same-person']);
    expect((await read(found.id)).body.status).toBe('open');
  });

  it('of money we did not know is collected against what is due', async () => {
    const { person } = await newPatient(app, { isEnrolled: false });
    const visit = await openVisit(scene, person, { visitNumber: nextNumber('V') });
    await charge(scene, visit.id, [item(1, '40.00')]);
    const receipt = nextNumber('R');
    const { body } = await settle(scene, visit.id, { insurance: 'skip', receiptNumber: receipt });
    expect(body.dueAtCounter).toBe('40.00');
    const paid = {
      settlement: { ...body, tenders: [{ kind: 'wechatPay', amount: '40.00' }] },
      visitNumber: visit.visitNumber,
      receipt,
    };
    const run = await reconcile(scene, finance.maker, day, hisRows(scene, paid));
    expect(run.breaks.byKind).toEqual({ missingAtPlatform: 1 });
    const [found] = await breaksOf(app, finance.maker, run.id);
    const made = await propose(found?.id, {
      remedy: 'collectPayment',
      settlementId: body.id,
      payment: { kind: 'wechatPay', amount: '40.00', reference: nextNumber('T') },
    });
    expect((await approve(made.body.id)).status).toBe(200);
    const settled = await app.call('GET', `/v1/settlements/${body.id}`, { token: scene.terminal });
    expect(settled.body).toMatchObject({ status: 'settled', dueAtCounter: '0.00' });
    await expectLaws(app);
  });

  it('is shown to its own hospital’s finance only, and as CSV and XLSX', async () => {
    const { found } = await oneBreak();
    const elsewhere = await app.token('financeMaker', { hospitalCode: 'H35020000002' });
    expect((await read(found.id, elsewhere)).status).toBe(404);
    expect((await propose(found.id, { remedy: 'markExplained' }, elsewhere)).status).toBe(404);
    const run = await app.call('GET', `/v1/reconciliations/${found.reconciliationId}`, {
      token: elsewhere,
    });
    expect(run.status).toBe(404);
    const own = await app.token('financeMaker', { hospitalCode: scene.hospitalCode });
    expect((await read(found.id, own)).status).toBe(200);
    const path = `/v1/reconciliations/${found.reconciliationId}/breaks`;
    const csv = await app.call('GET', path, { token: own, headers: { accept: 'text/csv' } });
    expect(csv.text).toContain(found.id);
    expect(csv.text).toContain('amountOver');
    const xlsx = await app.call('GET', '/v1/breaks', {
      token: own,
      headers: { accept: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' },
    });
    expect(xlsx.headers.get('content-type')).toContain('spreadsheetml');
    const abroad = await app.call(
      'POST',
      `/v1/reconciliations?counterparty=hospital&businessDate=${day}&hospital=${scene.hospitalCode}`,
      {
        token: elsewhere,
        body: 'x',
        headers: { 'content-type': 'text/csv' },
      },
    );
    expect(abroad.status).toBe(403);
  });
});

async function clientOf(token: string): Promise<string | undefined> {
  const { found } = await oneBreak({ amount: '31.00' });
  const made = await propose(found.id, { remedy: 'markExplained' });
  await post(app, `/v1/proposals/${made.body.id}/decline`, token);
  const [row] = await rows<{ checker: string }>(
    app.db,
    sql`select checker from proposal where id = ${made.body.id}`,
  );
  return row?.checker;
}
