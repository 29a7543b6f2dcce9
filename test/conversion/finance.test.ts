// Finance sends a refused conversion round again, or closes one with two people.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dueConversions, takeConversion } from '../../src/conversion/convert-queue.ts';
import { casesAbout, type Finance, financeOf, post } from '../finance/support.ts';
import {
  chargedVisit,
  expectLaws,
  newPatient,
  type Scene,
  sceneOf,
  settle,
} from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { ask, drain, giveUp, receivableOf, refused, selfPaid, settlementOf } from './support.ts';

const DAY = 86_400;
const app = useApp({ worker: false });
let scene: Scene;
let finance: Finance;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await financeOf(app);
});
afterEach(async () => {
  await app.fault({ mode: 'none' });
  await app.clock(0);
});

const read = async (id: string) =>
  (await app.call('GET', `/v1/conversions/${id}`, { token: finance.maker })).body;
const retry = (id: string, token = finance.maker) =>
  post(app, `/v1/conversions/${id}/retry`, token);
const close = (id: string, reason = '患者已自费', token = finance.maker) =>
  post(app, `/v1/conversions/${id}/close`, token, { reason });
const approve = (id: string) => post(app, `/v1/proposals/${id}/approve`, finance.checker);

describe('a refused conversion', () => {
  it('is a case with the insurer’s words, and the patient is told what a claim by hand needs', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const [found] = await casesAbout(app, finance.maker, no.id);
    expect(found).toMatchObject({
      kind: 'insurance/rejected',
      status: 'open',
      settlementId: no.settlement.id,
      hospitalCode: scene.hospitalCode,
      reason: expect.stringContaining('目录编码未上传追溯码'),
      handClaim: { deadline: expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/) },
    });
    expect(found.handClaim.papers[0]).toEqual({
      zh: expect.stringMatching(/\p{Script=Han}/u),
      en: expect.stringMatching(/[a-z]/),
    });
    const path = `/v1/me/settlements/${no.settlement.id}/conversion`;
    const mine = await app.call('GET', path, { token: no.token });
    expect(mine.body).toMatchObject({ status: 'rejected', handClaim: { fees: [{}, {}] } });
    expect(mine.body.handClaim.reason).toContain('目录编码未上传追溯码');
    expect(mine.body.handClaim.deadline).toBe(found.handClaim.deadline);
    expect((await receivableOf(app, no.token)).status).toBe('open');
    await expectLaws(app);
  });

  it('that finance retries awaits insurance again and converts', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const reply = await retry(no.id);
    expect([reply.status, reply.body.status], reply.text).toEqual([202, 'queued']);
    expect((await settlementOf(scene, no.settlement.id)).insurance).toEqual({
      status: 'awaitingInsurance',
    });
    expect((await receivableOf(app, no.token)).status).toBe('waitingForInsurance');
    expect(await casesAbout(app, finance.maker, no.id)).toMatchObject([{ status: 'closed' }]);
    await expectLaws(app);
    await drain(app);
    expect((await read(no.id)).status).toBe('converted');
    const again = await retry(no.id);
    expect([again.status, again.body.code]).toEqual([409, 'conversion/wrong-state']);
    await expectLaws(app);
  });

  it('that is refused again is a new case', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    await retry(no.id);
    await app.fault({ mode: 'reject', on: ['2207'], reason: '超过限定频次' });
    await drain(app);
    const cases = await casesAbout(app, finance.maker, no.id);
    expect(cases.map((each) => each.status)).toEqual(['open', 'closed']);
    expect(cases[0]?.reason).toContain('超过限定频次');
    await expectLaws(app);
  });

  it('is retried once by many at once', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const replies = await Promise.all(Array.from({ length: 5 }, () => retry(no.id)));
    expect(replies.map((reply) => reply.status)).toEqual([202, 202, 202, 202, 202]);
    await drain(app);
    expect(await app.claims({ visitNumber: no.visit.visitNumber })).toHaveLength(1);
    expect((await read(no.id)).status).toBe('converted');
    await expectLaws(app);
  });

  it('is history once a newer one was asked for or the bill was refunded', async () => {
    const old = await refused(scene, '目录编码未上传追溯码');
    await ask(app, old.settlement.id, old.token);
    expect((await retry(old.id)).body.code).toBe('conversion/wrong-state');
    const gone = await refused(scene, '目录编码未上传追溯码');
    await app.call('POST', `/v1/settlements/${gone.settlement.id}/refunds`, {
      token: scene.terminal,
      body: { all: true, reason: '退号' },
    });
    expect((await retry(gone.id)).body.code).toBe('conversion/not-possible');
    await expectLaws(app);
  });

  it('that is closed stays refused, and its case is closed with it', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const before = await receivableOf(app, no.token);
    const proposal = await close(no.id, '患者同意自费');
    expect(proposal.status, proposal.text).toBe(202);
    expect((await approve(proposal.body.id)).status).toBe(200);
    expect(await read(no.id)).toMatchObject({ status: 'rejected' });
    expect(await casesAbout(app, finance.maker, no.id)).toMatchObject([
      { status: 'closed', detail: { decision: '患者同意自费' } },
    ]);
    expect(await receivableOf(app, no.token)).toEqual(before);
    await expectLaws(app);
  });
});

