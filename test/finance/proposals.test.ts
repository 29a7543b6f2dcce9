// Four eyes: what one person proposes another approves, and the database knows it too.
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { violatedConstraint } from '../../src/db/db.ts';
import { ask, selfPaid } from '../conversion/support.ts';
import { expectLaws, type Scene, sceneOf } from '../settlement/support.ts';
import { useApp } from '../support/app.ts';
import { type Finance, financeOf, post } from './support.ts';

const app = useApp({ worker: false });
let scene: Scene;
let finance: Finance;
beforeAll(async () => {
  scene = await sceneOf(app);
  finance = await financeOf(app);
});

/** A proposal to close a fresh conversion. */
async function proposed(maker = finance.maker) {
  const { token, settlement } = await selfPaid(scene);
  const { body: asked } = await ask(app, settlement.id, token);
  const path = `/v1/conversions/${asked.id}/close`;
  const reply = await post(app, path, maker, { reason: '关闭' });
  expect(reply.status, reply.text).toBe(202);
  return { id: reply.body.id as string, conversionId: asked.id as string };
}

const statusOf = async (id: string) => {
  const { body } = await app.call('GET', '/v1/proposals?limit=100', { token: finance.checker });
  return body.data.find((each: { id: string }) => each.id === id)?.status;
};

describe('a proposal', () => {
  it.each(['approve', 'decline'])(
    'its own maker cannot %s, whatever role they show',
    async (verb) => {
      const both = { subject: 'wang' };
      const { id } = await proposed(await app.token('financeMaker', both));
      const asChecker = await app.token('financeChecker', both);
      const reply = await post(app, `/v1/proposals/${id}/${verb}`, asChecker);
      expect([reply.status, reply.body.code]).toEqual([403, 'finance/same-person']);
      expect(await statusOf(id)).toBe('proposed');
    },
  );

  it('with the same maker and checker is refused by the database itself', async () => {
    const { id } = await proposed();
    const outcome = await app.db
      .execute(sql`update proposal set checker = maker, status = 'approved' where id = ${id}`)
      .then(() => null, violatedConstraint);
    expect(outcome).toBe('proposal_four_eyes');
  });

  it('is approved once, however many check it at once', async () => {
    const { id, conversionId } = await proposed();
    const others = await Promise.all(
      ['li', 'zhao', 'qian'].map((subject) => app.token('financeChecker', { subject })),
    );
    const replies = await Promise.all(
      others.map((token) => post(app, `/v1/proposals/${id}/approve`, token)),
    );
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 409, 409]);
    for (const reply of replies.filter((each) => each.status === 409)) {
      expect(reply.body.code).toBe('finance/proposal-resolved');
    }
    const { body } = await app.call('GET', `/v1/conversions/${conversionId}`, {
      token: finance.maker,
    });
    const ends = body.attempts.filter((each: { outcome: string }) => each.outcome === 'cancelled');
    expect(ends).toHaveLength(1);
    await expectLaws(app);
  });

  it('about the same thing waits until the first is decided', async () => {
    const { id, conversionId } = await proposed();
    const path = `/v1/conversions/${conversionId}/close`;
    const second = await post(app, path, finance.maker, { reason: '再次' });
    expect([second.status, second.body.code]).toEqual([409, 'finance/proposal-open']);
    await post(app, `/v1/proposals/${id}/decline`, finance.checker);
    expect((await post(app, path, finance.maker, { reason: '再次' })).status).toBe(202);
  });

  it('of another hospital is not there for a person of one hospital', async () => {
    const { id } = await proposed();
    const elsewhere = await app.token('financeChecker', { hospitalCode: 'H35020000002' });
    const reply = await post(app, `/v1/proposals/${id}/approve`, elsewhere);
    expect([reply.status, reply.body.code]).toEqual([404, 'resource/not-found']);
    const { body } = await app.call('GET', '/v1/proposals', { token: elsewhere });
    expect(body.data).toEqual([]);
    const own = await app.token('financeChecker', { hospitalCode: scene.hospitalCode });
    expect((await post(app, `/v1/proposals/${id}/approve`, own)).status).toBe(200);
  });

  it('needs the role of its step, a key, and a reason', async () => {
    const { id, conversionId } = await proposed();
    expect((await post(app, `/v1/proposals/${id}/approve`, finance.maker)).status).toBe(403);
    const path = `/v1/conversions/${conversionId}/close`;
    expect((await post(app, path, finance.checker, { reason: '关闭' })).status).toBe(403);
    expect((await post(app, path, finance.maker, {})).status).toBe(400);
    const approve = `/v1/proposals/${id}/approve`;
    const keyless = await app.call('POST', approve, { token: finance.checker, key: null });
    expect(keyless.body.code).toBe('idempotency/key-missing');
    const key = crypto.randomUUID();
    const first = await app.call('POST', approve, { token: finance.checker, key });
    const again = await app.call('POST', approve, { token: finance.checker, key });
    expect([first.status, again.text]).toEqual([200, first.text]);
  });

  it('is found by status and kind, page by page, newest first', async () => {
    await proposed();
    await proposed();
    const query = '/v1/proposals?status=proposed&kind=closeConversion&limit=1';
    const one = await app.call('GET', query, { token: finance.checker });
    expect(one.body.data).toHaveLength(1);
    const next = `${query}&cursor=${one.body.nextCursor}`;
    const two = await app.call('GET', next, { token: finance.checker });
    expect(two.body.data[0].id < one.body.data[0].id).toBe(true);
    const none = await app.call('GET', '/v1/proposals?kind=classText', { token: finance.checker });
    expect(none.body.data).toEqual([]);
    const wrong = await app.call('GET', '/v1/proposals?cursor=x', { token: finance.checker });
    expect(wrong.status).toBe(400);
  });
});
