// Cases: what a person must decide, with what is needed to decide it.
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { drain, refused } from '../conversion/support.ts';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { casesAbout, type Finance, financeOf, post } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let finance: Finance;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await financeOf(app);
});
afterEach(() => app.fault({ mode: 'none' }));

describe('a case', () => {
  it('is closed by two people, once', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const [found] = await casesAbout(app, finance.maker, no.id);
    const path = `/v1/finance-cases/${found.id}`;
    const proposal = await post(app, `${path}/close`, finance.maker, { reason: '已告知患者' });
    expect(proposal.body).toMatchObject({
      kind: 'closeCase',
      subjectId: found.id,
      detail: { caseKind: 'insurance/rejected', about: no.id },
    });
    expect((await app.call('GET', path, { token: finance.maker })).body.status).toBe('open');
    const approve = `/v1/proposals/${proposal.body.id}/approve`;
    expect((await post(app, approve, finance.checker)).status).toBe(200);
    const closed = await app.call('GET', path, { token: finance.maker });
    expect(closed.body).toMatchObject({
      status: 'closed',
      detail: { decision: '已告知患者' },
      closedAt: expect.any(String),
    });
    const again = await post(app, `${path}/close`, finance.maker, { reason: '再次' });
    expect([again.status, again.body.code]).toEqual([409, 'finance/case-closed']);
    await expectLaws(app);
  });

  it('that was closed on the way refuses the approval', async () => {
    const no = await refused(scene, '目录编码未上传追溯码');
    const [found] = await casesAbout(app, finance.maker, no.id);
    const close = `/v1/finance-cases/${found.id}/close`;
    const proposal = await post(app, close, finance.maker, { reason: '已告知患者' });
    await post(app, `/v1/conversions/${no.id}/retry`, finance.maker);
    const approve = `/v1/proposals/${proposal.body.id}/approve`;
    const reply = await post(app, approve, finance.checker);
    expect([reply.status, reply.body.code]).toEqual([409, 'finance/case-closed']);
    await drain(app);
  });

  it('is found by status and kind, page by page, and only in one’s own hospital', async () => {
    const first = await refused(scene, '目录编码未上传追溯码');
    const second = await refused(scene, '目录编码未上传追溯码');
    const query = '/v1/finance-cases?status=open&kind=insurance/rejected&limit=1';
    const one = await app.call('GET', query, { token: finance.maker });
    expect(one.body.data[0].subjectId).toBe(second.id);
    const next = `${query}&cursor=${one.body.nextCursor}`;
    const two = await app.call('GET', next, { token: finance.maker });
    expect(two.body.data[0].subjectId).toBe(first.id);
    const other = await app.call('GET', '/v1/finance-cases?kind=refund/unheard-of', {
      token: finance.maker,
    });
    expect(other.body.data).toEqual([]);
    const elsewhere = await app.token('auditor', { hospitalCode: 'H35020000002' });
    const path = `/v1/finance-cases/${one.body.data[0].id}`;
    expect((await app.call('GET', path, { token: elsewhere })).status).toBe(404);
    const auditor = await app.token('auditor', { hospitalCode: scene.hospitalCode });
    expect((await app.call('GET', path, { token: auditor })).status).toBe(200);
    expect((await post(app, `${path}/close`, auditor, { reason: '关闭' })).status).toBe(403);
  });
});
