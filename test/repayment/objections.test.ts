// Objecting to a report: before it is sent, once; two people of finance decide, and nothing is sent meanwhile.
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scoreReport } from '../../src/db/schema.ts';
import { type Finance, financeOf, post } from '../finance/support.ts';
import { banksOf } from '../lender/banks.ts';
import { oweMore, owing } from '../lender/support.ts';
import { expectLaws, lineOf, type Scene, sceneOf } from '../settlement/support.ts';
import { type ReplyBody, useApp } from '../support/app.ts';
import { waitFor } from '../support/wait-for.ts';
import { said } from '../visit/support.ts';

const app = useApp();
let scene: Scene;
let finance: Finance;
const DAY_SECONDS = 86_400;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await financeOf(app);
});
afterAll(() => app.clock(0));

/** Somebody with three overdue bills who was told of a report; nothing is debited, for want of consent. */
async function toldOf() {
  await app.clock(0);
  const debtor = await owing(scene, '10.00');
  await oweMore(scene, debtor, '20.00');
  await oweMore(scene, debtor, '30.00');
  const consents = { consents: ['creditEnquiry', 'healthPayment'] };
  await app.call('PUT', '/v1/me/consents', { token: debtor.token, body: consents });
  await app.db.execute(sql`update receivable set due_at = business_now() - interval '1 hour'
    where line_id = ${debtor.lineId}`);
  const report = await waitFor(() => reportOf(debtor.token), { what: 'a report' });
  return { debtor, report };
}
const reportOf = async (token: string): Promise<ReplyBody> =>
  (await app.call('GET', '/v1/me/score-reports', { token })).body.data[0];
const caseOf = async (id: string): Promise<ReplyBody> => {
  const path = '/v1/finance-cases?kind=credit/report-objection&limit=100';
  const { body } = await app.call('GET', path, { token: finance.maker });
  return body.data.find((each: ReplyBody) => each.subjectId === id);
};
const decide = async (caseId: string, decision: string) => {
  const path = `/v1/finance-cases/${caseId}/objection`;
  const made = await post(app, path, finance.maker, { decision, reason: '核实' });
  expect(made.status, made.text).toBe(202);
  const done = await post(app, `/v1/proposals/${made.body.id}/approve`, finance.checker);
  expect(done.status, done.text).toBe(200);
};
const object = (token: string, id: string) =>
  app.call('POST', `/v1/me/score-reports/${id}/objection`, {
    token,
    body: { text: '账户被误冻结' },
  });

describe('an objection', () => {
  it('that is upheld ends the report; the words are sealed and seen by who decides', async () => {
    const { debtor, report } = await toldOf();
    expect(report).toMatchObject({ status: 'told', receivableIds: { length: 3 } });
    expect((await object(finance.maker, report.id)).status).toBe(403);
    const stranger = await owing(scene);
    expect((await object(stranger.token, report.id)).status).toBe(404);
    expect((await object(debtor.token, report.id)).body).toMatchObject({ status: 'objected' });
    expect(said(await object(debtor.token, report.id))).toEqual([409, 'report/wrong-state']);
    const [row] = await app.db.select().from(scoreReport).where(eq(scoreReport.id, report.id));
    expect(row?.objection?.toString('utf8')).not.toContain('误冻结');
    await app.clock(30 * DAY_SECONDS);
    const { id } = await caseOf(report.id);
    const seen = await app.call('GET', `/v1/finance-cases/${id}`, { token: finance.checker });
    expect(seen.body.objection).toBe('账户被误冻结');
    await decide(id, 'upheld');
    expect(await reportOf(debtor.token)).toMatchObject({ status: 'dropped' });
    const log = await app.call('GET', '/v1/me/access-log', { token: debtor.token });
    expect(log.text).toContain('财务查看您对逾期报送的异议');
    await expectLaws(app);
  });

  it('that is refused lets the report go; repaid, it is cleared and the line restored', async () => {
    const { debtor, report } = await toldOf();
    await object(debtor.token, report.id);
    await app.clock(6 * DAY_SECONDS);
    await waitFor(async () => (await lineOf(app, debtor.token)).status === 'suspended');
    const { id } = await caseOf(report.id);
    await decide(id, 'refused');
    await waitFor(async () => (await reportOf(debtor.token)).status === 'reported');
    const pay = { token: debtor.token, body: { amount: '60.00' } };
    expect((await app.call('POST', '/v1/me/repayments', pay)).body.status).toBe('paid');
    expect((await lineOf(app, debtor.token)).status).toBe('active');
    await waitFor(async () => (await reportOf(debtor.token)).status === 'cleared');
    const atProvider = await banksOf(app).reports();
    expect(atProvider.find((each) => each.serial === report.id)).toMatchObject({
      status: 'repaid',
    });
    const notices = await app.call('GET', '/v1/me/notices?limit=100', { token: debtor.token });
    const types = notices.body.data.map((each: ReplyBody) => each.type);
    expect(types).toEqual(
      expect.arrayContaining([
        'scoreReport.told',
        'scoreReport.sent',
        'scoreReport.ended',
        'line.suspended',
        'line.restored',
        'receivable.overdue',
      ]),
    );
    await expectLaws(app);
  });
});