describe('closing an open conversion', () => {
  it('changes nothing until another person approves; then the debt falls due anew', async () => {
    const { token, settlement } = await selfPaid(scene);
    const { body: asked } = await ask(app, settlement.id, token);
    const proposal = await close(asked.id, '医保中心书面拒付');
    expect(proposal.body).toMatchObject({
      kind: 'closeConversion',
      subjectId: asked.id,
      status: 'proposed',
      reason: '医保中心书面拒付',
      checker: null,
    });
    expect((await read(asked.id)).status).toBe('queued');
    await app.clock(3 * DAY);
    const approved = await approve(proposal.body.id);
    expect(approved.body, approved.text).toMatchObject({ status: 'approved' });
    expect(approved.body.checker).not.toBe(approved.body.maker);
    expect(await read(asked.id)).toMatchObject({ status: 'cancelled', reason: '医保中心书面拒付' });
    expect((await settlementOf(scene, settlement.id)).insurance).toEqual({
      status: 'rejected',
      reason: '医保中心书面拒付',
    });
    const owed = await receivableOf(app, token);
    expect(owed.status).toBe('open');
    const days = (Date.parse(owed.dueAt) - Date.parse(settlement.settledAt)) / (DAY * 1000);
    expect(days).toBeGreaterThan(44);
    await drain(app);
    expect((await read(asked.id)).status).toBe('cancelled');
    await expectLaws(app);
  });

  it('that is declined leaves it waiting', async () => {
    const { token, settlement } = await selfPaid(scene);
    const { body: asked } = await ask(app, settlement.id, token);
    const proposal = await close(asked.id);
    const path = `/v1/proposals/${proposal.body.id}/decline`;
    const declined = await post(app, path, finance.checker, { reason: '再等等' });
    expect(declined.body).toMatchObject({
      status: 'declined',
      detail: { checkerReason: '再等等' },
    });
    expect((await read(asked.id)).status).toBe('queued');
    expect((await approve(proposal.body.id)).body.code).toBe('finance/proposal-resolved');
    expect((await close(asked.id)).status).toBe(202);
    await expectLaws(app);
  });

  it('comes too late for one that converted meanwhile', async () => {
    const { token, settlement } = await selfPaid(scene);
    const { body: asked } = await ask(app, settlement.id, token);
    const proposal = await close(asked.id);
    await drain(app);
    const reply = await approve(proposal.body.id);
    expect([reply.status, reply.body.code]).toEqual([409, 'conversion/wrong-state']);
    expect((await settlementOf(scene, settlement.id)).insurance.status).toBe('converted');
    expect((await close(asked.id)).body.code).toBe('conversion/wrong-state');
    await expectLaws(app);
  });

  it('waits while the insurer is being asked', async () => {
    const { token, settlement } = await selfPaid(scene);
    const { body: asked } = await ask(app, settlement.id, token);
    const proposal = await close(asked.id);
    const due = await dueConversions(app.deps, 'local', 100);
    await takeConversion(app.deps, due.find(({ id }) => id === asked.id)!);
    const reply = await approve(proposal.body.id);
    expect([reply.status, reply.body.code]).toEqual([409, 'settlement/busy']);
    expect((await retry(asked.id)).body.code).toBe('settlement/busy');
    await expectLaws(app);
  });

  it('waits until the truth of a claim of unknown fate is known', async () => {
    const { person } = await newPatient(app);
    const visit = await chargedVisit(scene, person);
    await app.fault({ mode: 'answerLost', on: ['2207'] });
    const { body } = await settle(scene, visit.id);
    const proposal = await close(body.conversionId);
    const reply = await approve(proposal.body.id);
    expect([reply.status, reply.body.code]).toEqual([409, 'conversion/fate-unknown']);
    expect((await read(body.conversionId)).status).toBe('queued');
    const pending = await app.call('GET', '/v1/proposals?status=proposed', {
      token: finance.checker,
    });
    expect(pending.body.data.map((each: { id: string }) => each.id)).toContain(proposal.body.id);
    await expectLaws(app);
  });

  it('and giving it up race to one end', async () => {
    const { token, settlement } = await selfPaid(scene);
    const { body: asked } = await ask(app, settlement.id, token);
    const proposal = await close(asked.id);
    const [approved, given] = await Promise.all([
      approve(proposal.body.id),
      giveUp(app, settlement.id, token),
    ]);
    expect(given.status).toBe(200);
    const { insurance } = await settlementOf(scene, settlement.id);
    expect(insurance.status).toBe(approved.status === 200 ? 'rejected' : 'skipped');
    expect((await read(asked.id)).status).toBe('cancelled');
    await expectLaws(app);
  });
});

describe('who may', () => {
  it('is finance by role; a person of one hospital sees and moves only its own', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const path = `/v1/conversions/${no.id}`;
    const checker = await retry(no.id, finance.checker);
    expect([checker.status, checker.body.code]).toEqual([403, 'access/forbidden']);
    expect((await retry(no.id, scene.terminal)).status).toBe(403);
    const elsewhere = await app.token('financeMaker', { hospitalCode: 'H35020000002' });
    expect((await retry(no.id, elsewhere)).status).toBe(404);
    expect((await close(no.id, '关闭', elsewhere)).status).toBe(404);
    expect((await app.call('GET', path, { token: elsewhere })).status).toBe(404);
    expect(await casesAbout(app, elsewhere, no.id)).toEqual([]);
    const own = await app.token('financeMaker', { hospitalCode: scene.hospitalCode });
    expect((await app.call('GET', path, { token: own })).status).toBe(200);
    expect((await retry(no.id, own)).status).toBe(202);
    await expectLaws(app);
  });
});
